/** The trees of `npm run bench`, and what is done with each. */
import { join } from 'node:path';
import {
  largeFileCount,
  makeLargeFiles,
  makeMixedTree,
  makeSmallFiles,
  smallFileBytes,
  someSmallFile,
} from '../trees.js';
import { transferSection } from './transfer.js';

const mib = 2 ** 20;
const firstFull = [
  { to: 'rsync -a', limit: 1 },
  { to: 'rsnapshot', limit: 0.95 },
] as const;

const largeBytes = (isQuick: boolean): number => (isQuick ? 4 : 64) * mib;
const manyCount = (isQuick: boolean): number => (isQuick ? 1000 : 100_000);
const smallCount = (isQuick: boolean): number => (isQuick ? 500 : 30_000);
const mixedSizes = (isQuick: boolean): { files: number; mib: number } =>
  isQuick ? { files: 500, mib: 4 } : { files: 5000, mib: 24 };

export const large = transferSection({
  name: 'large',
  steps: ['full', 'unchanged', '1 % changed'],
  goals: { full: firstFull },
  describe: (isQuick) => `${largeFileCount} files of ${largeBytes(isQuick) / mib} MiB, random bytes`,
  bytes: (isQuick) => largeFileCount * largeBytes(isQuick),
  make: (directory, isQuick) => makeLargeFiles(directory, largeBytes(isQuick)),
});

export const small = transferSection({
  name: 'small',
  steps: ['full'],
  goals: { full: firstFull },
  describe: (isQuick) => `${smallCount(isQuick).toLocaleString('en')} files of 0.5 to 8 KiB`,
  bytes: (isQuick) => smallCount(isQuick) * smallFileBytes,
  make: (directory, isQuick) => makeSmallFiles(directory, smallCount(isQuick)),
});

export const many = transferSection({
  name: 'many',
  steps: ['unchanged'],
  goals: { unchanged: [{ to: 'rsnapshot', limit: 0.7 }] },
  describe: (isQuick) => `${manyCount(isQuick).toLocaleString('en')} files of 0.5 to 8 KiB`,
  bytes: (isQuick) => manyCount(isQuick) * smallFileBytes,
  make: (directory, isQuick) => makeSmallFiles(directory, manyCount(isQuick)),
});

export const mixed = transferSection({
  name: 'mixed',
  steps: ['full', '1 % changed', 'restore all', 'restore one file'],
  goals: {},
  oneFile: join('small', someSmallFile),
  describe: (isQuick) => {
    const { files, mib: size } = mixedSizes(isQuick);
    return `${files.toLocaleString('en')} small files and 3 of ${size} MiB (text, random, half of each)`;
  },
  bytes: (isQuick) => {
    const { files, mib: size } = mixedSizes(isQuick);
    return files * smallFileBytes + 3 * size * mib;
  },
  make: (directory, isQuick) => makeMixedTree(directory, mixedSizes(isQuick)),
});
