/**
 * A file in the state directory that takes up space for the daemon's own use: when the disk is full, a part of it is
 * given back to the database and the logs, and when there is space again it is made whole. Given back in parts, since
 * what fills the disk may take the first one too before it fails.
 */
import { randomFillSync } from 'node:crypto';
import { statfsSync, statSync, truncateSync } from 'node:fs';
import { open, rm, statfs } from 'node:fs/promises';
import { join } from 'node:path';
import { isOutOfSpace } from '../core/job-outcome.js';
import type { Clock } from '../core/ports.js';

export interface ReserveState {
  /** What is there at the moment, and what should be. */
  readonly bytes: number;
  readonly wantedBytes: number;
  /** Since when a part of it has been given back; null when it was not. */
  readonly releasedSince: Date | null;
}

export interface ReserveLog {
  info(message: string, fields: Readonly<Record<string, unknown>>): void;
  warn(message: string, fields: Readonly<Record<string, unknown>>): void;
}

export interface ReserveParts {
  readonly stateDir: string;
  /** 0: no reserve. */
  readonly bytes: number;
  readonly clock: Clock;
  readonly log: ReserveLog;
}

const lookEveryMs = 2000;
const pieces = 4;
const writtenAtOnce = 1024 ** 2;

export class Reserve {
  private readonly file: string;
  private held: number;
  private since: Date | null = null;
  private timer: NodeJS.Timeout | undefined;
  private looking: Promise<void> | null = null;

  /** Gives back at once what the start of the daemon may need. Never throws. */
  constructor(private readonly parts: ReserveParts) {
    this.file = join(parts.stateDir, 'reserve');
    this.held = sizeOf(this.file);
    if (freeIn(parts.stateDir) < this.lowBytes()) this.release();
  }

  /** Watches the disk from now on, and makes the reserve where there is space for it. */
  start(): void {
    this.timer = setInterval(() => this.look(), lookEveryMs);
    this.timer.unref();
    this.look();
  }

  async stop(): Promise<void> {
    clearInterval(this.timer);
    await this.looking;
  }

  /** Something could not be written for want of space: gives a part back. Answers whether there was one. */
  readonly release = (): boolean => {
    if (this.held === 0) return false;
    const left = Math.max(0, this.held - Math.ceil(this.parts.bytes / pieces));
    try {
      truncateSync(this.file, left);
    } catch {
      return false;
    }
    this.held = left;
    this.since ??= this.parts.clock.now();
    const fields = { stateDir: this.parts.stateDir, bytesLeft: left };
    this.parts.log.warn(
      'the disk of the state directory is full; a part of the reserve was given back',
      fields,
    );
    return true;
  };

  state(): ReserveState {
    return { bytes: this.held, wantedBytes: this.parts.bytes, releasedSince: this.since };
  }

  /** When the daemon cannot be sure to write its next pages and lines. */
  private lowBytes(): number {
    return this.parts.bytes / 16;
  }

  private look(): void {
    this.looking ??= this.lookOnce().finally(() => (this.looking = null));
  }

  private async lookOnce(): Promise<void> {
    const { stateDir, bytes } = this.parts;
    const disk = await statfs(stateDir).catch(() => null);
    if (!disk) return;
    const free = disk.bavail * disk.bsize;
    if (free < this.lowBytes()) this.release();
    // When it is made, as much again must be left, or it would be given back soon.
    else if (this.held !== bytes && free > 2 * bytes - this.held) await this.make();
  }

  private async make(): Promise<void> {
    const { bytes, log } = this.parts;
    try {
      if (this.held > bytes) await rm(this.file, { force: true });
      if (bytes > 0) await this.fill();
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      if (!isOutOfSpace(why))
        log.warn('the reserve for a full disk cannot be made', { file: this.file, why });
    }
    this.held = sizeOf(this.file);
    if (this.held < bytes || this.since === null) return;
    this.since = null;
    log.info('there is space again, and the reserve is whole', { file: this.file });
  }

  /** With random bytes, since a file system that compresses would not keep space for anything else. */
  private async fill(): Promise<void> {
    const { bytes } = this.parts;
    const piece = randomFillSync(Buffer.allocUnsafe(Math.min(writtenAtOnce, bytes)));
    const handle = await open(this.file, 'a', 0o600);
    try {
      this.held = sizeOf(this.file);
      while (this.held < bytes) {
        const before = this.held;
        const { bytesWritten } = await handle.write(piece, 0, Math.min(piece.length, bytes - before));
        // Given back meanwhile: then there is no space for it.
        if (this.held !== before) return;
        this.held += bytesWritten;
      }
    } finally {
      await handle.close();
    }
  }
}

function sizeOf(file: string): number {
  return statSync(file, { throwIfNoEntry: false })?.size ?? 0;
}

function freeIn(directory: string): number {
  try {
    const { bavail, bsize } = statfsSync(directory);
    return bavail * bsize;
  } catch {
    return Infinity;
  }
}
