/** Reads what grpc-js reports of a failed call, and makes of it an error for the user. */
import { status as codes, type ServiceError } from '@grpc/grpc-js';
import { ErrorInfo } from '../../src/gen/google/rpc/error_details.js';
import { Status } from '../../src/gen/google/rpc/status.js';
import { CliError, type ErrorKind } from './cli-error.js';

/** `endpoint` and `timeoutMs` (null: none) are those of the call that failed. */
export function fromServiceError(error: ServiceError, endpoint: string, timeoutMs: number | null): CliError {
  const info = readErrorInfo(error);
  const code = codes[error.code];
  const options = { cause: error };
  if (info !== null) {
    const { reason, metadata } = info;
    const advice = metadata.advice ?? '';
    return new CliError({ kind: kindOf(error.code), reason, message: error.details, advice, code }, options);
  }
  if (isTransportFailure(error)) {
    const said = explainTransport(error, endpoint, timeoutMs);
    return new CliError({ kind: 'no-connection', reason: 'DAEMON_UNREACHABLE', code, ...said }, options);
  }
  if (error.code === codes.UNIMPLEMENTED) {
    const message = `The daemon at ${endpoint} does not know this call.`;
    const advice = 'Client and daemon may be of different versions: compare busy --version with busy info.';
    return new CliError({ kind: 'refused', reason: code, message, advice, code }, options);
  }
  const message = error.details === '' ? `The daemon at ${endpoint} answered ${code}.` : error.details;
  const advice = 'The log of the daemon may have more.';
  return new CliError({ kind: kindOf(error.code), reason: code, message, advice, code }, options);
}

function kindOf(code: codes): ErrorKind {
  return code === codes.UNAUTHENTICATED || code === codes.PERMISSION_DENIED ? 'not-allowed' : 'refused';
}

/** Our daemon gives a reason with every error of its own; these codes without one come from the way there. */
function isTransportFailure(error: ServiceError): boolean {
  if (error.code === codes.INTERNAL) return error.details.startsWith('Received RST_STREAM');
  return [codes.UNAVAILABLE, codes.CANCELLED, codes.DEADLINE_EXCEEDED].includes(error.code);
}

function readErrorInfo(error: ServiceError): ErrorInfo | null {
  const [bytes] = error.metadata.get('grpc-status-details-bin');
  if (!Buffer.isBuffer(bytes)) return null;
  try {
    const detail = Status.decode(bytes).details.find((any) => any.typeUrl.endsWith('/google.rpc.ErrorInfo'));
    return detail === undefined ? null : ErrorInfo.decode(detail.value);
  } catch {
    // Details that cannot be read must not hide the error itself.
    return null;
  }
}

function explainTransport(error: ServiceError, endpoint: string, timeoutMs: number | null): Explanation {
  if (error.code === codes.DEADLINE_EXCEEDED && timeoutMs !== null) {
    return {
      message: `busyd at ${endpoint} did not answer within ${timeoutMs / 1000} s.`,
      advice: 'Check that it is the right endpoint and that busyd is not stuck (see its log).',
    };
  }
  const certificate = certificateProblems.find(([pattern]) => pattern.test(error.details));
  if (certificate) {
    const message = `No connection to busyd at ${endpoint}: ${certificate[1]}.`;
    return { message, advice: certificate[2] };
  }
  const errno = /\b(ENOENT|ECONNREFUSED|EACCES|EPERM|ENOTFOUND|EAI_AGAIN)\b/.exec(error.details)?.[1];
  const known = errno === undefined ? undefined : explanations[errno];
  const cause = known?.message ?? error.details;
  return {
    message: `No connection to busyd at ${endpoint}: ${cause}.`,
    advice: known?.advice ?? startOrName,
  };
}

const nameCa = 'Name the authority that made it with --ca (ca.crt of busyd make-cert).';

/** As OpenSSL puts it; what it means; what to do. */
const certificateProblems: readonly (readonly [RegExp, string, string])[] = [
  [
    /unable to (get local issuer|verify the first) certificate|self-signed certificate/,
    'its certificate was made by an authority that is not trusted here',
    nameCa,
  ],
  [
    /does not match certificate's altnames|Hostname\/IP does not match/,
    'its certificate is for another name',
    'Call it by a name of its certificate, or make one for this name: busyd make-cert --host NAME',
  ],
  [/certificate has expired/, 'its certificate has expired', 'Renew it on the server.'],
  [
    /wrong version number|packet length too long|EPROTO/,
    'what answers there does not speak TLS',
    'Check the port; busyd speaks TLS there when its configuration sets tls.',
  ],
];

interface Explanation {
  readonly message: string;
  readonly advice: string;
}

const startOrName =
  'Is busyd running (systemctl status busyd)? Name another endpoint with --server or BUSY_SERVER.';
const joinGroup = 'Join the group that owns the socket (see ls -l), or call busy as a user who may open it.';
const checkName = 'Check the name of the server in --server or BUSY_SERVER.';

const explanations: Readonly<Record<string, Explanation>> = {
  ENOENT: { message: 'there is no such socket', advice: startOrName },
  ECONNREFUSED: { message: 'nothing listens there', advice: startOrName },
  EACCES: { message: 'you have no permission to open the socket', advice: joinGroup },
  EPERM: { message: 'you have no permission to open the socket', advice: joinGroup },
  ENOTFOUND: { message: 'the name is not known', advice: checkName },
  EAI_AGAIN: { message: 'the name cannot be looked up now', advice: checkName },
};
