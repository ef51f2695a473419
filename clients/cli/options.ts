/** Parsers for the values of options; each throws InvalidArgumentError, which commander reports as wrong usage. */
import { InvalidArgumentError } from 'commander';
import { RunState } from '../../src/gen/busy/v1/run.js';

export function parseCount(text: string): number {
  const value = parseWhole(text);
  if (value === 0) throw new InvalidArgumentError('It must be at least 1.');
  return value;
}

/** A whole number from 0, as offsets and revisions are. */
export function parseWhole(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value)) {
    throw new InvalidArgumentError('It must be a whole number from 0.');
  }
  return value;
}

/** Collects states that are given one by one, in small or capital letters. */
export function collectState(text: string, before: readonly RunState[] = []): readonly RunState[] {
  const state = nameableStates.get(text.toLowerCase());
  if (state === undefined) {
    throw new InvalidArgumentError(`The states are: ${[...nameableStates.keys()].join(', ')}.`);
  }
  return [...before, state];
}

const nameableStates: ReadonlyMap<string, RunState> = new Map(
  Object.values(RunState)
    .filter((value): value is RunState => typeof value === 'number' && value !== RunState.UNSPECIFIED)
    .map((state) => [RunState[state].toLowerCase(), state]),
);
