/**
 * Goes along the manifest of a snapshot, in step with another tree, for the lines of certain paths. Lines that nobody
 * asks for are not taken apart.
 */
import { comparePaths, escapePath, unescapePath, type BytePath } from '../core/byte-path.js';
import { ManifestUnusable } from './manifest-format.js';
import { noTotals, readManifestText, type ManifestTexts } from './manifest-reader.js';

export class BaseLines {
  private readonly texts: ManifestTexts;
  private text = '';
  /** The beginning of a line in it. */
  private at = 0;
  private hasEnded = false;

  constructor(file: string) {
    this.texts = readManifestText(file);
  }

  /** The first line, without going on; null when there is none. Throws as `readManifest`. */
  async first(): Promise<string | null> {
    await this.readOn();
    return this.hasEnded ? null : this.text.slice(0, this.text.indexOf('\n'));
  }

  /**
   * The line of each path, without its end; empty when there is none. Paths come in the order of a manifest, in all
   * calls together. Throws as `readManifest`.
   */
  async of(paths: readonly BytePath[]): Promise<string[]> {
    const lines: string[] = [];
    for (const path of paths) {
      const escaped = escapePath(path);
      let line = this.find(path, escaped);
      while (line === null && !this.hasEnded) {
        await this.readOn();
        line = this.find(path, escaped);
      }
      lines.push(line ?? '');
    }
    return lines;
  }

  /** Reads to the end, so that it is known to be whole. Throws as `readManifest`. */
  async finish(): Promise<void> {
    while (!this.hasEnded) await this.readOn();
  }

  async close(): Promise<void> {
    this.hasEnded = true;
    await this.texts.return(noTotals);
  }

  /** Goes on to a path. Null when the text ends before it. */
  private find(path: BytePath, escaped: string): string | null {
    const { text } = this;
    while (this.at < text.length) {
      const lineEnd = text.indexOf('\n', this.at);
      // Nothing before the path begins with a slash.
      const pathAt = text.indexOf(' /', this.at) + 1;
      if (pathAt === 0 || pathAt > lineEnd)
        throw new ManifestUnusable(`a line of it cannot be read: ${text.slice(this.at, this.at + 200)}`);
      const pathEnd = pathAt + escaped.length;
      const isIt = text.startsWith(escaped, pathAt) && (pathEnd === lineEnd || text[pathEnd] === ' ');
      if (!isIt) {
        const [itsPath = ''] = text.slice(pathAt, lineEnd).split(' ', 1);
        if (comparePaths(unescapePath(itsPath), path) > 0) return '';
      }
      const line = isIt ? text.slice(this.at, lineEnd) : '';
      this.at = lineEnd + 1;
      if (isIt) return line;
    }
    return null;
  }

  private async readOn(): Promise<void> {
    const { value, done } = await this.texts.next();
    this.hasEnded = done === true;
    this.text = done === true ? '' : value;
    this.at = 0;
  }
}
