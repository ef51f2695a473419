/**
 * The audit log: who changed what, from where, when, and how it ended. A call that changes something is written down
 * before it is carried out and once more when it has ended, so that none is done unrecorded. Plain data and pure rules;
 * the chain of hashes is made where the lines are kept.
 */
import type { Caller } from './caller.js';

export interface AuditedCaller {
  /** `busyd` for what the daemon does by itself; empty for somebody who could not say who he is. */
  readonly name: string;
  /** Empty where there is none. */
  readonly role: string;
  /** Empty on a unix socket. */
  readonly address: string;
  /** The id of his token; absent where he showed none. */
  readonly tokenId?: string;
  /** For whom he says that he calls; absent: he says nothing. */
  readonly saidAddress?: string;
}

/** What came of a call that went well. */
export interface AuditedAnswer {
  /** The run that it started or changed. */
  readonly runId?: string;
  /** The host, where the request does not name it. */
  readonly host?: string;
  /** What else, as JSON without secrets. */
  readonly result?: string;
}

/** What was done, or was to be done. */
export interface AuditedAct {
  readonly caller: AuditedCaller;
  /** The name of the call; of what the daemon does by itself a few plain words. */
  readonly call: string;
  /** The host that it is about; empty: all, none, or not known. */
  readonly host: string;
  /** JSON, bounded, without secrets. */
  readonly request: string;
}

export type AuditEvent =
  | ({ readonly kind: 'begun' } & AuditedAct)
  | ({
      readonly kind: 'ended';
      readonly of: number;
      readonly reason: string;
      readonly message: string;
    } & AuditedAnswer)
  /** `omitted`: how many more were refused in the minute before, which are not told one by one. */
  | ({
      readonly kind: 'refused';
      readonly reason: string;
      readonly message: string;
      readonly omitted: number;
    } & AuditedAct)
  /** By the daemon itself. */
  | ({ readonly kind: 'done'; readonly message: string } & AuditedAct)
  /** The daemon started; `torn`: the hash of what a crash left of the line before, else empty. */
  | { readonly kind: 'started'; readonly torn: string };

/** One line of the log. */
export interface AuditLine {
  readonly sequence: number;
  readonly at: Date;
  readonly hash: string;
  readonly event: AuditEvent;
}

/** Where the chain ends. */
export interface AuditHead {
  readonly sequence: number;
  /** SHA-256, hexadecimal; 64 zeros for an empty log. */
  readonly hash: string;
}

export interface AuditVerdict {
  readonly lines: number;
  readonly head: AuditHead;
  /** Pieces of lines that a crash left, and that the next start noted. */
  readonly torn: number;
  /** Null: the chain is whole. */
  readonly broken: { readonly file: string; readonly line: number; readonly problem: string } | null;
  /** Whether a line with the hash that was asked for is in it. */
  readonly hasNoted: boolean;
}

export interface AuditLog {
  readonly file: string;
  /** The last line; null as long as the log could not be read. */
  head(): AuditHead | null;
  /** Finds the end of the chain and writes that the daemon started, unless that was done. Throws as `append` does. */
  start(): Promise<void>;
  /** Writes a line and flushes it to the disk; answers its number. Throws what the system says; nothing is written then. */
  append(event: AuditEvent): Promise<number>;
  /** Reads the lines from the newest on; those that are no lines are left out. */
  newestFirst(): AsyncGenerator<AuditLine>;
  /** Reads all of it. `noted`: the hash of a line to look for, or empty. */
  verify(noted: string): Promise<AuditVerdict>;
}

export const emptyHead: AuditHead = { sequence: 0, hash: '0'.repeat(64) };

/** Who acts when nobody called. */
export const busyd: AuditedCaller = { name: 'busyd', role: '', address: '' };

export function auditedCaller({ name, role, address, proof, saidAddress }: Caller): AuditedCaller {
  return {
    name,
    role,
    address,
    ...(proof.kind === 'token' && { tokenId: proof.id }),
    ...(saidAddress !== undefined && { saidAddress }),
  };
}

/** Of what an answer has only these: the rest is not known to be without secrets, as a new token is not. */
export function describeAnswer(answer: unknown): AuditedAnswer {
  const { run, entry, trashId, token } = { ...(answer as AnswerParts | null) };
  const result = {
    ...(trashId && { trashId }),
    ...(entry && { host: entry.host, snapshot: entry.snapshot }),
    ...(token?.id && { tokenId: token.id, name: token.name }),
  };
  return {
    ...(run?.id && { runId: run.id }),
    ...(entry?.host && { host: entry.host }),
    ...(Object.keys(result).length > 0 && { result: JSON.stringify(result) }),
  };
}

interface AnswerParts {
  readonly run?: { readonly id?: string };
  readonly entry?: { readonly host?: string; readonly snapshot?: string };
  readonly trashId?: string;
  readonly token?: { readonly id?: string; readonly name?: string };
}

const longestRequest = 2000;
/** How much of lists and texts is shown; less of both until the whole is short enough. */
const measures = [
  { mostItems: 20, longestText: 200 },
  { mostItems: 10, longestText: 100 },
  { mostItems: 5, longestText: 60 },
  { mostItems: 1, longestText: 40 },
] as const;

/** Passwords stand in them, or may: commands of hosts often have some. */
const secretName = /password|passphrase|secret|token$|private|command$/i;

/** RevokeToken names a token so, by its name or id; a token itself is known by how it begins. */
const isTokenName = (name: string, value: unknown): boolean =>
  name === 'token' && typeof value === 'string' && !value.startsWith('busy_');

/** A request as JSON of bounded length, in which nothing secret is left; of long lists it says how long they are. */
export function describeRequest(request: object): string {
  let json = '';
  for (const measure of measures) {
    json = shorten(request, measure);
    if (json.length <= longestRequest) return json;
  }
  return `${json.slice(0, longestRequest)}...`;
}

function shorten(request: object, { mostItems, longestText }: (typeof measures)[number]): string {
  return JSON.stringify(request, (name, value: unknown) => {
    if (
      name !== '' &&
      secretName.test(name) &&
      !isTokenName(name, value) &&
      value !== '' &&
      value !== undefined &&
      value !== null
    )
      return '(not shown)';
    if (value instanceof Uint8Array) return `(${value.length} bytes)`;
    if (typeof value === 'string' && value.length > longestText) return `${value.slice(0, longestText)}...`;
    if (Array.isArray(value) && value.length > mostItems)
      return [...value.slice(0, mostItems), `and ${value.length - mostItems} more`];
    return typeof value === 'bigint' ? String(value) : value;
  });
}
