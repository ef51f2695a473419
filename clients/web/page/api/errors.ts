/** What went wrong, in the daemon's own words. */
import { Code, ConnectError } from '@connectrpc/connect';
import { ErrorInfoSchema } from '../../gen/google/rpc/error_details_pb.js';

export interface Trouble {
  /** Stable, such as HOST_BUSY; empty when the daemon was not heard. */
  readonly reason: string;
  readonly message: string;
  /** What the message is made of, by name; empty without a reason. */
  readonly facts: Readonly<Record<string, string>>;
}

export function troubleOf(error: unknown): Trouble {
  if (!(error instanceof ConnectError)) return said(error instanceof Error ? error.message : String(error));
  const [info] = error.findDetails(ErrorInfoSchema);
  if (info) return { reason: info.reason, message: error.rawMessage, facts: info.metadata };
  if (isWorthTryingAgain(error)) return said('The daemon does not answer.');
  return said(error.rawMessage);
}

function said(message: string): Trouble {
  return { reason: '', message, facts: {} };
}

/** What a broken connection, a daemon that was killed or a proxy in between make of a call. */
const lostCodes: ReadonlySet<Code> = new Set([Code.Aborted, Code.Canceled, Code.Internal]);
const busyCodes: ReadonlySet<Code> = new Set([Code.Unavailable, Code.Unknown, Code.DeadlineExceeded]);

/** Not what the daemon has decided, but what may be over in a moment. */
export function isWorthTryingAgain(error: unknown): boolean {
  if (!(error instanceof ConnectError)) return false;
  if (busyCodes.has(error.code)) return true;
  // With a reason the daemon itself has said it.
  return lostCodes.has(error.code) && error.findDetails(ErrorInfoSchema).length === 0;
}
