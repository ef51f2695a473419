/** Restores the chosen entries of a snapshot into a scratch directory, by rsync, as a restore does. */
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { BusyError } from '../core/errors.js';
import type { DrillTask } from '../core/executor-port.js';
import type { RunLogFile } from './run-log-file.js';
import type { DiskMeter } from './disk-meter.js';
import { beIdle } from './disk-thread.js';
import { describeEnding, startProcess } from './process.js';
import { LineSplitter } from './rsync-output.js';

export interface DrillRestore {
  readonly task: DrillTask;
  readonly signal: AbortSignal;
  readonly log: RunLogFile;
  /** The data of the snapshot. */
  readonly source: string;
  readonly namesFile: string;
  readonly restored: string;
}

/** Everything that a restore brings back. */
const options = ['-aHAXS', '--numeric-ids', '--from0', '--files-from=-', '--out-format=%l'];
/** Some files could not be read, or vanished: the comparison will name them. */
const partialCodes = [23, 24];
const mostSaid = 1000;

/** Throws DRILL_BROKEN, CANCELLED, or an Error when the disk is full. */
export async function restoreForDrill(
  { task, signal, log, source, namesFile, restored }: DrillRestore,
  meter: DiskMeter,
): Promise<void> {
  const args = ['-n', '19', 'rsync', ...options, '--', `${source}/`, `${restored}/`];
  const rsync = startProcess('nice', args, signal);
  if (rsync.pid !== null) beIdle(String(rsync.pid), 'group');
  const complaints = new LineSplitter();
  let last = '';
  let said = 0;
  const hear = (lines: readonly string[]): void => {
    for (const line of lines) {
      last = line;
      if (said++ < mostSaid) log.say(`rsync: ${Buffer.from(line, 'latin1').toString('utf8')}`);
    }
  };
  rsync.stderr.on('data', (bytes: Buffer) => hear(complaints.feed(bytes)));
  const sizes = new LineSplitter();
  rsync.stdout.on('data', (bytes: Buffer) => {
    for (const size of sizes.feed(bytes)) meter.add({ entries: 1, bytes: Number(size), current: '' });
  });
  // One that ends early tells why by its end.
  await pipeline(createReadStream(namesFile), rsync.stdin).catch(() => {});
  const ending = await rsync.ended;
  hear(complaints.end());
  if (signal.aborted) throw new BusyError('CANCELLED');
  if (ending.code === 0 || partialCodes.includes(ending.code ?? -1)) return;
  if (ending.code === 11 && /No space left on device/.test(last)) throw new Error('No space left on device');
  const detail = `rsync ended with ${describeEnding(ending)}${last === '' ? '' : `: ${last}`}`;
  throw new BusyError('DRILL_BROKEN', { host: task.host.name, snapshot: task.snapshot.name, detail });
}
