/** The commands of busyd beside running it: they read a configuration, print, and end. */
import { readFile } from 'node:fs/promises';
import { cpus } from 'node:os';
import { ConfigError, readConfig } from './config.js';
import { convertConfig } from './config/convert.js';
import { describeConfig } from './config/describe.js';
import { openSecrets } from './daemon-secrets.js';

/**
 * Checks a configuration and answers the settings in effect as YAML, or when `isQuiet` only what it warns of. Throws a ConfigError
 * with all problems.
 */
export async function checkConfig(file: string, isQuiet: boolean): Promise<string> {
  const config = await readConfig(file, cpus().length);
  const open = await openSecrets(config, config.hosts);
  const warnings = open
    .map(({ subject, text, advice }) => `# Warning: ${subject}: ${text}. ${advice}\n`)
    .join('');
  if (isQuiet) return warnings;
  const unpinned = config.hosts.filter((host) => host.hostKey === '').map((host) => host.name);
  const missing = `# Without host_key, so not backed up yet (busy enroll NAME pins it): ${unpinned.join(', ')}\n`;
  const { database } = config;
  const isHidden = database.kind === 'mysql' && database.password !== '';
  const notes = [
    unpinned.length > 0 ? missing : '',
    isHidden ? '# The password of the database is not shown.\n' : '',
  ];
  return `# ${file} is good. The settings in effect:\n${warnings}${notes.join('')}${describeConfig(config)}`;
}

/** Answers a file of the original BUSY as YAML for this one. Throws a ConfigError. */
export async function convertOriginalConfig(file: string): Promise<string> {
  return convertConfig(decoded(await readOriginal(file)), file);
}

async function readOriginal(file: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (error) {
    const wrong = `the file cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    const allowed = 'a configuration file of the original BUSY, such as /etc/busy/busy.conf';
    throw new ConfigError(file, [{ line: 0, column: 0, key: '', wrong, allowed }], { cause: error });
  }
}

/** Files of that age may be in Latin-1, which is never good UTF-8 when it has umlauts. */
function decoded(bytes: Buffer): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    return bytes.toString('latin1');
  }
}
