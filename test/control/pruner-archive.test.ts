import { expect, test } from 'vitest';
import { Pruner } from '../../src/control/pruner.js';
import { ControlBed } from '../helpers/control-bed.js';
import { presentDisk } from '../helpers/present-disk.js';
import { sampleHost } from '../helpers/sample-host.js';
import { sampleRun, sampleSnapshot } from '../rpc/samples.js';

test('what somebody has asked to archive is spared until that has ended', async () => {
  const bed = await ControlBed.open();
  const { catalog } = bed.parts;
  const keep = { last: 1, daily: 0, weekly: 0, monthly: 0, yearly: 0 };
  const [oldest, ...others] = ['2026-11-01_20-00-05f', '2026-11-02_20-00-05i', '2026-11-03_20-00-05f'];
  catalog.replaceHosts([sampleHost({ keep })]);
  for (const name of [oldest, ...others]) await catalog.record(sampleSnapshot('web1', name));
  const runs = [{ run: sampleRun(1, { kind: 'archive', host: 'web1', snapshot: oldest }) }];
  const pruner = new Pruner({
    ...bed.parts,
    lifecycle: { activeRuns: () => runs as never, failuresAgainstExpiry: () => 0 },
    audit: { note: () => Promise.resolve() },
    disk: presentDisk,
    log: { info: () => {}, warn: () => {}, error: () => {} },
  });
  const left = (): string[] => catalog.snapshots('web1').map(({ name }) => name);

  const { verdicts } = await pruner.prune('web1');
  const reason = `it is being archived (run ${runs[0]?.run.id})`;
  expect(verdicts.at(-1)).toMatchObject({ snapshot: { name: oldest }, isKept: true, reason });
  expect(left()).toEqual([others[1], oldest]);
  runs.pop();
  await pruner.prune('web1');
  expect(left()).toEqual([others[1]]);
  await pruner.stop(AbortSignal.abort());
  await bed.close();
});
