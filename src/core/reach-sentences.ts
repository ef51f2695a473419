/** The reasons why a host cannot be reached or trusted; a part of the catalogue in `error-sentences.ts`. */
import { says, type Sentence } from './sentence.js';

export const reachSentences = {
  HOST_UNREACHABLE: says(
    'UNAVAILABLE',
    (f) => `Host "${f.host}" does not answer at ${f.address}: ${f.detail}.`,
    () => 'Check that it is switched on and connected, and that the address in the configuration is right.',
  ),
  CONNECTION_REFUSED: says(
    'UNAVAILABLE',
    (f) => `Host "${f.host}" refuses connections at ${f.address}.`,
    () => 'Check that sshd runs there and that the port in the configuration is right.',
  ),
  NOT_SSH: says(
    'UNAVAILABLE',
    (f) => `What answers for host "${f.host}" at ${f.address} does not speak SSH: ${f.detail}.`,
    () => 'Check the port in the configuration.',
  ),
  SSH_KEY_REFUSED: says(
    'FAILED_PRECONDITION',
    (f) => `Host "${f.host}" refuses the key ${f.identityFile} for user "${f.user}".`,
    (f) =>
      `Its line for ~/.ssh/authorized_keys of "${f.user}" there is printed by: busy enroll ${f.host}. If it is there already: is its from= the address that the host sees, and are home, .ssh and the file writable by their owner alone?`,
  ),
  IDENTITY_FILE_UNUSABLE: says(
    'FAILED_PRECONDITION',
    (f) => `The key file ${f.identityFile} of host "${f.host}" cannot be used: ${f.detail}.`,
    (f) =>
      `busy enroll ${f.host} makes a key for it; or set identity_file to a private key that busyd can read.`,
  ),
  PASSPHRASE_FILE_UNUSABLE: says(
    'FAILED_PRECONDITION',
    (f) => `The passphrase file ${f.file} of host "${f.host}" cannot be used: ${f.detail}.`,
    () => 'Write the passphrase into its first line; it must belong to the user of busyd, mode 0600.',
  ),
  PASSPHRASE_WRONG: says(
    'FAILED_PRECONDITION',
    (f) => `The passphrase in ${f.file} does not open the key ${f.identityFile} of host "${f.host}".`,
    (f) => `Try it with: ssh-keygen -y -f ${f.identityFile}. Then correct the first line of the file.`,
  ),
  SSH_AGENT_UNAVAILABLE: says(
    'FAILED_PRECONDITION',
    (f) => `The ssh-agent ${f.agent} for host "${f.host}" cannot be used: ${f.detail}.`,
    () =>
      'Start it as the user of busyd (ssh-agent -a SOCKET), add the key with ssh-add, and set identity_agent to its socket.',
  ),
  SSH_AGENT_KEY_MISSING: says(
    'FAILED_PRECONDITION',
    (f) => `The ssh-agent ${f.agent} has no key for host "${f.host}": ${f.detail}.`,
    (f) =>
      `Add it: SSH_AUTH_SOCK=SOCKET ssh-add KEY. Its public key must be in authorized_keys there, and in ${f.identityFile}.pub if that file is there.`,
  ),
  HOST_KEY_UNKNOWN: says(
    'FAILED_PRECONDITION',
    (f) => `Host "${f.host}" has no pinned host key, so it is not trusted. It shows ${f.shown}.`,
    (f) =>
      `Compare it on the host (ssh-keygen -lf /etc/ssh/ssh_host_ed25519_key.pub), then: busy enroll ${f.host}`,
  ),
  HOST_KEY_CHANGED: says(
    'FAILED_PRECONDITION',
    (f) => `Host "${f.host}" at ${f.address} shows the host key ${f.shown}, but ${f.pinned} is pinned.`,
    (f) =>
      `Nothing was sent. Either the host was installed anew, or something else answers in its place: find out which. Only then: busy enroll ${f.host} --replace-key`,
  ),
  HOSTNAME_MISMATCH: says(
    'FAILED_PRECONDITION',
    (f) =>
      `The host at ${f.address} calls itself "${f.shown}", but "${f.expected}" is configured for "${f.host}".`,
    () => 'Correct hostname or addresses in the configuration.',
  ),
  CONNECTION_LOST: says(
    'UNAVAILABLE',
    (f) => `The connection to host "${f.host}" was lost: ${f.detail}.`,
    () =>
      'The next backup goes on from what was copied. If it happens often, check the network and sshd there.',
  ),
  HOST_WENT_AWAY: says(
    'UNAVAILABLE',
    (f) => `Host "${f.host}" went away in the middle of its backup: ${f.reason}. ${f.before}`,
    () => 'It is backed up again when it is back, and goes on from what was copied.',
  ),
  HOST_STALLED: says(
    'UNAVAILABLE',
    (f) => `Host "${f.host}" sent nothing for ${f.seconds} seconds.`,
    () => 'Look for a hanging file system there (for example a dead NFS mount), or raise idle_timeout.',
  ),
  HOST_MISBEHAVED: says(
    'FAILED_PRECONDITION',
    (f) => `Host "${f.host}" broke the rules of the transfer: ${f.detail}.`,
    () => 'Nothing was written outside the partial snapshot. Check what rsync and the login shell are there.',
  ),
} as const satisfies Record<string, Sentence>;
