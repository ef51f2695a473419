import { BackupServiceService, type StreamLogsResponse } from '../../src/gen/busy/v1/backup_service.js';
import { resume } from './resume.js';
import type { Session } from './session.js';

export interface LogPlace {
  readonly runId: string;
  /** The first byte. */
  readonly offset: number;
  /** Whether to go on until the run has ended. */
  readonly follow: boolean;
}

/** The log of a run from a place on, across losses of the connection: no line is lost or comes twice. */
export function streamLog(
  session: Session,
  place: LogPlace,
  onLost: () => void,
): AsyncGenerator<StreamLogsResponse, void, undefined> {
  let { offset } = place;
  const open = async function* (): AsyncGenerator<StreamLogsResponse, void, undefined> {
    const request = { ...place, offset };
    for await (const message of session.connection.stream(
      BackupServiceService.streamLogs,
      request,
      session.signal,
    )) {
      offset = message.nextOffset;
      yield message;
    }
  };
  const advice = `Read on with: busy logs ${place.runId} --follow`;
  return resume(session, open, { endsByItself: true, advice, onLost });
}
