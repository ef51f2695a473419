/** Permission bits as `ls -l` shows them. */
import { permissionText } from '../../../cli/human-format.js';
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
  return `${letters[type]}${permissionText(mode)}`;
}
