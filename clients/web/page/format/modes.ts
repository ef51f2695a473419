/** Permission bits as `ls -l` shows them. */
import { FileType } from '../../gen/busy/v1/browse_pb.js';

const letters: Readonly<Record<FileType, string>> = {
  [FileType.UNSPECIFIED]: '?',
  [FileType.UNKNOWN]: '?',
  [FileType.FILE]: '-',
  [FileType.DIRECTORY]: 'd',
  [FileType.SYMLINK]: 'l',
  [FileType.FIFO]: 'p',
  [FileType.SOCKET]: 's',
  [FileType.CHARACTER_DEVICE]: 'c',
  [FileType.BLOCK_DEVICE]: 'b',
};

/** For example `drwxr-xr-x`. */
export function modeText(type: FileType, mode: number): string {
  const triple = (shift: number, special: boolean, letter: string): string => {
    const bits = (mode >> shift) & 7;
    const execute = (bits & 1) !== 0;
    const last = special ? (execute ? letter : letter.toUpperCase()) : execute ? 'x' : '-';
    return `${bits & 4 ? 'r' : '-'}${bits & 2 ? 'w' : '-'}${last}`;
  };
  const special = (bit: number): boolean => (mode & bit) !== 0;
  return (
    letters[type] +
    triple(6, special(0o4000), 's') +
    triple(3, special(0o2000), 's') +
    triple(0, special(0o1000), 't')
  );
}
