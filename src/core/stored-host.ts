/** Hosts that are kept in the database instead of the configuration file, and how their settings are changed. */
import type { TrashMark } from './trash.js';

/**
 * Settings of a host as plain data, in the words of the configuration file (`backupdir`, `max_incr`), without the
 * name; what is absent has its default.
 */
export type HostSettings = Readonly<Record<string, unknown>>;

/** A setting as it holds for a host. */
export interface SettingInEffect {
  /** In the words of the configuration file, as is the value: one for each entry of a list or a map. */
  readonly name: string;
  readonly values: readonly string[];
  readonly source: 'host' | 'defaults' | 'built-in';
  /** What it may be, in words. */
  readonly allowed: string;
}

export interface StoredHost {
  readonly name: string;
  readonly settings: HostSettings;
  /** Another one after each change. */
  readonly etag: string;
  readonly createdAt: Date;
  readonly updatedAt: Date;
}

/** One in the trash. */
export interface TrashedHost extends TrashMark {
  readonly host: StoredHost;
}

/** Where deleted hosts are kept. */
export interface HostTrash {
  /** Moves a host to the trash if it still has `etag`; answers whether it had. */
  trash(name: string, etag: string, mark: TrashMark): Promise<boolean>;
  /** The hosts in the trash, by the time they were put there. */
  trashed(): Promise<TrashedHost[]>;
  /** Moves one back; answers whether it was there. Throws when its name exists. */
  untrash(id: string): Promise<boolean>;
  /** Removes one from the trash for good; answers whether it was there. */
  removeTrashed(id: string): Promise<boolean>;
}

export interface SettingsChange {
  /** The new values. */
  readonly settings: HostSettings;
  /** The settings that are set, or removed when they have no new value. `*`: all that there are. */
  readonly mask: readonly string[];
}

/** The settings after a change; those that the mask does not name stay. */
export function changeSettings(before: HostSettings, { settings, mask }: SettingsChange): HostSettings {
  if (mask.includes('*')) return settings;
  const kept = Object.entries(before).filter(([name]) => !mask.includes(name));
  const set = Object.entries(settings).filter(([name]) => mask.includes(name));
  return Object.fromEntries([...kept, ...set]);
}
