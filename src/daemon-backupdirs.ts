/** The backup directories that this daemon works in; a part of the composition root. */
import type { Catalog } from './control/catalog.js';
import type { ScriptSettings } from './core/settings.js';
import { claimBackupdirs, releaseBackupdirs, type LockHolder } from './execute/backupdir-lock.js';
import { findScript } from './execute/server-script.js';
import type { Logger } from './log.js';

export class OwnBackupdirs {
  /** Also those of hosts that a reload takes away: a backup of them may still run. */
  private readonly all = new Set<string>();

  constructor(private readonly catalog: Pick<Catalog, 'hosts'>) {
    this.note();
  }

  /** Takes in those of the hosts as they are now. */
  note(): void {
    for (const { backupdir } of this.catalog.hosts()) this.all.add(backupdir);
  }

  /**
   * Locks them against other daemons. With pre-backup one may be a mount point whose disk is not there yet: then the
   * first backup takes the lock. Throws BACKUPDIR_IN_USE.
   */
  async claim({ preBackup }: ScriptSettings, holder: LockHolder, log: Logger): Promise<void> {
    if ((await findScript(preBackup)) === 'callable') return;
    await claimBackupdirs(this.all, holder, (backupdir, error) =>
      log.warn('a backup directory is not there yet', { backupdir, error }),
    );
  }

  release(holder: LockHolder): Promise<void> {
    return releaseBackupdirs(this.all, holder);
  }
}
