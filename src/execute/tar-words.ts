/**
 * What GNU tar says on stderr while it goes on: which of it is no fault. A warning about an extended attribute or an ACL
 * that could not be read or set does not change how tar ends, so it has to be heard. All that is not known to be
 * harmless is a fault. Pure.
 */

/**
 * While a tarball is written. A file seems changed where a backup makes a link to it. No tarball holds a socket. A disk
 * that knows no attributes or ACLs has none that could be lost. (`nice` may not be allowed to.)
 */
const harmlessInSending = [
  /: (file changed as we read it|socket ignored)$/,
  /^tar: Removing leading `[./]+' from (member names|hard link targets)$/,
  /: Warning: Cannot \S*(listxattr|getxattr|acl_get_file|file_has_acl)\S*: Operation not supported$/,
  /^nice: cannot set niceness: /,
];

/** An archive is compared with the manifest, which finds what has really changed or is gone. */
const harmlessInWriting = [...harmlessInSending, /: File removed before we read it$/];

/**
 * While one is unpacked. Times that are odd are set all the same. Where a disk knows no ACLs tar says so of each entry,
 * also of one that has none; of one that has, `--xattrs-include=*` makes it say a second time what was lost.
 */
const harmlessInUnpacking = [
  /: Cannot (set|drop default) POSIX ACLs for file '.*': Operation not supported$/,
  /: (time stamp .* s in the future|implausibly old time stamp .*)$/,
  /^tar: Removing leading `\/' from (member names|hard link targets)$/,
];

const summary = /^tar: Exiting with failure status due to previous errors$/;

const harmless = {
  sending: harmlessInSending,
  writing: harmlessInWriting,
  unpacking: harmlessInUnpacking,
} as const;

/** A tarball is written as a download, or as an archive, or one is unpacked. */
export type TarWork = keyof typeof harmless;

/** Whether a line (without its end) tells of something that was lost. The last one of a bad end only sums up. */
export function isTarFault(line: string, work: TarWork): boolean {
  return line !== '' && !summary.test(line) && !harmless[work].some((pattern) => pattern.test(line));
}

/** How many of these there were, and the first. */
export class TarFaults {
  count = 0;
  first = '';

  constructor(private readonly work: TarWork) {}

  /** Takes a line, without its end; answers whether it tells of a fault. */
  hear(line: string): boolean {
    if (!isTarFault(line, this.work)) return false;
    this.count += 1;
    if (this.count === 1) this.first = line;
    return true;
  }
}
