/** What is wrong with a configuration file, in words and places that its writer can use. */
export interface Problem {
  /** From 1; 0 when the whole file is meant. */
  readonly line: number;
  /** From 1; 0 when the whole file is meant. */
  readonly column: number;
  /** Such as `hosts[2].srcdirs[0]`; empty when the whole file is meant. */
  readonly key: string;
  readonly wrong: string;
  readonly allowed: string;
}

/** A problem whose place is known only as a path of keys. */
export interface Finding {
  readonly path: readonly PropertyKey[];
  /** The key itself is wrong, not its value. */
  readonly isAboutKey?: boolean;
  readonly wrong: string;
  readonly allowed: string;
}

/** Thrown for a configuration that is refused; has all its problems, one line each in the message. */
export class ConfigError extends Error {
  readonly file: string;
  /** In the order of the file. Never empty. */
  readonly problems: readonly Problem[];

  constructor(file: string, problems: readonly Problem[], options?: { cause?: unknown }) {
    const sorted = [...problems].sort((a, b) => a.line - b.line || a.column - b.column);
    super(sorted.map((problem) => problemLine(file, problem)).join('\n'), options);
    this.name = 'ConfigError';
    this.file = file;
    this.problems = sorted;
  }
}

function problemLine(file: string, { line, column, key, wrong, allowed }: Problem): string {
  const place = line > 0 ? `${file}:${line}:${column}` : file;
  return `${place}: ${key ? `${key}: ` : ''}${wrong}; allowed: ${allowed}`;
}
