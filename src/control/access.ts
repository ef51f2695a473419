/** Says who calls, from what he shows. What he may do is decided in `authorization.ts`. */
import type { Caller, Role } from '../core/caller.js';
import { BusyError } from '../core/errors.js';
import { FailedLogins } from '../core/failed-logins.js';
import type { Clock } from '../core/ports.js';
import type { AccessSettings } from '../core/settings.js';
import { toCaller, type Tokens } from './tokens.js';

/** What is seen of whoever calls. */
export interface Approach {
  /** The full name of the call, such as `/busy.v1.HostService/ListHosts`. */
  readonly method: string;
  readonly way: 'unix' | 'tcp';
  /** His IP address; empty on a unix socket. */
  readonly address: string;
  /** For whom he says that he calls; absent: he says nothing. */
  readonly saidAddress?: string;
  /** The metadata `authorization`; empty when there is none. */
  readonly authorization: string;
  /** Whose chain of signatures was found good; null: none was shown. */
  readonly certificate: CallerCertificate | null;
}

export interface CallerCertificate {
  /** Its common name. */
  readonly name: string;
  readonly fingerprint: string;
  readonly expiresAt: Date;
}

export type Identification =
  | { readonly caller: Caller }
  /** The answer waits for so long. */
  | { readonly refusal: BusyError; readonly delayMs: number };

export interface AccessLog {
  warn(message: string, fields: Readonly<Record<string, unknown>>): void;
}

export interface AccessParts {
  readonly tokens: Pick<Tokens, 'find' | 'confirm' | 'refresh'>;
  /** As they are now. */
  readonly settings: () => AccessSettings;
  readonly clock: Clock;
  readonly log: AccessLog;
}

export class Access {
  readonly #parts: AccessParts;
  readonly #failed = new FailedLogins();
  /** Of those who could say who they were, by reason and name. */
  readonly #refused = new FailedLogins();

  constructor(parts: AccessParts) {
    this.#parts = parts;
  }

  /**
   * A token that is shown is what counts, also where nothing would be needed: whoever shows it wants to be no more than
   * it says. Throws DATABASE_UNAVAILABLE when no token is known yet.
   */
  async identify(approach: Approach): Promise<Identification> {
    const { authorization, certificate, way, address, method } = approach;
    try {
      if (authorization !== '') {
        const text = authorization.replace(/^bearer +/i, '');
        return { caller: toCaller(await this.#parts.tokens.find(text), address) };
      }
      if (certificate) return { caller: this.#callerOf(certificate, address) };
      if (way === 'unix') return { caller: socketCaller(this.#parts.settings().socketRole) };
      return { refusal: new BusyError('NOT_AUTHENTICATED', { method: shortName(method) }), delayMs: 0 };
    } catch (error) {
      if (!(error instanceof BusyError) || error.status !== 'UNAUTHENTICATED') throw error;
      if (error.reason === 'TOKEN_REFUSED') return { refusal: error, delayMs: this.#noteFailure(approach) };
      this.#noteRefusal(approach, error);
      return { refusal: error, delayMs: 0 };
    }
  }

  /** Reads what may have changed, before `confirm`. */
  refresh(): Promise<void> {
    return this.#parts.tokens.refresh();
  }

  /** Throws when a caller who was let in would not be now, for streams that stay open; as of the last `refresh`. */
  confirm({ proof, name, role, hosts, address }: Caller): void {
    if (proof.kind === 'token') return this.#parts.tokens.confirm(proof.id);
    if (proof.kind === 'socket') return;
    const now = this.#callerOf({ name, ...proof }, address);
    if (now.role !== role || !isSameSet(now.hosts, hosts))
      throw new BusyError('CERTIFICATE_UNKNOWN', { name });
  }

  #callerOf({ name, fingerprint, expiresAt }: CallerCertificate, address: string): Caller {
    const { certificates } = this.#parts.settings();
    const user = Object.hasOwn(certificates, name) ? certificates[name] : undefined;
    if (!user || expiresAt <= this.#parts.clock.now()) throw new BusyError('CERTIFICATE_UNKNOWN', { name });
    const proof = { kind: 'certificate', fingerprint, expiresAt } as const;
    return { name, role: user.role, hosts: user.hosts && new Set(user.hosts), proof, address };
  }

  /** A token that has expired, or a certificate that stands for nobody: genuine, so nothing is guessed. */
  #noteRefusal({ address, way, method }: Approach, { reason, facts: { name = '' } }: BusyError): void {
    const { count } = this.#refused.note(`${reason} ${name}`, this.#parts.clock.now());
    if (Number.isInteger(Math.log2(count)))
      this.#parts.log.warn('a caller is let in no more', {
        address: address || way,
        caller: name,
        reason,
        method,
        count,
      });
  }

  #noteFailure({ address, saidAddress, method, way }: Approach): number {
    const { delayMs, count } = this.#failed.note(address, this.#parts.clock.now());
    // Each doubling: the log must not be for strangers to fill.
    if (Number.isInteger(Math.log2(count)))
      this.#parts.log.warn('a wrong token was shown', {
        address: address || way,
        ...(saidAddress !== undefined && { saidAddress }),
        method,
        count,
      });
    return delayMs;
  }
}

function socketCaller(role: Role): Caller {
  return { name: 'socket', role, hosts: null, proof: { kind: 'socket' }, address: '' };
}

function isSameSet(a: ReadonlySet<string> | null, b: ReadonlySet<string> | null): boolean {
  if (a === null || b === null) return a === b;
  return a.size === b.size && [...a].every((host) => b.has(host));
}

/** `ListHosts` of `/busy.v1.HostService/ListHosts`. */
export function shortName(method: string): string {
  return method.slice(method.lastIndexOf('/') + 1);
}
