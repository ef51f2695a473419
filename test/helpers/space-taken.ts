import { execFile } from 'node:child_process';

/**
 * The bytes a directory takes on its disk, as GNU du counts them, or with `apparent` those its files claim to have.
 * What is removed while du looks does not count: the daemon cleans up beside the tests. Any other complaint of du is an error.
 */
export async function spaceTaken(directory: string, { apparent = false } = {}): Promise<number> {
  const options = apparent ? ['-sb'] : ['-s', '--block-size=1'];
  return new Promise((resolve, reject) => {
    execFile(
      'du',
      [...options, directory],
      { env: { ...process.env, LC_ALL: 'C' } },
      (error, stdout, stderr) => {
        const complaints = stderr.split('\n').filter((line) => line !== '');
        if (error && !complaints.every((line) => line.endsWith(': No such file or directory'))) reject(error);
        else if (stdout === '') reject(new Error(`du counted nothing: ${stderr}`));
        else resolve(Number.parseInt(stdout, 10));
      },
    );
  });
}
