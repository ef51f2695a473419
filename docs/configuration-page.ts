/** The page about the configuration: the words of the example file, and what the schema allows. */
import { allowedAt } from '../src/config/schema-findings.js';

/** A setting as the example file shows it. */
interface Shown {
  /** Where it stands: `` for the top level. */
  readonly section: string;
  readonly name: string;
  readonly value: string;
  readonly isSet: boolean;
  /** The comment above it. */
  readonly words: string;
}

const titles: readonly (readonly [section: string, title: string, words: string])[] = [
  ['', 'The daemon', ''],
  ['tls', '`tls`', ''],
  ['log', '`log`', ''],
  ['mail', '`mail`', ''],
  ['scripts', '`scripts`', ''],
  [
    'defaults',
    'Hosts: `defaults`, or each of `hosts`',
    'All of these may stand in `defaults`, and in a host, where they win.',
  ],
  ['hosts', 'Hosts: each of `hosts`', 'What is of one host alone.'],
];

/** Answers docs/configuration.md. */
export function configurationPage(example: string): string {
  const shown = readExample(example);
  const parts = titles.map(([section, title, words]) => {
    const rows = shown.filter((setting) => setting.section === section).map(rowOf);
    const head = '| setting | default | what it is | what it may be |\n| --- | --- | --- | --- |';
    return [`## ${title}`, ...(words ? [words] : []), `${head}\n${rows.join('\n')}`].join('\n\n');
  });
  return `# Configuration

One YAML file, \`/etc/busy/busy.yaml\` or \`busyd --config FILE\`. \`busyd check-config\` prints all its problems, or the
settings in effect. Relative paths and unknown settings are refused. Durations: \`30s\`, \`10m\`, \`2h\`, \`1d\`, or a number of
seconds. Made from [config/busy.example.yaml](../config/busy.example.yaml) and \`src/config/schema.ts\` by \`npm run docs\`.

${parts.join('\n\n')}
`;
}

/** All settings of the file, commented out or not, in its order. */
function readExample(text: string): Shown[] {
  const found: Shown[] = [];
  let section = '';
  let comment: string[] = [];
  for (const line of text.split('\n')) {
    const setting = /^(\s*)(?:- )?(#?)([a-z_]+):(?: (.*))?$/.exec(line);
    const said = /^\s*# (.*)$/.exec(line)?.[1];
    if (said !== undefined) comment.push(said);
    else if (!setting) comment = [];
    else {
      const [, indent = '', mark = '', name = '', value] = setting;
      if (indent === '') section = '';
      if (value === undefined) section = name;
      else
        found.push({
          section: indent === '' ? '' : section,
          name,
          value,
          isSet: mark === '',
          words: comment.join(' '),
        });
      comment = [];
    }
  }
  return found;
}

function rowOf({ section, name, value, isSet, words }: Shown): string {
  const path = section === '' ? [name] : section === 'hosts' ? ['hosts', 0, name] : [section, name];
  return `| \`${name}\` | ${defaultOf(value, isSet, words)} | ${cell(words)} | ${cell(allowedAt(path))} |`;
}

/** What is no default stands in the file as an example. */
function defaultOf(value: string, isSet: boolean, words: string): string {
  if (isSet) return `required, as \`${value}\``;
  if (/\bno default\b/i.test(words)) return `none; as \`${value}\``;
  return /\bby default\b/i.test(words) ? `see there; as \`${value}\`` : `\`${value}\``;
}

function cell(text: string): string {
  return text
    .replaceAll('|', String.raw`\|`)
    .replaceAll('<', String.raw`\<`)
    .replaceAll('*', String.raw`\*`);
}
