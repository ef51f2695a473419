/** What a run that verifies, drills, archives or restores has found or done. */
import type { Archiving, Difference, Drill, Run, Verification } from '../../../gen/busy/v1/run_pb.js';
import { DifferenceKind } from '../../../gen/busy/v1/run_pb.js';
import type { ReactNode } from 'react';
import { bytes, count, counted } from '../../format/units.js';
import { DataTable } from '../../parts/data-table.js';
import { Foreign } from '../../parts/text.js';
import { RestoreOutcome } from './restore-outcome.js';

export function RunOutcome({ run }: { readonly run: Run }) {
  const { verification, archiving, drill, restore } = run;
  return (
    <>
      {verification && <VerificationOutcome verification={verification} />}
      {archiving && <ArchivingOutcome archiving={archiving} />}
      {/* Before its end a drill has its seed alone. */}
      {drill && run.endedAt && <DrillOutcome drill={drill} />}
      {restore && <RestoreOutcome restore={restore} isEnded={run.endedAt !== undefined} />}
    </>
  );
}

function VerificationOutcome({ verification }: { readonly verification: Verification }) {
  const { snapshots, unverifiable, entries, filesRead, bytesRead, damagedFileCount } = verification;
  return (
    <Section title="What was found">
      <dl className="facts">
        <Names title="Compared" names={snapshots} />
        <Names title="Without a manifest" names={unverifiable} />
        <dt>Looked at</dt>
        <dd>
          {counted(entries, 'entry', 'entries')}; {counted(filesRead, 'file')} read ({bytes(bytesRead)})
        </dd>
        <dt>Damaged or missing</dt>
        <dd>{counted(damagedFileCount, 'file')}</dd>
      </dl>
      <Differences found={verification.differences} total={verification.differenceCount} />
    </Section>
  );
}

function ArchivingOutcome({ archiving }: { readonly archiving: Archiving }) {
  const { archived, removed, expired, entries, contentBytes, archiveBytes } = archiving;
  return (
    <Section title="What was done">
      <dl className="facts">
        <Names title="Archives" names={archived} />
        <Names title="Removed from the backup disk" names={removed} />
        <Names title="Archives that were too many" names={expired} />
        <dt>Read back</dt>
        <dd>
          {counted(entries, 'entry', 'entries')}, {bytes(contentBytes)}; {bytes(archiveBytes)} in the archives
        </dd>
      </dl>
      {archived.length === 0 && <p className="faint">There was nothing to do.</p>}
    </Section>
  );
}

function DrillOutcome({ drill }: { readonly drill: Drill }) {
  return (
    <Section title="What was found">
      <dl className="facts">
        <dt>Restored</dt>
        <dd>
          {counted(drill.entries, 'entry', 'entries')}, of them {counted(drill.files, 'file')} (
          {bytes(drill.bytes)}) at {bytes(drill.bytesPerSecond)}/s
          {drill.isFromArchive && ', from the archive'}
        </dd>
        <dt>Seed</dt>
        <dd className="mono">{drill.seed}</dd>
        {drill.commandEnd !== '' && (
          <>
            <dt>drill_command</dt>
            <dd>
              {drill.hasCommandPassed ? 'passed' : 'failed'}: <Foreign className="" text={drill.commandEnd} />
            </dd>
          </>
        )}
      </dl>
      <Differences found={drill.differences} total={drill.differenceCount} />
    </Section>
  );
}

function Differences(props: { readonly found: readonly Difference[]; readonly total: bigint }) {
  const { found, total } = props;
  if (total === 0n) return <p>Nothing differs.</p>;
  return (
    <>
      {BigInt(found.length) < total && (
        <p className="faint">
          {count(found.length)} of {count(total)} differences; the log has more.
        </p>
      )}
      {found.length > 0 && (
        <DataTable name="Differences" heads={['Path', 'What', 'Snapshot', 'Detail']}>
          {found.map(({ path, kind, snapshot, detail }) => (
            <tr key={`${snapshot} ${kind} ${path}`}>
              <th scope="row">
                <Foreign text={path} />
              </th>
              <td>{(DifferenceKind[kind] ?? '').toLowerCase()}</td>
              <td>{snapshot}</td>
              <td className="setting-value">
                <Foreign className="" text={detail} />
              </td>
            </tr>
          ))}
        </DataTable>
      )}
    </>
  );
}

function Names({ title, names }: { readonly title: string; readonly names: readonly string[] }) {
  if (names.length === 0) return null;
  return (
    <>
      <dt>{title}</dt>
      <dd className="setting-value">{names.join(', ')}</dd>
    </>
  );
}

function Section({ title, children }: { readonly title: string; readonly children: ReactNode }) {
  return (
    <section aria-labelledby="outcome">
      <h2 id="outcome">{title}</h2>
      {children}
    </section>
  );
}
