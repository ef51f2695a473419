/**
 * The lines of the audit log and how they hang together: each holds the SHA-256 of itself and of the line before, so a
 * line that was changed, taken out or put in is found. Only what is missing at the end is not: for that a hash must be
 * noted elsewhere. Pure.
 */
import { createHash } from 'node:crypto';
import { emptyHead, type AuditEvent, type AuditHead, type AuditLine } from '../core/audit.js';

const linePattern = /^(\{"seq":(\d+),"at":"[^"]+","prev":"([0-9a-f]{64})",.*),"hash":"([0-9a-f]{64})"\}$/;

/** The line that follows a head, without its line end, and the head that it makes. */
export function sealLine(before: AuditHead, at: Date, event: AuditEvent): { line: string; head: AuditHead } {
  const sequence = before.sequence + 1;
  const content = JSON.stringify({ seq: sequence, at: at.toISOString(), prev: before.hash, ...event });
  const hash = hashOf(content);
  return { line: `${content.slice(0, -1)},"hash":"${hash}"}`, head: { sequence, hash } };
}

export interface SealedLine extends AuditHead {
  readonly previous: string;
}

/** What a line says of its place in the chain; null when it does not have the hash that it names. */
export function readSeal(line: string): SealedLine | null {
  const [, content, sequence, previous = '', hash = ''] = linePattern.exec(line) ?? [];
  if (content === undefined || hashOf(`${content}}`) !== hash) return null;
  return { sequence: Number(sequence), hash, previous };
}

/** Null for what is no line. */
export function readLine(line: string): AuditLine | null {
  const seal = readSeal(line);
  if (!seal) return null;
  const { seq: _, at, prev: _previous, hash: _hash, ...event } = JSON.parse(line) as Record<string, unknown>;
  const { sequence, hash } = seal;
  return { sequence, hash, at: new Date(String(at)), event: event as unknown as AuditEvent };
}

/** What is to be noted of a piece of a line that a crash left. */
export function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('hex');
}

/** Follows a chain from its first line on. */
export class ChainReader {
  head: AuditHead = emptyHead;
  lines = 0;
  torn = 0;
  private readonly pieces: string[] = [];
  private piecesAt = 0;
  private number = 0;

  /** Takes the next line and answers what is wrong with it, or null. A log may begin later than with its first line. */
  take(line: string): { line: number; problem: string } | null {
    this.number += 1;
    const seal = readSeal(line);
    if (!seal) {
      // The piece of a line that a crash left is noted by the next one.
      if (this.pieces.length === 0) this.piecesAt = this.number;
      this.pieces.push(line);
      return null;
    }
    const problem = this.pieces.length > 0 ? this.judgePieces(line) : null;
    if (problem !== null) return { line: this.piecesAt, problem };
    const isFirst = this.lines === 0;
    if (!isFirst && (seal.previous !== this.head.hash || seal.sequence !== this.head.sequence + 1))
      return {
        line: this.number,
        problem: `line ${seal.sequence} does not follow line ${this.head.sequence}: something was taken out, put in or changed before it`,
      };
    this.head = { sequence: seal.sequence, hash: seal.hash };
    this.lines += 1;
    return null;
  }

  /** A new file begins: its lines are counted from 1. */
  nextFile(): void {
    this.number = 0;
  }

  /** All lines were taken. What is wrong with the last one, or null; a half line at the end is what a crash leaves. */
  end(isLastComplete: boolean): { line: number; problem: string } | null {
    if (this.pieces.length === 0) return null;
    if (this.pieces.length === 1 && !isLastComplete) {
      this.torn += 1;
      return null;
    }
    return { line: this.piecesAt, problem: changedText };
  }

  private judgePieces(next: string): string | null {
    const event = readLine(next)?.event;
    const isNoted = event?.kind === 'started' && event.torn === hashOf(this.pieces.join('\n'));
    this.pieces.length = 0;
    if (!isNoted) return changedText;
    this.torn += 1;
    return null;
  }
}

const changedText = 'it does not have the hash that it names: it was changed';
