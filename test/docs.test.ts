/** The pages that are made from the source are as the source is, and what was released keeps its meaning. */
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { apiPage } from '../docs/api-page.js';
import { configurationPage } from '../docs/configuration-page.js';
import { readContract } from '../docs/contract.js';
import { errorsPage } from '../docs/errors-page.js';
import { metricsPage } from '../docs/metrics-page.js';
import { settingsOf } from '../src/config/schema.js';
import { sentences } from '../src/core/error-sentences.js';
import { deadLinks } from './helpers/dead-links.js';

const root = new URL('../', import.meta.url);
const textOf = (file: string): Promise<string> => readFile(new URL(file, root), 'utf8');

test('docs/api.md is made of the present contract (npm run docs)', async () => {
  const contract = readContract(await readFile(new URL('src/gen/busy.binpb', root)));
  expect(await textOf('docs/api.md')).toBe(apiPage(contract));
});

test('docs/errors.md has the present reasons (npm run docs)', async () => {
  expect(await textOf('docs/errors.md')).toBe(errorsPage(sentences));
});

test('docs/metrics.md has the present metrics (npm run docs)', async () => {
  expect(await textOf('docs/metrics.md')).toBe(await metricsPage());
});

test('docs/configuration.md is made of the present example and schema (npm run docs)', async () => {
  const page = await textOf('docs/configuration.md');
  expect(page).toBe(configurationPage(await textOf('config/busy.example.yaml')));
  const { top, keep: _, ...parts } = settingsOf;
  const sections = ['hosts', ...Object.keys(parts)];
  const names = [top, ...Object.values(parts)].flatMap((part) => Object.keys(part));
  const missing = names.filter((name) => !sections.includes(name) && !page.includes(`| \`${name}\` |`));
  expect(missing).toEqual([]);
  expect(page).not.toContain('| nothing |');
});

test('links between the documents lead somewhere', async () => {
  const docs = (await readdir(new URL('docs/', root))).filter((name) => name.endsWith('.md'));
  const files = [
    'README.md',
    'SECURITY.md',
    'CHANGELOG.md',
    'bench/README.md',
    ...docs.map((name) => `docs/${name}`),
  ];
  expect(await deadLinks(fileURLToPath(root), files)).toEqual([]);
});

test('every call, message and enumeration has a comment', async () => {
  const { services, messages, enumerations } = readContract(
    await readFile(new URL('src/gen/busy.binpb', root)),
  );
  const all = [
    ...services.flatMap((service) => [service, ...service.methods]),
    ...messages.flatMap((message) => [message, ...message.fields]),
    ...enumerations.flatMap((enumeration) => [enumeration, ...enumeration.values]),
  ];
  expect(all.length).toBeGreaterThan(500);
  expect(all.filter(({ comment }) => comment === '')).toEqual([]);
});

test('no reason that was released is gone', async () => {
  const released = (await textOf('proto/released/0.1.0-reasons.txt')).trim().split('\n');
  expect(released.length).toBeGreaterThan(100);
  expect(released.filter((reason) => !Object.hasOwn(sentences, reason))).toEqual([]);
});
