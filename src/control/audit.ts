/**
 * Keeps the audit log. A call that changes something is refused when it cannot be written down. What the daemon removes
 * by the rules of the administrator goes on even then, since it may be what makes room for the log: such lines are kept
 * in memory and written first when it can be written again.
 */
import {
  auditedCaller,
  busyd,
  describeAnswer,
  describeRequest,
  type AuditedAct,
  type AuditedCaller,
  type AuditEvent,
  type AuditLog,
} from '../core/audit.js';
import type { Caller } from '../core/caller.js';
import { BusyError, toBusyError } from '../core/errors.js';
import { permissions, textOf } from '../core/permissions.js';
import type { Clock } from '../core/ports.js';
import { shortName } from './access.js';

/** A call that changes something. */
export interface AuditedCall {
  readonly method: string;
  readonly request: object;
  readonly caller: Caller;
}

export interface AuditParts {
  readonly log: AuditLog;
  readonly clock: Clock;
  /** The host of a run; empty when it is not known. Never throws. */
  readonly hostOfRun: (id: string) => Promise<string>;
  readonly onError: (message: string, error: unknown) => void;
}

/** So many refused calls a minute are told one by one: strangers must not be able to fill the disk. */
const mostRefusals = 60;
const minuteMs = 60_000;
const mostKept = 1000;

/** Characters of a host in a line. */
const longestHost = 200;

export class Audit {
  private readonly kept: AuditEvent[] = [];
  private minute = { since: 0, refusals: 0, omitted: 0 };

  constructor(private readonly parts: AuditParts) {}

  /** The daemon started. Never throws: without the log it still backs up. */
  async start(): Promise<void> {
    await this.parts.log.start().catch((error: unknown) => this.complain(error));
  }

  /**
   * Writes down that a call is about to be carried out. What it answers is to be told how it ended: null for well,
   * and then what was answered. Throws
   * AUDIT_UNAVAILABLE; the call must not be carried out then.
   */
  async begin(call: AuditedCall): Promise<(error: unknown, answer?: unknown) => Promise<void>> {
    const act = await this.actOf(call);
    const of = await this.write({ kind: 'begun', ...act }).catch((error: unknown) => {
      const detail = error instanceof Error ? error.message : String(error);
      throw new BusyError('AUDIT_UNAVAILABLE', { call: act.call, file: this.parts.log.file, detail });
    });
    return (error, answer) =>
      this.keep({ kind: 'ended', of, ...outcomeOf(error), ...describeAnswer(answer) });
  }

  /** Writes down that a call was refused to somebody who could say who he is. Never throws. */
  async refuse(call: AuditedCall, error: unknown): Promise<void> {
    await this.refused(await this.actOf(call), error);
  }

  /** The same of a call that was turned away before its request was read. Never throws. */
  async turnAway(
    method: string,
    { address, saidAddress }: Pick<AuditedCaller, 'address' | 'saidAddress'>,
    error: unknown,
  ): Promise<void> {
    // An expired token, or a certificate that stands for nobody, still says whose it was.
    const { name: ownName = '', caller: name = ownName, role = '' } = toBusyError(error).facts;
    const caller = { name, role, address, ...(saidAddress !== undefined && { saidAddress }) };
    await this.refused({ caller, call: shortName(method), host: '', request: '' }, error);
  }

  /** Writes down what the daemon did, or is about to do, by itself. Never throws. */
  async note(what: string, host: string, facts: Readonly<Record<string, string>>): Promise<void> {
    const { message = '', ...request } = facts;
    await this.keep({
      kind: 'done',
      caller: busyd,
      call: what,
      host,
      request: describeRequest(request),
      message,
    });
  }

  private async refused(act: AuditedAct, error: unknown): Promise<void> {
    const now = this.parts.clock.now().getTime();
    if (now - this.minute.since >= minuteMs)
      this.minute = { since: now, refusals: 0, omitted: this.minute.omitted };
    this.minute.refusals += 1;
    if (this.minute.refusals > mostRefusals) {
      this.minute.omitted += 1;
      return;
    }
    const { omitted } = this.minute;
    this.minute.omitted = 0;
    await this.keep({ kind: 'refused', ...act, ...outcomeOf(error), omitted });
  }

  private async keep(event: AuditEvent): Promise<void> {
    this.kept.push(event);
    await this.writeKept().catch((error: unknown) => {
      this.complain(error);
      if (this.kept.length > mostKept) this.kept.shift();
    });
  }

  private complain(error: unknown): void {
    this.parts.onError('the audit log cannot be written; what changes something is refused meanwhile', error);
  }

  private async write(event: AuditEvent): Promise<number> {
    await this.writeKept();
    return this.parts.log.append(event);
  }

  private async writeKept(): Promise<void> {
    for (let event = this.kept.shift(); event !== undefined; event = this.kept.shift()) {
      try {
        await this.parts.log.append(event);
      } catch (error) {
        this.kept.unshift(event);
        throw error;
      }
    }
  }

  private async actOf({ method, request, caller }: AuditedCall): Promise<AuditedAct> {
    return {
      caller: auditedCaller(caller),
      call: shortName(method),
      // A name that is too long is no host's.
      host: (await this.hostOf(method, request)).slice(0, longestHost),
      request: describeRequest(request),
    };
  }

  private async hostOf(method: string, request: object): Promise<string> {
    const rule = permissions[method]?.hosts;
    if (typeof rule === 'object') {
      const named = textOf(request, rule.host);
      const run = textOf(request, rule.run);
      return named !== '' || run === '' ? named : this.parts.hostOfRun(run);
    }
    if (method.startsWith('/busy.v1.HostService/')) return textOf(request, 'name');
    return textOf(request, 'host');
  }
}

function outcomeOf(error: unknown): { readonly reason: string; readonly message: string } {
  if (error === null) return { reason: '', message: '' };
  const { reason, message } = toBusyError(error);
  return { reason, message: message.slice(0, 500) };
}
