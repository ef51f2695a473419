/**
 * All output of the client goes through the Printer. It escapes every text it is given, so that no command can
 * forget to, and keeps the live line of a terminal below what is printed.
 */
import { once } from 'node:events';
import Table from 'cli-table3';
import type { CliError } from './cli-error.js';
import { escapeJson, escapeText } from './escape.js';
import { cutToColumns } from './text-width.js';

/** A standard stream of the process, or its stand-in. */
export interface OutputStream extends NodeJS.WritableStream {
  readonly isTTY?: boolean;
  readonly columns?: number;
  readonly writableNeedDrain?: boolean;
}

export type Colour = 'green' | 'yellow' | 'red' | 'cyan';
export type Cell = string | { readonly text: string; readonly colour: Colour | null };

/** One line of labelled facts. */
export type Fact = readonly [label: string, value: Cell];

export interface PrinterOptions {
  readonly stdout: OutputStream;
  readonly stderr: OutputStream;
  /** Whether answers and errors are printed as JSON. */
  readonly isJson: boolean;
  readonly isColoured: boolean;
}

export class Printer {
  readonly isJson: boolean;
  readonly #options: PrinterOptions;
  #status = '';
  #hasProgress = false;

  constructor(options: PrinterOptions) {
    this.isJson = options.isJson;
    this.#options = options;
  }

  /** Whether a live line can be shown. */
  get isTerminal(): boolean {
    return this.#options.stdout.isTTY === true;
  }

  /** One JSON document on a line of its own. */
  json(value: unknown): void {
    this.#write(this.#options.stdout, `${escapeJson(JSON.stringify(value))}\n`);
  }

  line(...cells: Cell[]): void {
    this.#write(this.#options.stdout, `${cells.map((cell) => this.#render(cell)).join('')}\n`);
  }

  /** Rows below a heading; `whenEmpty` stands for a table without rows. */
  table(heading: readonly string[], rows: readonly (readonly Cell[])[], whenEmpty: string): void {
    if (rows.length === 0) return this.line(whenEmpty);
    const table = new Table({ head: [...heading], chars: noBorders, style: noStyle });
    for (const row of rows) table.push(row.map((cell) => this.#render(cell)));
    const text = table
      .toString()
      .split('\n')
      .map((line) => line.trimEnd())
      .join('\n');
    this.#write(this.#options.stdout, `${text}\n`);
  }

  /** Labelled facts, one a line, aligned. */
  facts(rows: readonly Fact[]): void {
    const width = Math.max(...rows.map(([label]) => label.length));
    for (const [label, value] of rows) this.line(label.padEnd(width + 2), value);
  }

  /** A sentence beside the answer, on stderr; nothing with JSON. */
  note(text: string): void {
    if (!this.isJson) this.#write(this.#options.stderr, `busy: ${escapeText(text)}\n`);
  }

  error(error: CliError): void {
    const { reason, message, advice, code } = error;
    if (this.isJson) {
      const json = JSON.stringify({ error: { reason, message, advice, code } });
      this.#write(this.#options.stderr, `${escapeJson(json)}\n`);
      return;
    }
    const said = problemReasons.has(reason)
      ? message.split('\n').map(escapeText).join('\n  ')
      : escapeText(message);
    const lines = [`busy: ${said}`, `  (${escapeText(reason)})`];
    if (advice !== '') lines.splice(1, 0, `  ${escapeText(advice)}`);
    this.#write(this.#options.stderr, `${lines.join('\n')}\n`);
  }

  /** Shows a live line below everything else, or removes it (empty). Does nothing where there is no terminal. */
  status(text: string): void {
    if (!this.isTerminal || (text === '' && this.#status === '')) return;
    this.#status = escapeText(text);
    this.#options.stdout.write(`${eraseLine}${this.#cutStatus()}`);
  }

  /** Shows a live line on stderr, beside data on stdout, or removes it (empty). Does nothing where there is no terminal. */
  progress(text: string): void {
    const { stderr } = this.#options;
    if (stderr.isTTY !== true || (text === '' && !this.#hasProgress)) return;
    this.#hasProgress = text !== '';
    stderr.write(`${eraseLine}${cutToColumns(escapeText(text), (stderr.columns || 80) - 1)}`);
  }

  /** Bytes as they are, which are never for a terminal. */
  bytes(data: Uint8Array): void {
    if (data.length > 0) this.#options.stdout.write(data);
  }

  /** Waits until the reader of stdout took what was written, so that a slow one costs no memory. */
  async drained(signal: AbortSignal): Promise<void> {
    if (this.#options.stdout.writableNeedDrain === true)
      await once(this.#options.stdout, 'drain', { signal });
  }

  #write(stream: OutputStream, text: string): void {
    if (this.#status === '') {
      stream.write(text);
      return;
    }
    this.#options.stdout.write(eraseLine);
    stream.write(text);
    this.#options.stdout.write(this.#cutStatus());
  }

  /** The last column stays free: some terminals wrap when it is filled. One that does not know its width says 0. */
  #cutStatus(): string {
    return cutToColumns(this.#status, (this.#options.stdout.columns || 80) - 1);
  }

  #render(cell: Cell): string {
    if (typeof cell === 'string') return escapeText(cell);
    const text = escapeText(cell.text);
    return cell.colour === null || !this.#options.isColoured ? text : `${sgr[cell.colour]}${text}\u001b[0m`;
  }
}

/** Their messages list problems, one in a line; elsewhere a line break would be someone's forgery. */
const problemReasons: ReadonlySet<string> = new Set(['CONFIG_INVALID', 'HOST_INVALID']);

const eraseLine = '\r\u001b[2K';

const sgr: Readonly<Record<Colour, string>> = {
  green: '\u001b[32m',
  yellow: '\u001b[33m',
  red: '\u001b[31m',
  cyan: '\u001b[36m',
};

const noStyle = { 'padding-left': 0, 'padding-right': 2, head: [], border: [], compact: true };

const noBorders = {
  top: '',
  'top-mid': '',
  'top-left': '',
  'top-right': '',
  bottom: '',
  'bottom-mid': '',
  'bottom-left': '',
  'bottom-right': '',
  left: '',
  'left-mid': '',
  mid: '',
  'mid-mid': '',
  right: '',
  'right-mid': '',
  middle: '',
};
