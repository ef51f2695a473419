/**
 * Lock files that name the process that holds them, so that one left by a crash is seen as such, also when its process
 * id was given away again. Taking over such a lock is safe against others who do the same. A lock may also be that of
 * all daemons of one database, who agree there on what each does.
 */
import { randomUUID } from 'node:crypto';
import { link, readFile, readlink, rename, rm, writeFile } from 'node:fs/promises';
import { hostname } from 'node:os';

export interface LockOwner {
  readonly pid: number;
  /** In clock ticks since boot. */
  readonly startTime: string;
  /** Changes with each start of the system. */
  readonly bootId: string;
  /** Process ids of two containers have nothing to do with each other. */
  readonly pidNamespace: string;
  readonly hostname: string;
  /** Of systemd; empty where there is none. */
  readonly machineId: string;
}

/** Those who share a database, instead of one process. */
export interface SharedOwner {
  /** What tells the database from all others. */
  readonly databaseId: string;
  /** The database as people know it; without a password. */
  readonly database: string;
}

/**
 * Takes the lock for all who share a database, or finds that they have it: then answers null. Answers the owner when it
 * is another database, or a process that lives or of which nothing can be known. Throws what the file system says.
 */
export async function claimSharedLock(
  file: string,
  shared: SharedOwner,
): Promise<Partial<LockOwner & SharedOwner> | null> {
  const mine = await ownerOf(process.pid);
  for (;;) {
    const found = await readText(file);
    if (found === null) {
      await createWhole(file, `${JSON.stringify({ ...shared, hostname: mine.hostname })}\n`);
      continue;
    }
    const owner = parseOwner(found);
    if (owner.databaseId === shared.databaseId) return null;
    // Of the daemons of another database nobody here can say whether they live.
    if (owner.databaseId !== undefined || !(await isGone(owner, mine))) return owner;
    await removeIfStill(file, found);
  }
}

/** Gives a shared lock back, when no other daemon uses it. Never throws. */
export async function releaseSharedLock(file: string, { databaseId }: SharedOwner): Promise<void> {
  try {
    const found = await readText(file);
    if (found !== null && parseOwner(found).databaseId === databaseId) await rm(file, { force: true });
  } catch {
    // The disk is gone, and the lock with it.
  }
}

/**
 * Takes the lock for a process, or finds that it has it: then answers null. Answers the owner when that lives, or when
 * nothing can be known of it: it is of another machine or container. Throws what the file system says.
 */
export async function claimLock(file: string, pid: number): Promise<Partial<LockOwner & SharedOwner> | null> {
  const mine = await ownerOf(pid);
  for (;;) {
    const found = await readText(file);
    if (found === null) {
      await createWhole(file, `${JSON.stringify(mine)}\n`);
      continue;
    }
    const owner = parseOwner(found);
    if (isSame(owner, mine)) return null;
    if (owner.databaseId !== undefined || !(await isGone(owner, mine))) return owner;
    await removeIfStill(file, found);
  }
}

/** Gives the lock back if the process has it. Never throws: a lock that stays is known as left behind. */
export async function releaseLock(file: string, pid: number): Promise<void> {
  try {
    const found = await readText(file);
    if (found !== null && isSame(parseOwner(found), await ownerOf(pid))) await rm(file, { force: true });
  } catch {
    // The disk is gone, and the lock with it.
  }
}

/** Who holds a lock: `us`, nobody (null), or the owner as the file names it. Throws what the file system says. */
export async function holderOf(
  file: string,
  us: number | SharedOwner,
): Promise<Partial<LockOwner & SharedOwner> | 'us' | null> {
  const found = await readText(file);
  if (found === null) return null;
  const owner = parseOwner(found);
  const isOurs =
    typeof us === 'number' ? isSame(owner, await ownerOf(us)) : owner.databaseId === us.databaseId;
  return isOurs ? 'us' : owner;
}

async function ownerOf(pid: number): Promise<LockOwner> {
  return {
    pid,
    startTime: await startTimeOf(pid),
    bootId: (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim(),
    pidNamespace: await readlink('/proc/self/ns/pid'),
    hostname: hostname(),
    machineId: (await readFile('/etc/machine-id', 'utf8').catch(() => '')).trim(),
  };
}

/** When a process started (proc(5), field 22 of stat), or '' when that cannot be read. */
async function startTimeOf(pid: number): Promise<string> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => '');
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

/** Never seen half written; does nothing when there is a lock by now. */
async function createWhole(file: string, text: string): Promise<void> {
  const temporary = `${file}.${randomUUID()}`;
  try {
    await writeFile(temporary, text, { mode: 0o644 });
    await link(temporary, file);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
  } finally {
    await rm(temporary, { force: true });
  }
}

/** Another may have replaced the lock since it was judged: what was taken away by mistake is put back. */
async function removeIfStill(file: string, judged: string): Promise<void> {
  const aside = `${file}.${randomUUID()}`;
  try {
    await rename(file, aside);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return;
    throw error;
  }
  try {
    if ((await readText(aside)) !== judged) await link(aside, file);
  } finally {
    await rm(aside, { force: true });
  }
}

async function readText(file: string): Promise<string | null> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw error;
  }
}

/** A lock that cannot be understood belongs to nobody. */
function parseOwner(text: string): Partial<LockOwner & SharedOwner> {
  try {
    const owner: unknown = JSON.parse(text);
    return typeof owner === 'object' && owner !== null ? owner : {};
  } catch {
    return {};
  }
}

function isSame(a: Partial<LockOwner>, b: LockOwner): boolean {
  const isOneBoot = a.bootId === b.bootId && a.pidNamespace === b.pidNamespace;
  return a.pid === b.pid && a.startTime === b.startTime && isOneBoot && isOneMachine(a, b);
}

/** Clones of one machine share one or the other, seldom both. */
function isOneMachine(a: Partial<LockOwner>, b: LockOwner): boolean {
  return a.hostname === b.hostname && a.machineId === b.machineId;
}

async function isGone(found: Partial<LockOwner>, mine: LockOwner): Promise<boolean> {
  if (typeof found.pid !== 'number' || typeof found.hostname !== 'string') return true;
  if (!isOneMachine(found, mine)) return false;
  if (found.bootId !== mine.bootId) return true;
  if (found.pidNamespace !== mine.pidNamespace) return false;
  const startTime = await startTimeOf(found.pid);
  // Where /proc hides the processes of others, their existence has to do.
  return startTime === '' ? !exists(found.pid) : startTime !== found.startTime;
}

function exists(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}
