/** Sizes in the configuration: how they are read, and how the settings in effect show them. */
import type { MinFree } from '../core/space.js';
import { quoted } from './quoted.js';
import type { Reading } from './values.js';

const units = ['T', 'G', 'M', 'K'] as const;
const factors: Readonly<Record<(typeof units)[number], number>> = {
  K: 1024,
  M: 1024 ** 2,
  G: 1024 ** 3,
  T: 1024 ** 4,
};
const mostPercent = 90;

/** A size, a share of the disk, or 0. A number alone is refused: whether gigabytes were meant or percent is open. */
export function readMinFree(text: string): Reading<MinFree> {
  const percent = /^(\d{1,2}(?:\.\d+)?)\s*%$/.exec(text)?.[1];
  if (percent === undefined) {
    const size = readSize(text);
    return 'wrong' in size ? size : { value: { unit: 'bytes', amount: size.value } };
  }
  const amount = Number(percent);
  return amount > mostPercent ? { wrong: `is ${quoted(text)}` } : { value: { unit: 'percent', amount } };
}

/** What the daemon keeps for itself, in bytes. */
export function readReserve(text: string): Reading<number> {
  const size = readSize(text);
  if ('wrong' in size || size.value === 0) return size;
  const isInRange = size.value >= 1024 ** 2 && size.value <= 1024 ** 3;
  return isInRange ? size : { wrong: `is ${quoted(text)}, which is out of range` };
}

/** What a host may fill, in bytes; 0: as much as it likes. */
export function readQuota(text: string): Reading<number> {
  return readSize(text);
}

/** What an rsync may address, in bytes. With less it does not even start. */
export function readRsyncMemory(text: string): Reading<number> {
  const size = readSize(text);
  if ('wrong' in size || size.value === 0 || size.value >= 256 * 1024 ** 2) return size;
  return { wrong: `is ${quoted(text)}, which is too little` };
}

/** In the largest unit that leaves no rest, as `readMinFree` and `readReserve` take it. */
export function sizeText(bytes: number): string {
  if (bytes === 0) return '0';
  const unit = units.find((name) => bytes % factors[name] === 0) ?? 'K';
  return `${bytes / factors[unit]}${unit}`;
}

export function minFreeText({ unit, amount }: MinFree): string {
  return unit === 'percent' ? `${amount}%` : sizeText(amount);
}

/** 1024-based, with a unit; answers bytes. */
function readSize(text: string): Reading<number> {
  const match = /^(\d{1,9}(?:\.\d{1,3})?)\s*([KMGT])(?:i?B)?$/i.exec(text);
  if (text === '0') return { value: 0 };
  if (!match) return { wrong: `is ${quoted(text)}, which is no size` };
  const factor = factors[units.find((unit) => unit === match[2]?.toUpperCase()) ?? 'K'];
  // Whole blocks of a kind, so that what is shown is what was read.
  return { value: Math.ceil((Number(match[1]) * factor) / 1024) * 1024 };
}
