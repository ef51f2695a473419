/** Reads YAML and remembers where everything stands, so that a problem can be shown at its line. */
import { isAlias, isMap, isScalar, isSeq, LineCounter, parseDocument, type Document, type Node } from 'yaml';
import type { Finding, Problem } from './problems.js';

export interface YamlSource {
  /** The plain data, or undefined when the text cannot be understood. */
  readonly data: unknown;
  /** False when `data` is worth nothing. */
  readonly isReadable: boolean;
  /** What is wrong with the YAML itself. */
  readonly problems: readonly Problem[];
  /** Gives a finding its line and column. */
  place(finding: Finding): Problem;
}

type Path = readonly PropertyKey[];

/** A file may repeat itself by aliases, but not grow without bounds. */
const mostAliases = 100;

/** Parses a text; never throws. */
export function parseYaml(text: string): YamlSource {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: false, uniqueKeys: true });
  const at = (offset: number): Pick<Problem, 'line' | 'column'> => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  const faults = [...document.errors, ...document.warnings];
  const problems = faults.map((fault): Problem => ({ ...at(fault.pos[0]), key: '', ...faultWords(fault) }));
  const place = (finding: Finding): Problem => ({
    ...at(offsetOf(document, finding)),
    key: keyText(finding.path),
    wrong: finding.wrong,
    allowed: finding.allowed,
  });
  const canGoOn = faults.every((fault) => fault.code === 'DUPLICATE_KEY');
  if (!canGoOn) return { data: undefined, isReadable: false, problems, place };
  try {
    return { data: document.toJS({ maxAliasCount: mostAliases }), isReadable: true, problems, place };
  } catch (error) {
    const wrong = `cannot be understood: ${error instanceof Error ? error.message : String(error)}`;
    const allowed = `aliases of anchors above them, at most ${mostAliases} in effect`;
    const problem: Problem = { line: 0, column: 0, key: '', wrong, allowed };
    return { data: undefined, isReadable: false, problems: [...problems, problem], place };
  }
}

function faultWords(fault: { code: string; message: string }): Pick<Problem, 'wrong' | 'allowed'> {
  if (fault.code === 'DUPLICATE_KEY')
    return { wrong: 'this key stands there twice', allowed: 'each key once' };
  const message = fault.message.split('\n')[0] ?? '';
  return { wrong: `this is not YAML: ${message}`, allowed: 'YAML 1.2, indented by spaces' };
}

/** Where a finding stands; what is missing stands where the map around it begins. */
function offsetOf(document: Document, finding: Finding): number {
  let node: unknown = document.contents;
  let offset = startOf(node);
  for (const [index, part] of finding.path.entries()) {
    const holder = isAlias(node) ? node.resolve(document) : node;
    const isLast = index === finding.path.length - 1;
    if (isMap(holder)) {
      const pair = holder.items.find(({ key }) => (isScalar(key) ? String(key.value) : '') === String(part));
      if (!pair) return offset;
      node = pair.value;
      offset = isLast && !finding.isAboutKey ? startOf(node, startOf(pair.key)) : startOf(pair.key);
      if (!isLast) offset = startOf(node, offset);
    } else if (isSeq(holder)) {
      node = holder.items[Number(part)];
      offset = startOf(node, offset);
    }
  }
  return offset;
}

function startOf(node: unknown, fallback = 0): number {
  return (node as Node | null | undefined)?.range?.[0] ?? fallback;
}

/** A path of keys in words, such as `hosts[2].srcdirs[0]`. */
export function keyText(path: Path): string {
  return path
    .map((part, index) =>
      typeof part === 'number' ? `[${part}]` : `${index > 0 ? '.' : ''}${printable(String(part))}`,
    )
    .join('');
}

function printable(key: string): string {
  return /^[\w-]{1,60}$/.test(key) ? key : JSON.stringify(key.slice(0, 60));
}
