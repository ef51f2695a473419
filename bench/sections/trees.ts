/** The trees of `npm run bench`, and what is done with each. */
import { join } from 'node:path';
import type { SizeOptions } from '../options.js';
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

const largeFileMiB = ({ largeMiB }: SizeOptions): number => largeMiB / largeFileCount;
const manyCount = ({ isQuick }: SizeOptions): number => (isQuick ? 1000 : 100_000);
const mixedSizes = ({ isQuick }: SizeOptions): { files: number; mib: number } =>
  isQuick ? { files: 500, mib: 4 } : { files: 5000, mib: 24 };

export const large = transferSection({
  name: 'large',
  steps: ['full', 'unchanged', '1 % changed'],
  goals: { full: firstFull },
  hasOthersOnce: true,
  describe: (sizes) => `${largeFileCount} files of ${largeFileMiB(sizes)} MiB, random bytes`,
  bytes: ({ largeMiB }) => largeMiB * mib,
  make: (directory, sizes) => makeLargeFiles(directory, largeFileMiB(sizes) * mib),
});

export const many = transferSection({
  name: 'many',
  steps: ['full', 'unchanged', '1 % changed'],
  goals: { full: firstFull, unchanged: [{ to: 'rsnapshot', limit: 0.7 }] },
  hasOthersOnce: true,
  describe: (sizes) => `${manyCount(sizes).toLocaleString('en')} files of 0.5 to 8 KiB`,
  bytes: (sizes) => manyCount(sizes) * smallFileBytes,
  make: (directory, sizes) => makeSmallFiles(directory, manyCount(sizes)),
});

export const mixed = transferSection({
  name: 'mixed',
  steps: ['full', 'unchanged', '1 % changed', 'restore all', 'restore one file'],
  goals: {},
  hasOthersOnce: false,
  oneFile: join('small', someSmallFile),
  describe: (sizes) => {
    const { files, mib: size } = mixedSizes(sizes);
    return `${files.toLocaleString('en')} small files and 3 of ${size} MiB (text, random, half of each)`;
  },
  bytes: (sizes) => {
    const { files, mib: size } = mixedSizes(sizes);
    return files * smallFileBytes + 3 * size * mib;
  },
  make: (directory, sizes) => makeMixedTree(directory, mixedSizes(sizes)),
});
