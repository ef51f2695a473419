/** Short ways to read a configuration in tests. */
import { ConfigError, parseConfig, type Config } from '../../src/config.js';
import type { Host } from '../../src/core/host.js';

/** A whole public key, of bytes that count upwards. */
export const edKey = 'ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIAABAgMEBQYHCAkKCwwNDg8QERITFBUWFxgZGhscHR4f';

export function parsed(text: string): Config {
  return parseConfig(text, 'busy.yaml', 3);
}

/** What a configuration means, whatever it says itself and what it leaves to the defaults. */
export function meaning(config: Config): Config {
  return { ...config, written: { defaults: {}, hosts: {} } };
}

export function parsedHost(written: string): Host | undefined {
  return parsed(hostFile(written)).hosts[0];
}

/** A file with one complete host, one setting of which is replaced or added. */
export function hostFile(written: string): string {
  const key = written.split(':')[0];
  const rest = ['backupdir: /b', 'srcdirs: [/etc]'].filter((line) => !line.startsWith(`${key}:`));
  return ['hosts:', '  - name: web1', ...[...rest, written].map((line) => `    ${line}`)].join('\n');
}

/** Why a file is refused. */
export function errorOf(text: string): ConfigError {
  try {
    parsed(text);
  } catch (error) {
    if (error instanceof ConfigError) return error;
    throw error;
  }
  throw new Error('The file was taken.');
}
