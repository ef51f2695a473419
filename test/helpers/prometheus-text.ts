/** Reads the text format of Prometheus, and throws at whatever is not exactly as the format says. */

export interface Sample {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly value: number;
}

export interface Family {
  readonly name: string;
  readonly type: string;
  readonly help: string;
  readonly samples: readonly Sample[];
}

const suffixes: Readonly<Record<string, readonly string[]>> = {
  gauge: [''],
  counter: [''],
  histogram: ['_bucket', '_sum', '_count'],
};
const name = '[a-zA-Z_:][a-zA-Z0-9_:]*';
const labelPattern = /([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\[\\"n])*)"(?:,(?=[a-zA-Z_])|$)/y;

/** The families by name. */
export function parsePrometheusText(text: string): ReadonlyMap<string, Family> {
  if (!text.endsWith('\n')) throw new Error('the last line has no end');
  const families = new Map<string, Family & { samples: Sample[] }>();
  const seen = new Set<string>();
  let help: RegExpExecArray | null = null;
  let family: (Family & { samples: Sample[] }) | null = null;
  for (const line of text.slice(0, -1).split('\n')) {
    if (line === '') continue;
    if (line.startsWith('# HELP ')) {
      help = required(new RegExp(`^# HELP (${name}) (\\S.*)$`), line);
      family = null;
    } else if (line.startsWith('#')) {
      const [, named = '', type = ''] = required(new RegExp(`^# TYPE (${name}) (\\w+)$`), line);
      if (help?.[1] !== named || families.has(named) || !(type in suffixes))
        throw new Error(`out of place: ${line}`);
      family = { name: named, type, help: help[2] ?? '', samples: [] };
      families.set(named, family);
      help = null;
    } else {
      const sample = readSample(line);
      const { name: of, type } = family ?? { name: '', type: '' };
      if (!family || !suffixes[type]?.some((suffix) => sample.name === of + suffix))
        throw new Error(`belongs to nothing: ${line}`);
      const key = JSON.stringify([
        sample.name,
        Object.entries(sample.labels).sort(([a], [b]) => (a < b ? -1 : 1)),
      ]);
      if (seen.has(key)) throw new Error(`stands there twice: ${line}`);
      seen.add(key);
      family.samples.push(sample);
    }
  }
  return families;
}

/** The one sample of a metric with these labels; undefined when there is none. */
export function valueOf(
  families: ReadonlyMap<string, Family>,
  metric: string,
  labels: Readonly<Record<string, string>> = {},
): number | undefined {
  const all = [...families.values()].flatMap(({ samples }) => samples).filter((one) => one.name === metric);
  const found = all.filter((one) =>
    Object.entries(labels).every(([key, value]) => one.labels[key] === value),
  );
  if (found.length > 1) throw new Error(`${metric} has ${found.length} such samples`);
  return found[0]?.value;
}

function readSample(line: string): Sample {
  const match = required(
    new RegExp(`^(${name})(?:\\{(.*)\\})? (-?\\d+(?:\\.\\d+)?(?:e[+-]?\\d+)?|[+-]Inf|NaN)$`),
    line,
  );
  const [, sampleName = '', inside = '', value = ''] = match;
  const labels: Record<string, string> = {};
  labelPattern.lastIndex = 0;
  while (labelPattern.lastIndex < inside.length) {
    const [, key = '', escaped = ''] = labelPattern.exec(inside) ?? fail(line);
    if (key in labels) fail(line);
    labels[key] = escaped.replace(/\\(.)/g, (_, char: string) => (char === 'n' ? '\n' : char));
  }
  return { name: sampleName, labels, value: Number(value.replace('Inf', 'Infinity')) };
}

function required(pattern: RegExp, line: string): RegExpExecArray {
  return pattern.exec(line) ?? fail(line);
}

function fail(line: string): never {
  throw new Error(`no line of the format: ${line}`);
}
