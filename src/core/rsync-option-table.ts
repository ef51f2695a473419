/** The options of rsync that a user may add, and the reasons why others are refused. */

/** Letters that may stand alone or together, as in -aHAXS. */
export const allowedLetters = 'arlptgoDHAXSxOJWzcmLky';

/** Options that `--no-` may stand before, as may the letters of the same meaning. */
const switchable = words(
  'links perms times group owner devices specials hard-links acls xattrs sparse numeric-ids one-file-system compress',
  'whole-file checksum super fuzzy ignore-errors omit-dir-times omit-link-times prune-empty-dirs',
);
const switchableLetters = 'lptgoDHAXSxOJWzcmy';

/** Long options without a value, without the two dashes. */
export const allowedFlags: ReadonlySet<string> = new Set([
  ...words('archive recursive copy-links copy-dirlinks copy-unsafe-links safe-links fake-super'),
  ...switchable,
  ...switchable.map((name) => `no-${name}`),
  ...Array.from(switchableLetters, (letter) => `no-${letter}`),
]);

interface ValueRule {
  readonly pattern: RegExp;
  /** An example, and what is allowed. */
  readonly example: string;
  readonly allowed: string;
}

const size: ValueRule = {
  pattern: /^\d{1,15}(\.\d{1,6})?([bkmgtp]|[kmgtp]i?b)?([+-]1)?$/i,
  example: '100m',
  allowed: 'its value is a size such as 500k, 1.5m or 2g',
};
const pattern: ValueRule = {
  pattern: /^(?!\s*!\s*$)[^\0\r\n]*\S[^\0\r\n]*$/,
  example: '*.tmp',
  allowed: 'its value is a pattern; a lone ! would cancel the excludes of the configuration',
};
const idMap: ValueRule = {
  pattern: /^[\w.*?-]+:[\w.*?-]+(,[\w.*?-]+:[\w.*?-]+)*$/,
  example: '0-99:nobody,*:backup',
  allowed: 'its value is a list of FROM:TO',
};

/** Long options with a value, which must stand in the same word. */
export const allowedValues: ReadonlyMap<string, ValueRule> = new Map([
  ['compress-level', { pattern: /^-?\d{1,3}$/, example: '1', allowed: 'its value is a number' }],
  ['max-size', size],
  ['min-size', size],
  ['modify-window', { pattern: /^-?\d{1,9}$/, example: '1', allowed: 'its value is a number of seconds' }],
  ['exclude', pattern],
  ['include', pattern],
  [
    'filter',
    {
      // Merge rules (. and : and their long names) read files of the server, C reads its CVS settings.
      pattern: /^([-+HS],?[/!rsx]*|(exclude|include|hide|show)(,[/!rsx]+)?)[ _][^\0\r\n]*\S[^\0\r\n]*$/,
      example: '- *.tmp',
      allowed:
        'only the rules - + exclude include hide show may be used; merge rules would read files of the server',
    },
  ],
  [
    'chmod',
    {
      pattern: /^[DF]?[0-7ugoarwxXst=+-]+(,[DF]?[0-7ugoarwxXst=+-]+)*$/,
      example: 'D755,F644',
      allowed: 'its value is a list of modes',
    },
  ],
  [
    'chown',
    { pattern: /^(?=.)[\w.-]*(:[\w.-]*)?$/, example: 'backup:backup', allowed: 'its value is USER:GROUP' },
  ],
  ['usermap', idMap],
  ['groupmap', idMap],
]);

/** Letters after which the rest of the word is a value. */
export const lettersWithValue = 'efBMT@';

interface Refusal {
  readonly letters: string;
  /** Matches long names without the two dashes. */
  readonly names: RegExp;
  readonly why: string;
}

const refusals: readonly Refusal[] = [
  {
    letters: '',
    names: /^(inplace|append|append-verify|write-devices)$/,
    why: 'it writes into existing files, which older snapshots share',
  },
  {
    letters: 'K',
    names: /^keep-dirlinks$/,
    why: 'it follows symbolic links inside the snapshot, so a host could write outside of it',
  },
  {
    letters: 'UN',
    names: /^(atimes|crtimes|no-atimes|no-crtimes|open-noatime)$/,
    why: 'rsync 3.1 does not know it, and new access times would be written into files that older snapshots share',
  },
  {
    letters: 'uI',
    names: /^(update|ignore-times|size-only|existing|ignore-existing|ignore-non-existing)$/,
    why: 'a snapshot must hold each file as it is now, so BUSY alone says which copy is taken over',
  },
  {
    letters: '',
    names: /^(del|delete(-.*)?|max-delete|force|ignore-missing-args)$/,
    why: 'nothing is to be deleted: every snapshot begins empty',
  },
  {
    letters: 'bT',
    names:
      /^(link-dest|copy-dest|compare-dest|partial|partial-dir|no-partial|temp-dir|delay-updates|backup|backup-dir|suffix|mkpath|fsync|preallocate|copy-as)$/,
    why: 'BUSY itself sets where and how a snapshot is written',
  },
  {
    letters: 'Rd',
    names:
      /^(no-recursive|no-r|dirs|old-dirs|old-d|no-dirs|no-d|relative|no-relative|no-R|implied-dirs|no-implied-dirs|list-only)$/,
    why: 'a source directory is always copied whole, to its own path in the snapshot',
  },
  {
    letters: 'eMs46',
    names:
      /^(rsh|rsync-path|remote-option|blocking-io|no-blocking-io|secluded-args|protect-args|no-s|old-args|no-old-args|trust-sender|protocol|sockopts|address|port|ipv4|ipv6|timeout|no-timeout|contimeout|server|sender)$/,
    why: 'BUSY itself makes the connection to the host (see rsync_path, port, connect_timeout and idle_timeout)',
  },
  { letters: '', names: /^bwlimit$/, why: 'use bandwidth_limit' },
  { letters: '', names: /^remove-(source|sent)-files$/, why: 'it would delete files on the host' },
  {
    letters: 'CF0',
    names:
      /^(cvs-exclude|files-from|exclude-from|include-from|from0|password-file|early-input|log-file|log-file-format|write-batch|only-write-batch|read-batch|daemon|config|dparam)$/,
    why: 'it reads or writes files of the server (put patterns into excludes)',
  },
  { letters: 'f', names: /^$/, why: 'write --filter=RULE' },
  { letters: '@', names: /^$/, why: 'write --modify-window=SECONDS' },
  { letters: 'n', names: /^dry-run$/, why: 'a backup that copies nothing is none' },
  {
    letters: 'Phivq8V',
    names:
      /^(progress|info|debug|out-format|log-format|stats|itemize-changes|verbose|no-verbose|quiet|stderr|msgs2stderr|human-readable|no-human-readable|8-bit-output|outbuf|help|version|motd|no-motd)$/,
    why: 'BUSY reads what rsync prints, which must look as it expects',
  },
  { letters: '', names: /^munge-links$/, why: 'it would change the symbolic links in the snapshot' },
  { letters: '', names: /^stop-(at|after)$/, why: 'it would end a backup halfway' },
];

/** Why a letter or a long name is refused. */
export function whyRefused(option: { readonly letter: string } | { readonly name: string }): string {
  const refusal = refusals.find(({ letters, names }) =>
    'letter' in option ? letters.includes(option.letter) : names.test(option.name),
  );
  return (
    refusal?.why ??
    'only options that say what is copied, what is kept of it and how it is compared may be used'
  );
}

function words(...lines: readonly string[]): string[] {
  return lines.flatMap((line) => line.split(' '));
}
