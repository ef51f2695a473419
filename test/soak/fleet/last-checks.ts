/** At the end of a soak: BUSY's own checks of all that it has, and what a new daemon finds. */
import { join } from 'node:path';
import { AuditServiceService } from '../../../src/gen/busy/v1/audit_service.js';
import { RunState } from '../../../src/gen/busy/v1/run.js';
import { SnapshotServiceService } from '../../../src/gen/busy/v1/snapshot_service.js';
import { Disagreement, refuse } from '../disagreement.js';
import type { Calm, CalmParts } from './calm.js';

/** Begins and ends with a daemon that runs, is paused and at rest. Answers what was found, in words. */
export async function checkAtEnd(parts: CalmParts, calm: Calm): Promise<string[]> {
  const { world, disk } = parts;
  disk.compareAll();
  const verified = await verifyAll(parts);
  const audit = await verifyAudit(parts);
  const doctor = await world.bed.busy(['doctor']);
  if (doctor.code !== 0)
    throw new Disagreement(`busy doctor ends with ${doctor.code}: ${doctor.stdout}${doctor.stderr}`);
  await world.daemonTurn.runExclusive(async () => {
    const code = await world.stopDaemon('SIGTERM');
    if (code !== 0) throw new Disagreement(`the daemon ended with ${code}`);
    const reindex = await world.bed.busyd(['reindex', '--config', world.bed.configFile, '--dry-run']);
    const wrong = reindex.stdout
      .split('\n')
      .filter((line) => / added, /.test(line) && !/: 0 added, 0 corrected, 0 removed, /.test(line));
    refuse('busyd reindex finds other snapshots than are on record', wrong);
    if (reindex.code !== 0)
      throw new Disagreement(`busyd reindex ends with ${reindex.code}: ${reindex.stderr}`);
    const chain = await world.bed.busyd(['audit-verify', join(world.bed.directory, 'state')]);
    if (chain.code !== 0) throw new Disagreement(`busyd audit-verify: ${chain.stdout}${chain.stderr}`);
    await world.startDaemon();
  });
  await calm.checkRecords();
  return [verified, audit];
}

async function verifyAll({ world, api }: CalmParts): Promise<string> {
  let entries = 0;
  let snapshots = 0;
  for (const host of world.hosts) {
    const request = { host: host.name, name: '', requestId: '' };
    const { run } = await api.ask(SnapshotServiceService.verifySnapshot, request);
    const ended = await world.bed.waitForRun(run?.id ?? '');
    const { state, verification, error } = ended;
    if (state !== RunState.SUCCEEDED)
      throw new Disagreement(`the verification of ${host.name} is ${RunState[state]}: ${error?.message}`);
    const count = verification?.snapshots.length ?? 0;
    if (count !== host.snapshots.size)
      throw new Disagreement(`of ${host.name} ${count} of ${host.snapshots.size} snapshots were verified`);
    snapshots += count;
    entries += verification?.entries ?? 0;
  }
  return `${snapshots} snapshots with ${entries} entries were verified: all sound`;
}

async function verifyAudit({ api }: CalmParts): Promise<string> {
  const { isWhole, problem, lines, tornLines } = await api.ask(AuditServiceService.verifyAudit, {
    notedHash: '',
  });
  if (!isWhole) throw new Disagreement(`the audit log is broken: ${problem}`);
  return `the chain of ${lines} audit lines is whole (${tornLines} torn by crashes)`;
}
