/** The scripts of the page as they are built: small enough for a slow line. */
import { readFile, readdir } from 'node:fs/promises';
import { gzipSync } from 'node:zlib';
import { expect, it } from 'vitest';

const assets = new URL('../../../dist/clients/web/page/assets/', import.meta.url);
const mostBytes = 300 * 1024;

it('are together less than 300 KiB, compressed', async () => {
  const names = (await readdir(assets)).filter((name) => name.endsWith('.js'));
  const sizes = await Promise.all(
    names.map(async (name) => gzipSync(await readFile(new URL(name, assets))).length),
  );
  const sum = sizes.reduce((total, size) => total + size, 0);
  expect(sum).toBeGreaterThan(50 * 1024);
  expect(sum).toBeLessThan(mostBytes);
});
