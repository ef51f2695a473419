/** The source directories of a backup, and what is missing of them. */
import { JobState, RunPhase, type Job, type Progress } from '../../../gen/busy/v1/run_pb.js';
import { bytes, count, counted } from '../../format/units.js';
import { JobStateMark } from '../../parts/states.js';
import { Foreign } from '../../parts/text.js';
import { DataTable } from '../../parts/data-table.js';

interface JobTableProps {
  readonly jobs: readonly Job[];
  /** Of the run, while it goes on. */
  readonly progress: Progress | undefined;
}

export function JobTable({ jobs, progress }: JobTableProps) {
  if (jobs.length === 0) return null;
  return (
    <section aria-labelledby="jobs">
      <h2 id="jobs">Source directories</h2>
      <DataTable
        name="Source directories"
        heads={['Directory', 'State', '#Entries', '#Files sent', '#Sent', '#Linked', '#Copied']}
      >
        {jobs.map((job) => (
          <tr key={job.number}>
            <th scope="row">
              <Foreign text={job.source} />
            </th>
            <td>
              <JobStateMark state={job.state} />
              {progress && isWhereItMoves(job, progress) && (
                <span className="job-progress faint">
                  {counted(progress.filesTransferred, 'file')} sent · <Foreign text={progress.currentFile} />
                </span>
              )}
            </td>
            <td className="number">{job.stats ? count(job.stats.fileCount) : '–'}</td>
            <td className="number">{job.stats ? count(job.stats.filesTransferred) : '–'}</td>
            <td className="number">{job.stats ? bytes(job.stats.transferredBytes) : '–'}</td>
            <td className="number">{job.stats ? bytes(job.stats.linkedBytes) : '–'}</td>
            <td className="number">{job.stats ? bytes(job.stats.copiedBytes) : '–'}</td>
          </tr>
        ))}
      </DataTable>
    </section>
  );
}

/** The figures of a run are of all its jobs together; what moves at the moment is of one. */
function isWhereItMoves(job: Job, { jobNumber, phase }: Progress): boolean {
  const copies = phase === RunPhase.COPY || phase === RunPhase.UNSPECIFIED;
  return copies && job.number === jobNumber && job.state === JobState.RUNNING;
}

export function MissingFiles({ jobs }: { readonly jobs: readonly Job[] }) {
  const total = jobs.reduce((sum, job) => sum + job.missingFileCount, 0);
  const named = jobs.flatMap((job) => job.missingFiles);
  if (total === 0) return null;
  return (
    <section aria-labelledby="missing">
      <h2 id="missing">Missing files: {count(total)}</h2>
      {named.length < total && (
        <p className="faint">The first {count(named.length)}; snapshot.json beside the data has all.</p>
      )}
      <ul className="missing">
        {named.map(({ path, why }) => (
          <li key={path}>
            <Foreign text={path} /> <span className="faint">{why}</span>
          </li>
        ))}
      </ul>
    </section>
  );
}
