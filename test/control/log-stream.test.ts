import { appendFile } from 'node:fs/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { LogGrowth, streamLog, type LogBatch, type LogSources } from '../../src/control/log-stream.js';
import { BusyError } from '../../src/core/errors.js';
import type { RunState } from '../../src/core/run.js';
import { ControlBed } from '../helpers/control-bed.js';
import { runId, sampleRun } from '../store/samples.js';

const id = runId(1);

let bed: ControlBed;
let state: RunState;
let sources: LogSources;
let stop: AbortController;
beforeEach(async () => {
  bed = await ControlBed.open();
  state = 'RUNNING';
  stop = new AbortController();
  const { logs, growth } = bed.parts;
  const getRun: LogSources['getRun'] = (asked) =>
    asked === id
      ? Promise.resolve(sampleRun(1, { state }))
      : Promise.reject(new BusyError('RUN_NOT_FOUND', { run: asked }));
  sources = { logs, growth, getRun };
});
afterEach(async () => {
  stop.abort();
  await bed.close();
});

async function say(text: string): Promise<void> {
  await bed.parts.logs.append(id, text);
  bed.parts.growth.grew(id);
}

async function sayMuch(name: string): Promise<void> {
  for (let count = 0; count < 200; count++) await say(`${name} ${count} ${'x'.repeat(count * 3)}`);
}

function endRun(): void {
  state = 'SUCCEEDED';
  bed.parts.growth.grew(id);
}

function open(follow: boolean, offset = 0, from: LogSources = sources): AsyncGenerator<LogBatch> {
  return streamLog(from, { runId: id, offset, follow }, stop.signal);
}

async function batchesOf(stream: AsyncIterable<LogBatch>): Promise<LogBatch[]> {
  const batches: LogBatch[] = [];
  for await (const batch of stream) batches.push(batch);
  return batches;
}

/** The lines without their times. */
async function textsOf(stream: AsyncIterable<LogBatch>): Promise<string[]> {
  const batches = await batchesOf(stream);
  return batches.flatMap(({ lines }) => lines).map((line) => line.slice(line.indexOf(' ') + 1));
}

describe('without follow', () => {
  it('ends at the present end, also while the run runs', async () => {
    await say('one');
    await say('two');
    expect(await textsOf(open(false))).toEqual(['one', 'two']);
  });

  it('is empty for a run that has said nothing', async () => {
    expect(await textsOf(open(false))).toEqual([]);
  });

  it('goes on from an offset that was answered', async () => {
    await say('one');
    const [first] = await batchesOf(open(false));
    expect(first?.offset).toBe(0);
    await say('two');
    const rest = await batchesOf(open(false, first?.nextOffset));
    expect(rest).toMatchObject([{ offset: first?.nextOffset, lines: [expect.stringMatching(/ two$/)] }]);
  });

  it('refuses an offset behind the end, and a run that is not there', async () => {
    await say('one');
    await expect(textsOf(open(false, 1000))).rejects.toMatchObject({ reason: 'OFFSET_OUT_OF_RANGE' });
    const other = { runId: runId(2), offset: 0, follow: true };
    await expect(textsOf(streamLog(sources, other, stop.signal))).rejects.toMatchObject({
      reason: 'RUN_NOT_FOUND',
    });
  });
});

describe('with follow', () => {
  it('gives each line as it comes, and ends with the run', async () => {
    const stream = open(true);
    for (const text of ['one', 'two', 'three']) {
      const coming = stream.next();
      await say(text);
      expect((await coming).value).toMatchObject({ lines: [expect.stringMatching(new RegExp(` ${text}$`))] });
    }
    const end = stream.next();
    endRun();
    expect(await end).toEqual({ value: undefined, done: true });
  });

  it('gives a last line without line end when the run has ended, not before', async () => {
    await appendFile(bed.parts.logs.path(id), 'whole line\nhalf');
    const stream = open(true);
    expect((await stream.next()).value).toMatchObject({ lines: ['whole line'], nextOffset: 11 });
    const rest = stream.next();
    endRun();
    expect((await rest).value).toMatchObject({ offset: 11, lines: ['half'] });
    expect((await stream.next()).done).toBe(true);
  });

  it('ends when it is aborted, while it waits and before it starts', async () => {
    const waiting = open(true).next();
    stop.abort();
    expect((await waiting).done).toBe(true);
    expect((await open(true).next()).done).toBe(true);
  });

  it('loses no line that comes between the look at the file and the wait', async () => {
    let late = ['late one', 'late two'];
    const read: LogSources['logs']['read'] = async (...args) => {
      const chunk = await bed.parts.logs.read(...args);
      const [text, ...rest] = late;
      if (chunk.lines.length === 0 && text !== undefined) {
        late = rest;
        await say(text);
      }
      return chunk;
    };
    const stream = open(true, 0, { ...sources, logs: { ...bed.parts.logs, read } });
    expect((await stream.next()).value).toMatchObject({ lines: [expect.stringMatching(/ late one$/)] });
    expect((await stream.next()).value).toMatchObject({ lines: [expect.stringMatching(/ late two$/)] });
  });

  it('loses no last line when the run ends between the two looks', async () => {
    const getRun: LogSources['getRun'] = async (asked) => {
      const run = await sources.getRun(asked);
      if (state === 'RUNNING') {
        await bed.parts.logs.append(id, 'ended: SUCCEEDED');
        endRun();
      }
      return run;
    };
    expect(await textsOf(open(true, 0, { ...sources, getRun }))).toEqual(['ended: SUCCEEDED']);
  });

  it('gives several readers all lines once and in order, while two writers write', async () => {
    const readers = Array.from({ length: 5 }, () => textsOf(open(true)));
    await Promise.all([sayMuch('a'), sayMuch('b')]);
    endRun();
    const whole = await textsOf(open(false));
    expect(whole).toHaveLength(400);
    for (const read of await Promise.all(readers)) expect(read).toEqual(whole);
  });
});

describe('LogGrowth', () => {
  it('wakes those who waited for this log, once', async () => {
    const growth = new LogGrowth();
    const woken: string[] = [];
    const note = (name: string, waited: Promise<void>): Promise<void> =>
      waited.then(() => void woken.push(name));
    const waits = [note('a1', growth.next('a')), note('a2', growth.next('a'))];
    void note('b', growth.next('b'));
    growth.grew('a');
    void note('a3', growth.next('a'));
    growth.grew('never asked');
    await Promise.all(waits);
    expect(woken).toEqual(['a1', 'a2']);
  });
});
