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
  if (error.code === Code.Unavailable || error.code === Code.Unknown)
    return said('The daemon does not answer. The page tries again by itself.');
  return said(error.rawMessage);
}

function said(message: string): Trouble {
  return { reason: '', message, facts: {} };
}

/** Not what the daemon has decided, but what may be over in a moment. */
export function isWorthTryingAgain(error: unknown): boolean {
  if (!(error instanceof ConnectError)) return false;
  return (
    error.code === Code.Unavailable || error.code === Code.Unknown || error.code === Code.DeadlineExceeded
  );
}
