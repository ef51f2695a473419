/** What every OutboxStore must do, whatever database is behind it. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { newAlertState, type AlertState } from '../../src/core/alerts.js';
import type { Mail, OutboxStore } from '../../src/core/mail.js';
import { largest, runId } from './samples.js';

export interface OpenOutboxStore {
  readonly outbox: OutboxStore;
  close(): Promise<void>;
}

const first = new Date(1_795_000_000_001);
const later = new Date(1_795_000_060_002);

export function outboxStoreContract(open: () => Promise<OpenOutboxStore>): void {
  let opened: OpenOutboxStore;
  let outbox: OutboxStore;
  beforeEach(async () => {
    opened = await open();
    outbox = opened.outbox;
  });
  afterEach(() => opened.close());

  it('keeps a mail as it was written, due at once', async () => {
    await outbox.recordAlert(state('web1'), [sampleMail(1)]);
    expect(await outbox.due(first)).toStrictEqual([{ ...sampleMail(1), attempts: 0, nextAttemptAt: first }]);
    expect(await outbox.due(new Date(first.getTime() - 1))).toEqual([]);
    expect(await outbox.count()).toBe(1);
  });

  it('keeps and replaces the state of a host, every field', async () => {
    const full: AlertState = {
      host: 'web1',
      watchedSince: first,
      failingSince: first,
      failureCount: 12,
      lastFailureAt: later,
      failureToldAt: later,
      untoldRunId: runId(3),
      heldToldAt: later,
      archiveToldAt: new Date('2026-11-22T10:00:00.250Z'),
      overdueToldAt: later,
      revision: largest,
    };
    await outbox.recordAlert(full, []);
    await outbox.recordAlert(state('web2'), []);
    expect(byHost(await outbox.alertStates())).toStrictEqual([full, state('web2')]);
    await outbox.recordAlert(state('web1'), []);
    expect(byHost(await outbox.alertStates())).toStrictEqual([state('web1'), state('web2')]);
  });

  it('keeps state and mails both or neither', async () => {
    await outbox.recordAlert(state('web1'), [sampleMail(1)]);
    const changed = { ...state('web1'), failureCount: 5 };
    await expect(outbox.recordAlert(changed, [sampleMail(2), sampleMail(1)])).rejects.toThrow(/refused/);
    await expect(outbox.recordDigest(later, [sampleMail(3), sampleMail(1)])).rejects.toThrow(/refused/);
    expect(await outbox.alertStates()).toStrictEqual([state('web1')]);
    expect(idsOf(await outbox.due(later))).toEqual([runId(1)]);
    expect(await outbox.digestMark()).toBeNull();
  });

  it('keeps what 40 parallel writers wrote, each whole', async () => {
    const writers = Array.from({ length: 40 }, (_, index) =>
      outbox.recordAlert({ ...state(`web${index % 4}`), failureCount: index }, [sampleMail(index)]),
    );
    await Promise.all(writers);
    expect(await outbox.alertStates()).toHaveLength(4);
    expect(idsOf(await outbox.due(later))).toEqual(Array.from({ length: 40 }, (_, index) => runId(index)));
  });

  it('postpones and removes one mail and only that', async () => {
    await outbox.recordDigest(first, [sampleMail(2), sampleMail(1), sampleMail(3)]);
    expect(idsOf(await outbox.due(first))).toEqual([runId(1), runId(2), runId(3)]);
    await outbox.postpone(runId(2), 7, later);
    await outbox.remove(runId(3));
    await outbox.remove(runId(3));
    expect(idsOf(await outbox.due(first))).toEqual([runId(1)]);
    expect(await outbox.due(later)).toMatchObject([{ attempts: 0 }, { attempts: 7, nextAttemptAt: later }]);
  });

  it('keeps when the newest digest was due', async () => {
    expect(await outbox.digestMark()).toBeNull();
    await outbox.recordDigest(first, []);
    await outbox.recordDigest(later, []);
    expect(await outbox.digestMark()).toStrictEqual(later);
  });
}

function state(host: string): AlertState {
  return newAlertState(host, first, 0);
}

function sampleMail(number: number): Mail {
  const text = 'Größe: 😀\n"quoted"; DROP TABLE outbox; --\n';
  return { id: runId(number), recipient: 'root', subject: `[busy] zoë: ${number}`, text, createdAt: first };
}

function byHost(states: readonly AlertState[]): AlertState[] {
  return [...states].sort((a, b) => (a.host < b.host ? -1 : 1));
}

function idsOf(mails: readonly Mail[]): string[] {
  return mails.map(({ id }) => id);
}
