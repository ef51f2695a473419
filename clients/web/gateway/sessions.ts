/**
 * Who is logged in: an id in the browser's cookie stands for a token of the daemon, which the browser never sees again.
 * Sessions live in memory: they end with this process, after a time without use, at the latest some days after the login,
 * and when they are closed. What a session has running ends with it.
 */
import { createHash, randomBytes } from 'node:crypto';

export interface SessionTimes {
  /** A session that is not used for so long is over. */
  readonly idleMs: number;
  /** So long after its login it is over, however much it is used. */
  readonly longestMs: number;
}

/** A session that is not over. */
export interface Session {
  readonly token: string;
  /** Is aborted when it is over. */
  readonly ended: AbortSignal;
}

interface OpenSession {
  readonly token: string;
  readonly openedMs: number;
  readonly end: AbortController;
  readonly limit: NodeJS.Timeout;
  lastUsedMs: number;
}

/** Of one token; the one that was not used for longest goes when there are more. Those of others never do. */
const mostOfOneToken = 50;
/** In all: tokens have an end too, so only what is wrong comes here. */
const mostSessions = 20_000;

export class Sessions {
  /** By the hash of the id, so that finding one takes no time that tells of the id; the least used first. */
  private readonly sessions = new Map<string, OpenSession>();

  constructor(
    private readonly times: SessionTimes,
    private readonly now: () => number,
  ) {}

  /** Answers the id for the cookie, or null when there are too many sessions. */
  open(token: string): string | null {
    this.removeOver();
    const ofToken = [...this.sessions].filter(([, session]) => session.token === token);
    const [leastUsed] = ofToken;
    if (ofToken.length >= mostOfOneToken && leastUsed) this.remove(leastUsed[0]);
    if (this.sessions.size >= mostSessions) return null;
    const id = randomBytes(32).toString('base64url');
    const key = hashed(id);
    const nowMs = this.now();
    this.sessions.set(key, {
      token,
      openedMs: nowMs,
      lastUsedMs: nowMs,
      end: new AbortController(),
      // For what runs without being asked again.
      limit: setTimeout(() => this.remove(key), this.times.longestMs).unref(),
    });
    return id;
  }

  /** The session of an id, or null when it is over. Counts as use. */
  find(id: string): Session | null {
    const key = hashed(id);
    const session = this.sessions.get(key);
    if (!session) return null;
    if (this.isOver(session)) {
      this.remove(key);
      return null;
    }
    session.lastUsedMs = this.now();
    // Again at the end: the first is the one that was not used for longest.
    this.sessions.delete(key);
    this.sessions.set(key, session);
    return { token: session.token, ended: session.end.signal };
  }

  close(id: string): void {
    this.remove(hashed(id));
  }

  private isOver({ openedMs, lastUsedMs }: OpenSession): boolean {
    const nowMs = this.now();
    return nowMs - lastUsedMs > this.times.idleMs || nowMs - openedMs > this.times.longestMs;
  }

  private removeOver(): void {
    for (const [key, session] of this.sessions) if (this.isOver(session)) this.remove(key);
  }

  private remove(key: string): void {
    const session = this.sessions.get(key);
    if (!session) return;
    this.sessions.delete(key);
    clearTimeout(session.limit);
    session.end.abort();
  }
}

function hashed(id: string): string {
  return createHash('sha256').update(id).digest('base64');
}
