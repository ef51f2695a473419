/** The daemon itself, and what an administrator does with it. */
import { useQuery, useQueryClient } from '@tanstack/react-query';
import { useState } from 'react';
import type { BackupDisk } from '../../gen/busy/v1/daemon_service_pb.js';
import { Role } from '../../gen/busy/v1/token_service_pb.js';
import { callerWords } from '../api/caller.js';
import { daemonService } from '../api/clients.js';
import { infoQuery } from '../api/queries.js';
import { forecastWords } from '../format/forecast.js';
import { bytes, count } from '../format/units.js';
import { ActionButton } from '../parts/action-button.js';
import { Failure, Waiting } from '../parts/notices.js';
import { Age } from '../parts/times.js';
import { PageHeading } from '../parts/page-heading.js';

export function SettingsPage() {
  const info = useQuery(infoQuery);
  if (info.isError && !info.data) return <Failure error={info.error} onRetry={() => void info.refetch()} />;
  if (!info.data) return <Waiting rows={8} />;
  const { data } = info;
  return (
    <>
      <PageHeading title="Settings" />
      <dl className="facts">
        {data.caller && (
          <>
            <dt>You are</dt>
            <dd>{callerWords(data.caller)}</dd>
          </>
        )}
        <dt>Version</dt>
        <dd>{data.version}</dd>
        <dt>Started</dt>
        <dd>
          <Age time={data.startedAt} />
        </dd>
        <dt>Configuration</dt>
        <dd className="mono">{data.configFile}</dd>
        <dt>Database</dt>
        <dd className="mono">{data.database}</dd>
        <dt>Endpoints</dt>
        <dd className="mono">{data.endpoints.join(' ')}</dd>
        <dt>Runs</dt>
        <dd>
          {count(data.runsRunning)} running of at most {count(data.maxRunning)}, {count(data.runsQueued)}{' '}
          waiting
        </dd>
        <dt>Memory</dt>
        <dd>{bytes(data.memoryBytes)}</dd>
        {data.disks.map((disk) => (
          <DiskFact key={disk.backupdir} disk={disk} />
        ))}
        <dt>Oldest unverified</dt>
        <dd>
          {data.oldestUnverified ? (
            <>
              {data.oldestUnverified.host}/{data.oldestUnverified.snapshot},{' '}
              <Age time={data.oldestUnverified.since} />
            </>
          ) : (
            'none'
          )}
        </dd>
      </dl>
      <Reload />
      <TestMail />
    </>
  );
}

function DiskFact({ disk }: { readonly disk: BackupDisk }) {
  return (
    <>
      <dt className="mono">{disk.backupdir}</dt>
      <dd>
        {bytes(disk.freeBytes)} free of {bytes(disk.totalBytes)};{' '}
        {forecastWords(disk.forecast, new Date()).text}
      </dd>
    </>
  );
}

function Reload() {
  const queries = useQueryClient();
  const [answer, setAnswer] = useState('');
  const reload = async (): Promise<void> => {
    setAnswer('');
    const { hostCount, needsRestart } = await daemonService.reloadConfig({});
    const rest = needsRestart.length > 0 ? ` A restart is needed for: ${needsRestart.join(', ')}.` : '';
    setAnswer(`The configuration is in effect, with ${count(hostCount)} hosts.${rest}`);
    await queries.invalidateQueries();
  };
  return (
    <section aria-labelledby="reload">
      <h2 id="reload">Configuration</h2>
      <p className="faint">The file is read again as a whole, or, with a problem, not at all.</p>
      <ActionButton needs={Role.ADMIN} onAction={reload}>
        Read it again
      </ActionButton>
      <p role="status">{answer}</p>
    </section>
  );
}

function TestMail() {
  const [to, setTo] = useState('');
  const [answer, setAnswer] = useState('');
  const send = async (): Promise<void> => {
    setAnswer('');
    const { recipients } = await daemonService.sendTestMail({ to });
    setAnswer(`Handed over for ${recipients.join(', ')}.`);
  };
  return (
    <section aria-labelledby="mail">
      <h2 id="mail">Test mail</h2>
      <div className="tools">
        <input
          type="email"
          aria-label="Address"
          placeholder="admin@example.org"
          value={to}
          onChange={(event) => setTo(event.target.value)}
        />
        <ActionButton needs={Role.ADMIN} onAction={send}>
          Send
        </ActionButton>
      </div>
      <p role="status">{answer}</p>
    </section>
  );
}
