/** What a snapshot is. */
import type { Snapshot } from '../../../gen/busy/v1/snapshot_pb.js';
import { bytes, count, counted } from '../../format/units.js';
import { Mark, RunStateMark, typeName } from '../../parts/states.js';
import { Age } from '../../parts/times.js';

export function SnapshotFacts({ snapshot }: { readonly snapshot: Snapshot }) {
  const { stats } = snapshot;
  return (
    <dl className="facts">
      <dt>State</dt>
      <dd>
        {snapshot.heldFor.length > 0 ? (
          <Mark tone="bad" text="held" />
        ) : (
          <RunStateMark state={snapshot.outcome} />
        )}{' '}
        {typeName(snapshot.type)}, <Age time={snapshot.startedAt} />
      </dd>
      {stats && (
        <>
          <dt>Holds</dt>
          <dd>
            {count(stats.fileCount)} entries, {bytes(stats.totalBytes)}; {bytes(stats.copiedBytes)} of it are
            its own
          </dd>
        </>
      )}
      {snapshot.missingFileCount > 0 && (
        <>
          <dt>Missing</dt>
          <dd>{counted(snapshot.missingFileCount, 'file')}</dd>
        </>
      )}
      <dt>Verified</dt>
      <dd>
        <Age time={snapshot.verifiedAt} />
        {snapshot.damagedFileCount > 0n && (
          <>
            {' '}
            <Mark tone="bad" text={counted(snapshot.damagedFileCount, 'damaged file')} />
          </>
        )}
      </dd>
      <dt>Lies in</dt>
      <dd className="mono">{snapshot.path}</dd>
    </dl>
  );
}
