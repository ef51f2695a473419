/** The page about the API. */
import type { Contract, Documented, Enumeration, Message, Service } from './contract.js';

/** Answers docs/api.md. */
export function apiPage(contract: Contract): string {
  const known = new Set([...contract.messages, ...contract.enumerations].map(({ name }) => name));
  const link = (type: string): string =>
    type.replace(/[A-Z][A-Za-z0-9.]*/g, (name) => (known.has(name) ? `[${name}](#${anchor(name)})` : name));
  return [
    '# The API',
    'Made from the comments in [proto/busy/v1](../proto/busy/v1) by `npm run docs`. All errors that the calls name are explained in [errors.md](errors.md).',
    ...contract.services.flatMap((service) => serviceChapter(service, link)),
    '# Messages',
    ...byName(contract.messages).flatMap((message) => messageChapter(message, link)),
    '# Enumerations',
    ...byName(contract.enumerations).flatMap(enumerationChapter),
    '',
  ].join('\n\n');
}

type Link = (type: string) => string;

function serviceChapter({ name, comment, methods }: Service, link: Link): string[] {
  return [
    `## ${name}`,
    comment,
    ...methods.flatMap((method) => [
      `### ${name}.${method.name}`,
      `${link(method.request)} → ${method.isStream ? 'stream of ' : ''}${link(method.answer)}`,
      method.comment,
    ]),
  ];
}

function messageChapter({ name, comment, fields }: Message, link: Link): string[] {
  if (fields.length === 0) return [`## ${name}`, comment];
  const rows = fields.map(
    (field) => `| ${field.number} | \`${field.name}\` | ${link(field.type)} | ${cell(field)} |`,
  );
  return [`## ${name}`, comment, ['| | field | type | |', '| --- | --- | --- | --- |', ...rows].join('\n')];
}

function enumerationChapter({ name, comment, values }: Enumeration): string[] {
  const rows = values.map((value) => `| ${value.number} | \`${value.name}\` | ${cell(value)} |`);
  return [`## ${name}`, comment, ['| | value | |', '| --- | --- | --- |', ...rows].join('\n')];
}

function cell({ comment }: Documented): string {
  return comment.replaceAll('|', String.raw`\|`);
}

/** As the usual renderers of Markdown make it of a heading. */
function anchor(name: string): string {
  return name.toLowerCase().replaceAll('.', '');
}

function byName<T extends Documented>(items: readonly T[]): T[] {
  return [...items].sort((a, b) => (a.name < b.name ? -1 : 1));
}
