/** The figures above all else. */
import type { BackupDisk, GetDaemonInfoResponse } from '../../../gen/busy/v1/daemon_service_pb.js';
import type { Host } from '../../../gen/busy/v1/host_service_pb.js';
import type { Run } from '../../../gen/busy/v1/run_pb.js';
import { forecastWords } from '../../format/forecast.js';
import { bytes, count } from '../../format/units.js';
import { needsAttention } from './host-condition.js';

interface TotalsProps {
  readonly hosts: readonly Host[] | null;
  readonly info: GetDaemonInfoResponse | null;
  /** Null: not known yet. */
  readonly going: readonly Run[] | null;
}

export function Totals({ hosts, info, going }: TotalsProps) {
  const bad = hosts?.filter(needsAttention).length;
  return (
    <dl className="totals">
      <Total name="Hosts" value={hosts ? count(hosts.length) : '…'} />
      <Total name="Need attention" value={bad === undefined ? '…' : count(bad)} isBad={(bad ?? 0) > 0} />
      <Total name="Run now" value={going ? count(going.length) : '…'} />
      {/* Keeps the room of the usual one disk. */}
      {!info && <Total name="Free" value="…" detail="" note="&nbsp;" />}
      {info?.disks.map((disk) => (
        <DiskTotal key={disk.backupdir} disk={disk} />
      ))}
    </dl>
  );
}

function DiskTotal({ disk }: { readonly disk: BackupDisk }) {
  const { text, isSoon } = forecastWords(disk.forecast, new Date());
  return (
    <Total
      name={`Free in ${disk.backupdir}`}
      value={bytes(disk.freeBytes)}
      detail={`of ${bytes(disk.totalBytes)}`}
      note={text}
      isBad={isSoon}
    />
  );
}

function Total(props: {
  readonly name: string;
  readonly value: string;
  readonly detail?: string;
  readonly note?: string;
  readonly isBad?: boolean;
}) {
  return (
    <div className={props.isBad ? 'total total-bad' : 'total'}>
      <dt>{props.name}</dt>
      <dd>
        {props.value} {props.detail !== undefined && <span className="faint">{props.detail}</span>}
        {props.note !== undefined && <span className="total-note">{props.note}</span>}
      </dd>
    </div>
  );
}
