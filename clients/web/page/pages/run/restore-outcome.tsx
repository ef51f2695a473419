/** What a restore is to bring back and where to, and what it did, or would do. */
import type { Restore, RestoreMode, RestoreTarget } from '../../../gen/busy/v1/restore_pb.js';
import { bytes, count } from '../../format/units.js';
import { DataTable } from '../../parts/data-table.js';
import { Foreign } from '../../parts/text.js';
import { changeWords } from '../snapshot/change-words.js';
import { restoreModes } from '../snapshot/restore-choice.js';

export function RestoreOutcome(props: { readonly restore: Restore; readonly isEnded: boolean }) {
  const { restore, isEnded } = props;
  const { paths, mode, dryRun, changes, changeCount } = restore;
  return (
    <section aria-labelledby="outcome">
      <h2 id="outcome">{dryRun ? 'What a restore would do' : 'What was restored'}</h2>
      <dl className="facts">
        <dt>Paths</dt>
        <dd className="setting-value">
          <Foreign text={paths.join(', ')} />
        </dd>
        <dt>To</dt>
        <dd className="setting-value">
          <Foreign text={placeWords(restore.target)} />
        </dd>
        <dt>What is there already</dt>
        <dd>{modeWords(mode)}</dd>
        {isEnded && (
          <>
            <dt>Changes</dt>
            <dd>
              {count(restore.created)} new, {count(restore.changed)} replaced, {count(restore.deleted)}{' '}
              deleted, {bytes(restore.bytes)} in all; {count(restore.skipped)} stay as they are
            </dd>
          </>
        )}
      </dl>
      {BigInt(changes.length) < changeCount && changes.length > 0 && (
        <p className="faint">
          The first {count(changes.length)} of {count(changeCount)} changes; the log has all.
        </p>
      )}
      {changes.length > 0 && (
        <DataTable name="Changes" heads={['What', 'Path', '#Size']}>
          {changes.map((change) => (
            <tr key={`${change.kind} ${change.path}`}>
              <td>{changeWords[change.kind]}</td>
              <th scope="row">
                <Foreign text={change.path} />
              </th>
              <td className="number">{bytes(change.bytes)}</td>
            </tr>
          ))}
        </DataTable>
      )}
    </section>
  );
}

function placeWords(target: RestoreTarget | undefined): string {
  const place = target?.place;
  if (place?.case === 'hostDirectory') return `${place.value.host}:${place.value.directory}`;
  return place?.case === 'serverDirectory' ? place.value : 'its own place';
}

function modeWords(mode: RestoreMode): string {
  return restoreModes.find(([value]) => value === mode)?.[1] ?? '';
}
