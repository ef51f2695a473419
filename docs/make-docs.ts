/** Writes the pages of docs/ that are made from the source: `npm run docs`. */
import { readFile, writeFile } from 'node:fs/promises';
import { sentences } from '../src/core/error-sentences.js';
import { apiPage } from './api-page.js';
import { configurationPage } from './configuration-page.js';
import { readContract } from './contract.js';
import { errorsPage } from './errors-page.js';
import { metricsPage } from './metrics-page.js';

const folder = new URL('./', import.meta.url);
const contract = readContract(await readFile(new URL('../src/gen/busy.binpb', folder)));
await writeFile(new URL('api.md', folder), apiPage(contract));
await writeFile(new URL('errors.md', folder), errorsPage(sentences));
await writeFile(new URL('metrics.md', folder), await metricsPage());
const example = await readFile(new URL('../config/busy.example.yaml', folder), 'utf8');
await writeFile(new URL('configuration.md', folder), configurationPage(example));
