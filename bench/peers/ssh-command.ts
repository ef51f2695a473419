import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Place } from '../contestants.js';

export interface SshCommand {
  /** The system's ssh with its options, to be split at blanks; without the name of the host. */
  readonly command: string;
  /** USER@HOST. */
  readonly login: string;
}

/** The system's ssh as a way to the private sshd, the key of which it checks. */
export async function sshCommand({ directory, sshd }: Omit<Place, 'bed'>): Promise<SshCommand> {
  const knownHosts = join(directory, 'known_hosts');
  await writeFile(knownHosts, `[127.0.0.1]:${sshd.port} ${sshd.hostKey}\n`);
  const settings = {
    UserKnownHostsFile: knownHosts,
    GlobalKnownHostsFile: '/dev/null',
    StrictHostKeyChecking: 'yes',
    IdentitiesOnly: 'yes',
    BatchMode: 'yes',
    ControlMaster: 'no',
    ControlPath: 'none',
  };
  const options = Object.entries(settings).map(([setting, value]) => `-o ${setting}=${value}`);
  return {
    command: `ssh -F /dev/null -p ${sshd.port} -i ${sshd.identityFile} ${options.join(' ')}`,
    login: `${sshd.user}@127.0.0.1`,
  };
}
