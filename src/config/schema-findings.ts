/** Puts what the schema says of a configuration into words. */
import { z } from 'zod';
import { nearestName } from './nearest-name.js';
import type { Finding } from './problems.js';
import { quoted } from './quoted.js';
import { allowedValues } from './schema-parts.js';
import { settingsOf } from './schema.js';

type Path = readonly PropertyKey[];
type Part = keyof typeof settingsOf;

/** The findings of a failed parse; unknown keys get one each. */
export function findingsOfSchema(issues: readonly z.core.$ZodIssue[]): Finding[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => unknownKey(issue.path, key));
    if (issue.code === 'invalid_union') return findingsOfSchema(issuesOfLastOption(issue));
    return [{ path: issue.path, wrong: wrongWords(issue), allowed: allowedAt(issue.path) }];
  });
}

/** What the setting at a path may be, in words. */
export function allowedAt(path: Path): string {
  const { part, name } = placeAt(path);
  if (name !== undefined) return allowedWords(part, name);
  return path[0] === undefined ? 'a map of settings' : allowedWords('top', path[0]);
}

/** Where one of several forms is allowed, the last is the general one, whose words help most. */
function issuesOfLastOption({ errors, path }: z.core.$ZodIssueInvalidUnion): z.core.$ZodIssue[] {
  return (errors.at(-1) ?? []).map((issue) => ({ ...issue, path: [...path, ...issue.path] }));
}

function allowedWords(part: Part, name: PropertyKey): string {
  const schema = Object.entries<z.core.$ZodType>(settingsOf[part]).find(([key]) => key === name)?.[1];
  const inner = schema instanceof z.ZodOptional ? schema.unwrap() : schema;
  return (inner && allowedValues.get(inner)?.allowed) ?? 'nothing';
}

function unknownKey(path: Path, key: string): Finding {
  const { part } = placeAt([...path, key]);
  const names = Object.keys(settingsOf[part]);
  const nearest = nearestName(key, names);
  const home = (['top', 'host', 'tls', 'log', 'mail', 'scripts', 'keep'] as const).find((other) =>
    Object.hasOwn(settingsOf[other], key),
  );
  const place = { path: [...path, key], isAboutKey: true };
  if (part === 'defaults' && key === 'name') {
    return {
      ...place,
      wrong: 'belongs to a single host',
      allowed: 'no name in defaults: leave the line out',
    };
  }
  if (nearest !== null)
    return { ...place, wrong: `is no setting; did you mean ${nearest}?`, allowed: names.join(', ') };
  if (home !== undefined)
    return { ...place, wrong: `is in the wrong place: it belongs ${homes[home]}`, allowed: names.join(', ') };
  return { ...place, wrong: 'is no setting', allowed: names.join(', ') };
}

const homes = {
  top: 'to the top level',
  host: 'below a host or defaults',
  tls: 'below tls',
  log: 'below log',
  mail: 'below mail',
  scripts: 'below scripts',
  keep: 'below keep',
} as const;

/** The part of the file that a path leads into, and the setting there; none when the path is the part itself. */
function placeAt(path: Path): { readonly part: Part; readonly name: PropertyKey | undefined } {
  const [first] = path;
  const section = (['tls', 'log', 'mail', 'scripts', 'defaults'] as const).find((name) => name === first);
  const part: Part = section ?? (first === 'hosts' ? 'host' : 'top');
  const [name, inner] = path.slice(section ? 1 : first === 'hosts' ? 2 : 0);
  const isInKeep = name === 'keep' && inner !== undefined && part !== 'top';
  return isInKeep ? { part: 'keep', name: inner } : { part, name };
}

function wrongWords(issue: z.core.$ZodIssue): string {
  if (issue.code === 'custom') return issue.message;
  if (issue.input === undefined) return 'is missing';
  if (issue.input === null) return 'has no value';
  if (issue.code === 'too_small' && Array.isArray(issue.input)) return 'is empty';
  const expected = issue.code === 'invalid_type' ? typeNames[issue.expected] : undefined;
  return `is ${shown(issue.input)}${expected === undefined ? '' : `, not ${expected}`}`;
}

const typeNames: Readonly<Record<string, string>> = {
  string: 'a text (put it in quotes if it is one)',
  number: 'a number',
  array: 'a list',
  object: 'a map of settings',
};

function shown(value: unknown): string {
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a map of settings';
  if (typeof value === 'number') return `the number ${value}`;
  return typeof value === 'string' ? quoted(value) : `${value as boolean}`;
}
