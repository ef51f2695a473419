/** The page about errors. */
import type { Sentence } from '../src/core/sentence.js';

/** Facts stand in a sentence as their names in angle brackets. */
const placeholders = new Proxy<Record<string, string>>(
  {},
  { get: (_, name) => (typeof name === 'string' ? `<${name}>` : undefined) },
);

/** Answers docs/errors.md. */
export function errorsPage(sentences: Readonly<Record<string, Sentence>>): string {
  const rows = Object.entries(sentences)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([reason, sentence]) => {
      const [what, next] = [sentence.message(placeholders), sentence.advice(placeholders)].map(cell);
      return `| \`${reason}\` | ${sentence.status} | ${what} | ${next} |`;
    });
  return `# Errors

Each error has a reason that never changes its meaning, a sentence, and advice. A call that is refused carries the reason
in a \`google.rpc.ErrorInfo\` (domain \`busy\`, and the facts of the sentence as its metadata); a run that did not succeed
carries it in \`error\`. Programs decide by the reason, people read the sentence. The kind is the gRPC status of a refused
call. What stands in angle brackets is filled in. Made from \`src/core/*-sentences.ts\` by \`npm run docs\`.

| reason | kind | what happened | what to do |
| --- | --- | --- | --- |
${rows.join('\n')}
`;
}

function cell(text: string): string {
  return text
    .replaceAll('|', String.raw`\|`)
    .replaceAll('<', String.raw`\<`)
    .replaceAll('\n', ' ');
}
