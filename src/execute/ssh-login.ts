/** What the server shows a host to be let in: a key file, or a key that an ssh-agent holds. */
import { readFile } from 'node:fs/promises';
import ssh2, { type ConnectConfig, type IdentityCallback, type ParsedKey } from 'ssh2';
import type { PublicKey } from '../core/enrollment.js';
import { BusyError } from '../core/errors.js';
import type { Host } from '../core/host.js';
import { readIdentity } from './ssh-identity.js';

/** An agent that asks its user before each answer is not for a daemon that runs unattended. */
const agentMs = 10_000;

export type Login = Pick<ConnectConfig, 'authHandler' | 'agent'>;

/**
 * What ssh2 needs for a login. Throws IDENTITY_FILE_UNUSABLE, PASSPHRASE_WRONG, PASSPHRASE_FILE_UNUSABLE,
 * SSH_AGENT_UNAVAILABLE or SSH_AGENT_KEY_MISSING.
 */
export async function readLogin(host: Host): Promise<Login> {
  if (host.identityAgent === '') {
    // Only here ssh2 takes a key that was parsed, which its types do not tell: a passphrase takes long to try twice.
    const methods = [
      { type: 'none', username: host.user },
      { type: 'publickey', username: host.user, key: await readIdentity(host) },
    ];
    return { authHandler: methods as unknown as NonNullable<Login['authHandler']> };
  }
  return { agent: new ChosenKeys(agentSocket(host), await agentKeys(host)) };
}

/** The keys of the agent that are shown to the host: of several the one in `identityFile.pub`, where that is there. */
async function agentKeys(host: Host): Promise<readonly [ParsedKey, ...ParsedKey[]]> {
  const held = await heldKeys(host);
  const chosen = await chosenKey(`${host.identityFile}.pub`);
  const [first, ...others] = chosen === null ? held : held.filter((key) => chosen.equals(key.getPublicSSH()));
  if (first) return [first, ...others];
  const detail = held.length === 0 ? 'it holds no key' : `it does not hold the key ${host.identityFile}.pub`;
  throw missing(host, detail);
}

/** The public key of the agent that is shown to the host first. Throws as `agentKeys`. */
export async function agentPublicKey(host: Host): Promise<PublicKey> {
  const [key] = await agentKeys(host);
  return { publicKey: `${key.type} ${key.getPublicSSH().toString('base64')} ${key.comment}`, isNew: false };
}

/** The host was offered all keys of the agent that may be, and took none. */
export function agentKeyRefused(host: Host, cause: unknown): BusyError {
  return missing(host, `the host refuses every key that it offers for user "${host.user}"`, cause);
}

/** No agent, or one that does not do what it is there for. */
export function agentFailure(host: Host, cause: unknown): BusyError {
  const detail = cause instanceof Error ? cause.message : String(cause);
  return new BusyError('SSH_AGENT_UNAVAILABLE', { host: host.name, agent: nameOf(host), detail }, { cause });
}

class ChosenKeys extends ssh2.OpenSSHAgent {
  constructor(
    socket: string,
    private readonly keys: readonly ParsedKey[],
  ) {
    super(socket);
  }

  override getIdentities(callback: IdentityCallback<ParsedKey>): void {
    callback(null, [...this.keys]);
  }
}

async function heldKeys(host: Host): Promise<readonly ParsedKey[]> {
  const agent = new ssh2.OpenSSHAgent(agentSocket(host));
  let late: NodeJS.Timeout | undefined;
  try {
    return await new Promise((resolve, reject) => {
      late = setTimeout(() => reject(new Error(`no answer within ${agentMs / 1000} seconds`)), agentMs);
      agent.getIdentities((error, keys = []) => {
        if (error) reject(error);
        else resolve(keys as ParsedKey[]);
      });
    });
  } catch (error) {
    throw agentFailure(host, error);
  } finally {
    clearTimeout(late);
  }
}

function agentSocket(host: Host): string {
  if (host.identityAgent !== 'SSH_AUTH_SOCK') return host.identityAgent;
  const { SSH_AUTH_SOCK: socket = '' } = process.env;
  if (socket === '') throw agentFailure(host, new Error('it is not set in the environment of busyd'));
  return socket;
}

/** How the agent is called in sentences. */
function nameOf({ identityAgent }: Host): string {
  if (identityAgent !== 'SSH_AUTH_SOCK') return identityAgent;
  const { SSH_AUTH_SOCK: socket = '' } = process.env;
  return socket === '' ? 'SSH_AUTH_SOCK' : `${socket} (SSH_AUTH_SOCK)`;
}

/** Null when there is no such file; one that is no public key chooses none of the agent's keys. */
async function chosenKey(file: string): Promise<Buffer | null> {
  const text = await readFile(file).catch(() => null);
  if (text === null) return null;
  const parsed = ssh2.utils.parseKey(text);
  return parsed instanceof Error ? Buffer.alloc(0) : parsed.getPublicSSH();
}

function missing(host: Host, detail: string, cause?: unknown): BusyError {
  const facts = { host: host.name, agent: nameOf(host), detail, identityFile: host.identityFile };
  return new BusyError('SSH_AGENT_KEY_MISSING', facts, { cause });
}
