/**
 * The one place that decides what a caller learns of an error. A BusyError goes out with its code, its sentence and
 * an ErrorInfo (reason, facts, advice); of anything else only the log of the daemon has the details.
 */
import { inspect } from 'node:util';
import { Metadata, status, type StatusObject } from '@grpc/grpc-js';
import { BusyError } from '../core/errors.js';
import { ErrorInfo } from '../gen/google/rpc/error_details.js';
import { Status } from '../gen/google/rpc/status.js';

/** The part of a logger that is needed here; the logger of winston fits. */
export interface RpcLog {
  error(message: string, fields: Readonly<Record<string, unknown>>): void;
}

const detailsKey = 'grpc-status-details-bin';
const errorInfoType = 'type.googleapis.com/google.rpc.ErrorInfo';
// Status travels in HTTP/2 headers, which clients refuse when they are large.
const longestTextBytes = 2048;

/** What the caller of `method` is told of `error`; never throws. Defects are logged. */
export function toStatus(error: unknown, method: string, log: RpcLog): StatusObject {
  const isMeantForUser = error instanceof BusyError;
  if (!isMeantForUser || error.reason === 'INTERNAL') {
    log.error('A call failed unexpectedly', { method, error: inspect(error) });
  }
  return describe(
    isMeantForUser ? error : new BusyError('INTERNAL', { what: 'the call could not be answered' }),
  );
}

function describe(error: BusyError): StatusObject {
  const code = status[error.status];
  const message = wellFormed(error.message);
  const facts = Object.entries({ ...error.facts, advice: error.advice });
  const info: ErrorInfo = {
    reason: error.reason,
    domain: 'busy',
    metadata: Object.fromEntries(facts.map(([name, value]) => [name, wellFormed(value)])),
  };
  const details = [{ typeUrl: errorInfoType, value: Buffer.from(ErrorInfo.encode(info).finish()) }];
  const metadata = new Metadata();
  metadata.set(detailsKey, Buffer.from(Status.encode({ code, message, details }).finish()));
  return { code, details: message, metadata };
}

/** Cuts a text, and mends halves of characters: a status with one would end the process (encodeURI throws). */
function wellFormed(text: string): string {
  return Buffer.from(text).subarray(0, longestTextBytes).toString();
}
