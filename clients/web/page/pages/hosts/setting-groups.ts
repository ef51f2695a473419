/** The settings of a host by topic, each with its meaning in a few words. A test sees that none of the contract is missing. */

export interface SettingGroup {
  readonly title: string;
  /** Shown opened; all others wait behind their title. */
  readonly isUsual?: boolean;
  /** The name in the configuration file, and what it means. */
  readonly settings: readonly (readonly [name: string, meaning: string])[];
}

export const settingGroups: readonly SettingGroup[] = [
  {
    title: 'What is backed up',
    isUsual: true,
    settings: [
      ['srcdirs', 'The directories on the host; each is one job.'],
      ['excludes', 'Patterns of what is left out.'],
      ['volatile', 'Patterns of paths that may vanish meanwhile.'],
      ['backupdir', 'The directory on this server that holds the snapshots.'],
    ],
  },
  {
    title: 'How the host is reached',
    isUsual: true,
    settings: [
      ['addresses', 'Names or IP addresses, tried in order.'],
      ['port', 'The port of its sshd.'],
      ['user', 'The user to log in as.'],
      ['hostname', 'What the command hostname prints there; empty: not compared.'],
    ],
  },
  {
    title: 'When',
    isUsual: true,
    settings: [
      [
        'schedule',
        'Times of day such as 22:00, or cron expressions; never: by hand only; empty list: as soon as due.',
      ],
      ['windows', 'When backups may run at all.'],
      ['max_age_incr', 'A backup is due when the newest snapshot is so many days old.'],
      ['max_incr', 'A full backup is made after so many incremental ones.'],
      ['max_age_full', 'A full backup is made when the last is so many days old.'],
      ['time_zone', 'The zone of schedule and windows.'],
      ['catch_up', 'How long after its time a missed backup is still made.'],
      ['jitter', 'Over how long the starts of hosts are spread.'],
      ['retry_after', 'How long after a failure it is tried again.'],
    ],
  },
  {
    title: 'What is kept',
    isUsual: true,
    settings: [
      ['keep', 'How many snapshots are kept of each kind; with none of them set all are kept.'],
      ['min_free', 'What backups leave free on the disk: a size, a share such as 5%, or 0.'],
      ['quota', 'What all backups of the host may take up together: a size, or 0 for no limit.'],
    ],
  },
  {
    title: 'Keys',
    settings: [
      ['host_key', 'The public key of the host; enrolling pins it.'],
      ['identity_file', 'The file on this server with the private key; enrolling makes it.'],
      ['identity_passphrase_file', 'The file with the passphrase of the private keys.'],
      ['identity_agent', 'The socket of an ssh-agent that holds the key instead.'],
      ['restore_identity_file', 'The private key for restores to the host.'],
    ],
  },
  {
    title: 'Copying',
    settings: [
      ['initiator', 'Which side starts rsync: server or client.'],
      ['rsync_opts', 'Options of rsync.'],
      ['rsync_path', 'The command that starts rsync on the host.'],
      ['bandwidth_limit', 'How fast the host may send.'],
      ['jobs_at_once', 'How many source directories are copied at the same time.'],
      ['connect_timeout', 'How long connecting to one address may take.'],
      ['idle_timeout', 'After how long without data a run is ended.'],
      ['timeout', 'After how long a backup is ended.'],
    ],
  },
  {
    title: 'What is suspicious',
    settings: [
      ['max_shrink', 'The share, 0 to 1, that a source directory may lose; beyond it the snapshot is held.'],
      ['max_change', 'The share of files, 0 to 1, that may be changed.'],
      ['max_entries', 'How many files, directories and all else one snapshot may hold; 0: no limit.'],
      ['rsync_memory', 'How much memory the rsync on this server may address; 0: no limit.'],
      ['allow_empty', 'Whether a source directory may be empty that was not before.'],
    ],
  },
  {
    title: 'Mail',
    settings: [
      ['email', 'The addresses that are told.'],
      ['mail', 'on_change, every_failure or never.'],
      ['mail_partial', 'Whether missing files count as a failure.'],
      ['mail_reminder', 'How often a failure that lasts is told again.'],
      ['alert_after', 'Days without a snapshot after which mail is sent.'],
    ],
  },
  {
    title: 'Archives',
    settings: [
      ['archivedir', 'The directory on this server that holds the archives; empty: nothing is archived.'],
      ['max_age', 'The age in days at which a snapshot is archived.'],
      ['archive_schedule', 'When: times of day and cron expressions; never: by hand only.'],
      ['archive_format', 'tar.gz or tar.zst.'],
      ['archive_level', 'How hard it is compressed; 0: as the compressor does by itself.'],
      ['archive_threads', 'On how many cores; 0: all.'],
      ['archive_keep', 'How many archives are kept of each kind.'],
      ['archive_copy_to', 'A directory that gets a copy of each archive.'],
    ],
  },
  {
    title: 'Verification and drills',
    settings: [
      ['verify_every', 'Days in which every byte is read once; 0: never by itself.'],
      ['verify_schedule', 'When that may begin.'],
      ['drill_schedule', 'When a restore is tried by itself.'],
      ['drill_sample', 'How many files a drill takes at random.'],
      ['drill_paths', 'What each drill restores besides.'],
    ],
  },
  {
    title: 'Commands on the host',
    settings: [
      ['pre_command', 'A command line that runs on the host before a backup.'],
      ['post_command', 'A command line that runs on the host after a backup.'],
      ['command_timeout', 'How long each of the two may take, and drill_command.'],
    ],
  },
];

/** What the file alone may set, since it runs programs on this server. */
export const groupOfFile: SettingGroup = {
  title: 'Commands on the server',
  settings: [['drill_command', 'What a drill runs on what it restored; set in the file alone.']],
};
