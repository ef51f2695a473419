/**
 * What verifications have found out, kept on the disk itself: `verification.json` beside the snapshot.json of each
 * snapshot, and `.verified.json` beside the snapshots of a host, with the times at which the parts of the rolling
 * scrub were read. The database only repeats it.
 */
import { readFile, rename } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import { escapePath, unescapePath } from '../core/byte-path.js';
import type { DifferenceKind } from '../core/manifest.js';
import { verifiedSince, type PartTimes } from '../core/scrub.js';
import type { VerifiedSnapshot } from '../core/verification.js';
import type { DamagedFile } from './comparison.js';
import { writeFresh } from './fresh-file.js';

const fileName = 'verification.json';
const partsName = '.verified.json';

export interface SnapshotVerification {
  /** When it was last verified as a whole. */
  readonly verifiedAt: Date | null;
  /** May be fewer than there are. */
  readonly damaged: readonly DamagedFile[];
  readonly damagedFileCount: number;
}

interface Json {
  readonly verifiedAt: string | null;
  readonly damagedFileCount: number;
  readonly damaged: readonly { path: string; inode: string; kind: DifferenceKind; part: number }[];
}

const nothingKnown: SnapshotVerification = { verifiedAt: null, damaged: [], damagedFileCount: 0 };

/** What is known of a snapshot; nothing when that cannot be read. */
export async function readVerification(directory: string): Promise<SnapshotVerification> {
  const json = await readJson<Json>(join(directory, fileName));
  if (!json || !Array.isArray(json.damaged)) return nothingKnown;
  return {
    verifiedAt: json.verifiedAt === null ? null : new Date(json.verifiedAt),
    damaged: json.damaged.map((file) => ({ ...file, path: unescapePath(file.path) })),
    damagedFileCount: json.damagedFileCount,
  };
}

/** Throws what the file system says. */
export async function writeVerification(directory: string, found: SnapshotVerification): Promise<void> {
  const damaged = found.damaged.map((file) => ({ ...file, path: escapePath(file.path) }));
  await replaceJson(join(directory, fileName), { version: 1, ...found, damaged });
}

/** When the parts of a host's snapshots were read; empty when that cannot be read. */
export async function readPartTimes(store: string): Promise<PartTimes> {
  const json = await readJson<{ parts: Record<string, string> }>(join(store, partsName));
  return new Map(Object.entries(json?.parts ?? {}).map(([part, time]) => [Number(part), new Date(time)]));
}

/** Throws what the file system says. */
export async function writePartTimes(store: string, times: PartTimes): Promise<void> {
  await replaceJson(join(store, partsName), { version: 1, parts: Object.fromEntries(times) });
}

/** What is known of a snapshot, all told. */
export async function verificationState(directory: string, committedAt: Date): Promise<VerifiedSnapshot> {
  const [own, times] = [await readVerification(directory), await readPartTimes(dirname(directory))];
  return {
    name: basename(directory),
    verifiedAt: verifiedSince(committedAt, own.verifiedAt, times),
    damagedFileCount: own.damagedFileCount,
  };
}

async function readJson<T>(file: string): Promise<T | null> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as T;
  } catch {
    return null;
  }
}

/** Never seen half written, also after the power has failed. */
async function replaceJson(file: string, value: object): Promise<void> {
  const temporary = `${file}.new`;
  await writeFresh(temporary, `${JSON.stringify(value, null, 2)}\n`, { flush: true });
  await rename(temporary, file);
}
