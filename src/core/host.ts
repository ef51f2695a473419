import type { ArchiveFormat } from './archive.js';
import type { Schedule } from './schedule.js';
import type { MinFree } from './space.js';

/**
 * A host as the configuration describes it, complete with defaults. Plain data, safe to send to an executor
 * process. Names of settings are those of the original BUSY where it had one.
 */
export interface Host {
  /** Identifier; also the directory below `backupdir`. */
  readonly name: string;
  /** What `hostname` must print there; empty, `localhost` and literal addresses are not compared. */
  readonly hostname: string;
  /** Tried in order; the first with the right identity is used. Never empty. */
  readonly addresses: readonly string[];
  readonly port: number;
  readonly user: string;
  /** Private key file. */
  readonly identityFile: string;
  /** File whose first line is the passphrase of the private keys that have one; empty: none. */
  readonly identityPassphraseFile: string;
  /** Socket of an ssh-agent that holds the key, or `SSH_AUTH_SOCK`; empty: the key is in `identityFile`. */
  readonly identityAgent: string;
  /** Private key file for restores to the host; empty: `identityFile`. */
  readonly restoreIdentityFile: string;
  /** `ssh-ed25519 AAAA...` or `SHA256:...`; empty when not pinned yet. */
  readonly hostKey: string;
  /** Absolute directory on the server. */
  readonly backupdir: string;
  /** What a backup must leave free on the disk of `backupdir`; `core/space.ts`. */
  readonly minFree: MinFree;
  /** What its backups may take up there all together, in bytes; 0: no limit. `core/quota.ts`. */
  readonly quotaBytes: number;
  /** Files, directories and all else that one snapshot may hold; 0: no limit. */
  readonly maxEntries: number;
  /** Memory that the rsync on the server may address; 0: no limit. */
  readonly rsyncMemoryBytes: number;
  /** Absolute directories on the host. */
  readonly srcdirs: readonly string[];
  /** Patterns in rsync's syntax. */
  readonly excludes: readonly string[];
  /** Patterns of paths that may vanish during a backup without making it partial. */
  readonly volatile: readonly string[];
  readonly initiator: Initiator;
  /** Extra options of rsync, already checked by `checkRsyncOptions`. */
  readonly rsyncOpts: readonly string[];
  /** The words that start rsync on the host, for example `sudo rsync`. */
  readonly rsyncPath: readonly string[];
  /** In the syntax of rsync's --bwlimit; empty means unlimited. */
  readonly bandwidthLimit: string;
  /** How many source directories are copied at the same time. */
  readonly jobsAtOnce: number;
  /** A full backup is due after this many incremental ones. */
  readonly maxIncr: number;
  /** In days. */
  readonly maxAgeFull: number;
  /** In days. */
  readonly maxAgeIncr: number;
  /** How long connecting to one address may take. */
  readonly connectTimeoutMs: number;
  /** A run whose connection carries no data for this long is ended. */
  readonly idleTimeoutMs: number;
  /** A backup that takes longer is ended; 0 means never. */
  readonly timeoutMs: number;
  /** When it is backed up; `core/schedule.ts`. */
  readonly schedule: Schedule;
  /** When it may run at all; `core/windows.ts`. In the time zone of the schedule. */
  readonly windows: readonly string[];
  /** How long after a failure it is tried again; doubled with each failure in a row. */
  readonly retryAfterMs: number;
  /** Days without a snapshot after which its absence is an alarm. */
  readonly alertAfter: number;
  /** A command line for the user's login shell there, before the first job; empty: none. */
  readonly preCommand: string;
  /** The same after the last job, whatever became of the jobs. */
  readonly postCommand: string;
  /** How long each of the two may take. */
  readonly commandTimeoutMs: number;
  /** Days after which a snapshot is archived to `archivedir`. */
  readonly maxAge: number;
  /** Absolute directory on the server; empty: nothing is archived. */
  readonly archivedir: string;
  readonly archive: ArchivePolicy;
  /** Which snapshots are kept; null: all of them, for ever. `core/retention.ts`. */
  readonly keep: KeepRules | null;
  readonly gate: GatePolicy;
  /** Days in which every byte of its snapshots is read and compared once; 0: never by itself. */
  readonly verifyEvery: number;
  /** When that may begin; as `windows`, in the time zone of the schedule. */
  readonly verifySchedule: readonly string[];
  /** When a restore is drilled, as `schedule.slots`; empty: only by hand. */
  readonly drillSchedule: readonly string[];
  /** How many files a drill takes at random. */
  readonly drillSample: number;
  /** Absolute paths on the host that each drill restores, with all that is below them. */
  readonly drillPaths: readonly string[];
  /** A program on the server and its arguments, called in what was restored; empty: none. */
  readonly drillCommand: readonly string[];
  readonly mail: MailPolicy;
}

/** How many snapshots are kept of each kind; 0: the rule keeps none. At least one is greater than 0. */
export interface KeepRules {
  readonly last: number;
  readonly daily: number;
  readonly weekly: number;
  readonly monthly: number;
  readonly yearly: number;
}

/** How snapshots are archived. */
export interface ArchivePolicy {
  /** When those that are old enough are archived; as the slots of a schedule, in its time zone. */
  readonly slots: readonly string[] | 'never';
  readonly format: ArchiveFormat;
  /** Of compression; 0: the default of the program. */
  readonly level: number;
  /** Cores that compress; 0: all. */
  readonly threads: number;
  /** Which archives are kept; null: all of them, for ever. */
  readonly keep: KeepRules | null;
  /** Absolute directory that gets a copy of each; empty: none. */
  readonly copyTo: string;
}

/** How much a source directory may change before its snapshot is held; `core/source-gate.ts`. */
export interface GatePolicy {
  /** The share of entries or bytes that may be gone, 0 to 1; with 1 nothing is held for it. */
  readonly maxShrink: number;
  /** The share of files that may be changed, 0 to 1; with 1 nothing is held, and no backup ended, for it. */
  readonly maxChange: number;
  /** An empty source directory is nothing unusual. */
  readonly allowEmpty: boolean;
}

/** Who is told, and when. */
export interface MailPolicy {
  readonly to: readonly string[];
  readonly when: 'on_change' | 'every_failure' | 'never';
  /** Whether a PARTIAL run counts as a failure. */
  readonly includesPartial: boolean;
  /** While a host goes on failing; 0: never. */
  readonly reminderMs: number;
}

/** Which side starts the rsync that does the work. */
export type Initiator = 'server' | 'client';

/** Host names become directory names, so they are narrow. */
export const hostNamePattern = /^[a-z0-9][a-z0-9._-]*$/;
