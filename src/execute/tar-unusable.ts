/** The tarball is cut off or damaged, or holds what no archive of ours has. */
export class TarUnusable extends Error {
  override readonly name = 'TarUnusable';
}
