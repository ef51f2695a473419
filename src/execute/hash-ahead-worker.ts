/** Entry of the thread that hashes files as they are copied; see `hash-ahead.ts`. */
import { closeSync, fstatSync, lstatSync, realpathSync } from 'node:fs';
import { setImmediate, setTimeout as delay } from 'node:timers/promises';
import { parentPort, receiveMessageOnPort } from 'node:worker_threads';
import type { BytePath } from '../core/byte-path.js';
import { hashOpenFile } from './file-hash.js';
import type { AheadAnswer, AheadOrder } from './hash-ahead.js';
import { HashedFiles } from './hashed-files.js';
import { openPlainFile } from './plain-file.js';
import { codeOf, diskPath } from './tree-walk.js';

interface Backup {
  readonly files: HashedFiles;
  readonly isOver: Int32Array;
  /** The data of its snapshot, without a link on the way. */
  readonly root: BytePath;
  /** The device of its data: nothing else is read, wherever a link may lead. */
  readonly device: bigint;
  /** How many files were named, and the last of them that was found. */
  named: number;
  lastFound: number;
}

interface Waiting {
  readonly id: number;
  readonly number: number;
  readonly path: BytePath;
}

/** For some 50 MB in all; the files of a larger backup are read for the manifest. */
const mostFiles = 500_000;
/** rsync names a file before it sends it, and one on the host names it while much is still on the way. */
const lookAgainMs = 50;
/** Fewer are on the way: one before so many that are there will not come. */
const mostOnTheWay = 1000;

const backups = new Map<number, Backup>();
let queue: Waiting[] = [];
let isWorking = false;
/** The backup whose file is being hashed. It ends, if that is wanted, after this file. */
let beingRead: number | null = null;
let isEndWanted = false;

parentPort?.on('message', hear);

function hear(order: AheadOrder): void {
  const { backup: id } = order;
  if (order.kind === 'begin') {
    begin(order);
    return;
  }
  const backup = backups.get(id);
  if (order.kind === 'end') {
    if (id === beingRead) isEndWanted = true;
    else end(id);
    return;
  }
  if (!backup) return;
  for (const path of order.paths) queue.push({ id, number: backup.named++, path });
  if (!isWorking) void work();
}

/** In the middle of a file, which may take hours: nothing of another backup waits for it. */
function hearWhatCame(): void {
  if (!parentPort) return;
  for (;;) {
    const came = receiveMessageOnPort(parentPort);
    if (!came) return;
    hear(came.message as AheadOrder);
  }
}

function end(id: number): void {
  const files = backups.get(id)?.files ?? new HashedFiles();
  backups.delete(id);
  answer({ kind: 'hashed', backup: id, files: files.toShared() });
}

function begin({ backup, root: data, isOver }: Extract<AheadOrder, { kind: 'begin' }>): void {
  const files = new HashedFiles();
  try {
    const root = realPath(data);
    const { dev: device } = lstatSync(diskPath(root, '/'), { bigint: true });
    backups.set(backup, { files, isOver, root, device, named: 0, lastFound: 0 });
  } catch {
    // It has been removed already.
  }
}

function realPath(path: BytePath): BytePath {
  return realpathSync.native(Buffer.from(path, 'latin1'), { encoding: 'latin1' });
}

/** One file after the other, as they come. */
async function work(): Promise<void> {
  isWorking = true;
  while (queue.length > 0) {
    const round = queue;
    const notThere: Waiting[] = [];
    queue = [];
    for (const file of round) {
      if (dealWith(file)) answer({ kind: 'dealtWith', backup: file.id });
      else notThere.push(file);
      await setImmediate();
    }
    const isNothingNew = queue.length === 0 && notThere.length === round.length;
    queue = [...notThere, ...queue];
    if (isNothingNew) await delay(lookAgainMs);
  }
  isWorking = false;
}

/** Whether nothing is left to do about it; else it is not there yet. */
function dealWith({ id, number, path }: Waiting): boolean {
  const backup = backups.get(id);
  if (!backup || isGivenUp(backup) || backup.files.size >= mostFiles) return true;
  let file: number | null = null;
  try {
    file = openPlainFile(backup.root + path, backup.device);
    backup.lastFound = Math.max(backup.lastFound, number);
    if (file === null) return true;
    const before = fstatSync(file, { bigint: true });
    beingRead = id;
    const { hash, bytes } = hashOpenFile(file, () => {
      hearWhatCame();
      if (isGivenUp(backup)) throw new Error('over');
    });
    const after = fstatSync(file, { bigint: true });
    const isStill = after.size === BigInt(bytes) && after.mtimeNs === before.mtimeNs;
    if (isStill) backup.files.add(after, hash);
    return true;
  } catch (error) {
    return codeOf(error) !== 'ENOENT' || backup.lastFound - number >= mostOnTheWay;
  } finally {
    if (file !== null) closeSync(file);
    beingRead = null;
    if (isEndWanted) end(id);
    isEndWanted = false;
  }
}

function isGivenUp(backup: Backup): boolean {
  return Atomics.load(backup.isOver, 0) !== 0;
}

function answer(message: AheadAnswer): void {
  parentPort?.postMessage(message, []);
}
