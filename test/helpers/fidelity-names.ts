/** Names and paths that a shell, a terminal, a protocol or a careless program trips over. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

const plainNames = [
  ['two words', ' blanks around ', '...', '-rf', '--delete', '~', '~root', '@', 'user@host:path', 'a::b'],
  [
    '"double"',
    "'single'",
    'it\'s "both"',
    'back\\slash',
    'back\\',
    '\\#012',
    '%41%2F',
    '$HOME',
    '$(id)',
    '`id`',
  ],
  ['*', '?', '[a-z]', '{a,b}', '**', '!', '#', '# comment', ';', '|', '&', '<', '>', '(', '+ rule', '- rule'],
  ['new\nline', '\n', 'carriage\rreturn', 'tab\t', 'bell\u0007', 'escape\u001B[31m', '\u0001', '\u007F'],
  ['case', 'CASE', 'caf\u00E9', 'cafe\u0301', '日本', '\u{1F4BE}', '\u202Egnirts', '\u200B'],
  // As long as a file system allows, in one byte and in two bytes a character.
  ['n'.repeat(255), `${'ä'.repeat(127)}b`],
].flat();

/** ISO 8859-1, a cut and an overlong sequence of UTF-8, and a byte that is in neither. */
const bytes = [[0x66, 0xfc, 0x72], [0xe2, 0x82], [0xc0, 0xaf], [0xff]];

/** Files with each of the names, in `names` and again in a directory with a line end in its name. */
export async function makeNames(dir: string): Promise<void> {
  const names = [...plainNames.map((name) => Buffer.from(name)), ...bytes.map((name) => Buffer.from(name))];
  for (const directory of ['names', 'names/in a directory\n']) {
    await mkdir(join(dir, directory));
    for (const name of names)
      await writeFile(below(join(dir, directory), name), `file ${name.toString('hex')}`);
  }
  const directory = below(join(dir, 'names'), Buffer.from([0x64, 0xe4]));
  await mkdir(directory);
  await writeFile(Buffer.concat([directory, Buffer.from('/'), Buffer.from([0xf6])]), 'not UTF-8 twice');
}

/** A file whose path has more than 1000 bytes below `dir`. */
export async function makeLongPath(dir: string): Promise<void> {
  const deepest = join(dir, 'long path', ...Array.from({ length: 10 }, (_, depth) => `${depth}-`.repeat(55)));
  await mkdir(deepest, { recursive: true });
  await writeFile(join(deepest, 'file'), 'deep');
}

function below(directory: string, name: Buffer): Buffer {
  return Buffer.concat([Buffer.from(`${directory}/`), name]);
}
