/**
 * Who is logged in: an id in the browser's cookie stands for a token of the daemon, which the browser never sees again.
 * Sessions live in memory: they end with this process, after a time without use, and when they are closed.
 */
import { createHash, randomBytes } from 'node:crypto';

interface Session {
  readonly token: string;
  lastUsedMs: number;
}

/** The oldest goes when there are more. */
const mostSessions = 1000;

export class Sessions {
  /** By the hash of the id, so that finding one takes no time that tells of the id. */
  private readonly sessions = new Map<string, Session>();

  /** `idleMs`: a session that is not used for so long is over. */
  constructor(
    private readonly idleMs: number,
    private readonly now: () => number,
  ) {}

  /** Answers the id for the cookie. */
  open(token: string): string {
    const id = randomBytes(32).toString('base64url');
    const [oldest] = this.sessions.keys();
    if (this.sessions.size >= mostSessions && oldest !== undefined) this.sessions.delete(oldest);
    this.sessions.set(hashed(id), { token, lastUsedMs: this.now() });
    return id;
  }

  /** The token of a session that is not over, or null. Counts as use. */
  tokenOf(id: string): string | null {
    const key = hashed(id);
    const session = this.sessions.get(key);
    if (!session) return null;
    const now = this.now();
    this.sessions.delete(key);
    if (now - session.lastUsedMs > this.idleMs) return null;
    session.lastUsedMs = now;
    // Again at the end: the first is the one that was not used for longest.
    this.sessions.set(key, session);
    return session.token;
  }

  close(id: string): void {
    this.sessions.delete(hashed(id));
  }
}

function hashed(id: string): string {
  return createHash('sha256').update(id).digest('base64');
}
