/** Whoever is compared with BUSY, as far as it is installed. */
import type { Contestant, Place } from '../contestants.js';
import { backuppcRsync } from './backuppc.js';
import { borg } from './borg.js';
import { firstInstalled } from './installed.js';
import { restic } from './restic.js';
import { rsnapshot } from './rsnapshot.js';
import { rsyncBySsh } from './rsync.js';

/** One that cannot be measured on this machine. */
export interface Absence {
  readonly name: string;
  /** What makes it take part, such as `apt-get install restic`. */
  readonly remedy: string;
}

/** One that is there, but did not do what it was asked for. */
export interface Failure {
  readonly name: string;
  /** On what tree, at which step. */
  readonly at: string;
  /** One line. */
  readonly why: string;
}

/** In the order of the table. */
export const peerNames = ['rsync -a', 'rsnapshot', 'restic', 'borg', 'rsync_bpc'] as const;

export interface Peers {
  readonly present: readonly Contestant[];
  readonly absent: readonly Absence[];
}

interface Peer {
  readonly name: (typeof peerNames)[number];
  readonly packages: string;
  /** What it needs, each by its name in PATH or by places where it may be; `create` gets where they are. */
  readonly programs: readonly (readonly string[])[];
  readonly create: (place: Place, programs: readonly string[]) => Promise<Contestant>;
}

const peers: readonly Peer[] = [
  {
    name: 'rsync -a',
    packages: 'rsync',
    programs: [['rsync']],
    create: (place) => rsyncBySsh(place, 'rsync -a', ['-a']),
  },
  {
    name: 'rsnapshot',
    packages: 'rsnapshot rsync openssh-client',
    programs: [['rsnapshot'], ['rsync'], ['ssh']],
    create: rsnapshot,
  },
  {
    name: 'restic',
    packages: 'restic openssh-sftp-server',
    programs: [['restic'], ['/usr/lib/openssh/sftp-server', '/usr/libexec/sftp-server', 'sftp-server']],
    create: (place, [, sftpServer = '']) => restic(place, sftpServer),
  },
  { name: 'borg', packages: 'borgbackup', programs: [['borg']], create: borg },
  {
    name: 'rsync_bpc',
    packages: 'backuppc-rsync',
    programs: [['/usr/libexec/backuppc-rsync/rsync_bpc', 'rsync_bpc']],
    create: (place, [program = '']) => backuppcRsync(place, program),
  },
];

export async function findPeers(place: Place): Promise<Peers> {
  const found = await Promise.all(
    peers.map(async ({ name, packages, programs, create }): Promise<Contestant | Absence> => {
      const paths = await Promise.all(programs.map(firstInstalled));
      return paths.includes(null)
        ? { name, remedy: `apt-get install ${packages}` }
        : create(
            place,
            paths.map((path) => path ?? ''),
          );
    }),
  );
  return {
    present: found.filter((one): one is Contestant => 'full' in one),
    absent: found.filter((one): one is Absence => 'remedy' in one),
  };
}
