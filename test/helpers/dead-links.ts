import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';

const link = /\]\((?!https?:|mailto:)([^)#\s]*)(?:#([^)\s]*))?\)/g;

/**
 * The relative links of these Markdown files (paths below root) that lead nowhere, as `FILE: LINK`: to no file, to one
 * outside of root, or to no heading of a Markdown file.
 */
export async function deadLinks(root: string, files: readonly string[]): Promise<readonly string[]> {
  const dead: string[] = [];
  for (const file of files)
    for (const [, path = '', anchor] of (await readFile(join(root, file), 'utf8')).matchAll(link)) {
      const target = path === '' ? file : join(dirname(file), path);
      const isThere = !target.startsWith('..') && existsSync(join(root, target));
      if (!isThere || (anchor !== undefined && !(await anchorsOf(join(root, target))).includes(anchor)))
        dead.push(`${file}: ${path}${anchor === undefined ? '' : `#${anchor}`}`);
    }
  return dead;
}

/** Of each heading what GitHub makes of it: lower case, without punctuation, with - for each space. */
async function anchorsOf(file: string): Promise<readonly string[]> {
  const headings = (await readFile(file, 'utf8')).matchAll(/^#+ (.*)$/gm);
  return [...headings].map(([, text = '']) =>
    text
      .toLowerCase()
      .replace(/[^\p{L}\p{N}\s_-]/gu, '')
      .trim()
      .replace(/\s/g, '-'),
  );
}
