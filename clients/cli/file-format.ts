/** Files of snapshots as people read them. Pure but for the time zone. */
import { type File, FileChange, FileType } from '../../src/gen/busy/v1/browse.js';
import { formatBytes, formatTime, permissionText } from './human-format.js';

/** `-rw-r--r--  0:0  1.2 KiB  2026-11-22 20:00:05`, in columns. */
export function fileColumns(file: File): string {
  const owner = `${file.uid}:${file.gid}`.padEnd(9);
  const size = (file.type === FileType.FILE ? formatBytes(file.size) : '-').padStart(10);
  return `${modeText(file)}  ${owner}  ${size}  ${formatTime(new Date(file.mtimeSeconds * 1000))}`;
}

/** The path, where a link points, and what went wrong. */
export function namedFile(file: File, name: string = file.path): string {
  const arrow = file.type === FileType.SYMLINK ? ` -> ${file.target}` : '';
  const device = file.type !== FileType.SYMLINK && file.target !== '' ? `  (device ${file.target})` : '';
  const error = file.error === '' ? '' : `  (cannot be read: ${file.error})`;
  return `${name}${arrow}${device}${error}`;
}

/** The last part of a path. */
export function lastPart(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1) || path;
}

/** As `ls` shows it. */
export function modeText({ type, mode }: File): string {
  return `${letters[type]}${permissionText(mode)}`;
}

export function changesText(changes: readonly FileChange[]): string {
  return changes.map((change) => FileChange[change].toLowerCase()).join(', ');
}

const letters: Readonly<Record<FileType, string>> = {
  [FileType.UNSPECIFIED]: '?',
  [FileType.FILE]: '-',
  [FileType.DIRECTORY]: 'd',
  [FileType.SYMLINK]: 'l',
  [FileType.FIFO]: 'p',
  [FileType.SOCKET]: 's',
  [FileType.CHARACTER_DEVICE]: 'c',
  [FileType.BLOCK_DEVICE]: 'b',
  [FileType.UNKNOWN]: '?',
};
