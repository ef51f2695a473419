import { BackupServiceService } from '../../src/gen/busy/v1/backup_service.js';
import { Run } from '../../src/gen/busy/v1/run.js';
import { resume } from './resume.js';
import type { Session } from './session.js';
import { isEnded } from './states.js';

export interface WatchFilter {
  /** Empty: of all hosts. */
  readonly host: string;
  /** Empty: all runs. */
  readonly runId: string;
  readonly afterRevision: number;
}

/**
 * Runs as they change, across losses of the connection. Never ends by itself. After a loss the daemon sends runs
 * anew that have not ended; such a value is left out when it is the one that was given last.
 */
export async function* watchRuns(
  session: Session,
  filter: WatchFilter,
  advice: string,
): AsyncGenerator<Run, void, undefined> {
  const { connection, printer, signal } = session;
  let afterRevision = filter.afterRevision;
  const lastValues = new Map<string, string>();
  const open = () => connection.stream(BackupServiceService.watchRuns, { ...filter, afterRevision }, signal);
  const onLost = (): void => printer.note('The connection to busyd was lost; trying again.');
  for await (const { run } of resume(session, open, { endsByItself: false, advice, onLost })) {
    if (run === undefined) continue;
    afterRevision = Math.max(afterRevision, run.revision);
    const value = JSON.stringify(Run.toJSON(run));
    if (lastValues.get(run.id) === value) continue;
    if (isEnded(run.state)) lastValues.delete(run.id);
    else lastValues.set(run.id, value);
    yield run;
  }
}
