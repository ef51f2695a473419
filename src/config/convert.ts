/**
 * Turns the configuration of the original BUSY into ours. What cannot be carried over is named in comments beside
 * the place where it would stand, so that the file says itself what is still to do.
 */
import { convertSettings, noteAt, problemOf } from './convert-settings.js';
import {
  isGroup,
  parseLibconfig,
  type LibconfigGroup,
  type LibconfigSetting,
  type LibconfigValue,
} from './libconfig.js';
import { LibconfigError } from './libconfig-tokens.js';
import { ConfigError } from './problems.js';
import { quoted } from './quoted.js';
import { fileSchema } from './schema.js';
import { yamlText } from './yaml-text.js';

/**
 * Answers a file that `parseConfig` takes. `file` only names the original. Throws a ConfigError with the place when
 * the text is not libconfig's syntax.
 */
export function convertConfig(text: string, file: string): string {
  const original = parseOriginal(text, file);
  const defaults = readDefaults(original);
  const lines = [...introduction(file), '', ...comments(unknownNotes(original)), ...databaseLines(original)];
  if (defaults.lines.length > 0) lines.push('defaults:', ...indented(defaults.lines), '');
  return `${[...lines, ...hostLines(original, defaults.settings)].join('\n')}\n`;
}

type Settings = Readonly<Record<string, unknown>>;

interface OriginalHost extends LibconfigSetting {
  /** The name of its group, where the hosts are a group. */
  readonly key: string;
}

const topSettings = ['default', 'defaults', 'hosts', 'mysql_login', 'mysql_password'];

function parseOriginal(text: string, file: string): LibconfigGroup {
  try {
    return parseLibconfig(text);
  } catch (error) {
    if (!(error instanceof LibconfigError)) throw error;
    const { place, wrong, allowed } = error;
    throw new ConfigError(file, [{ ...place, key: '', wrong, allowed }], { cause: error });
  }
}

function introduction(file: string): string[] {
  return comments([
    `Converted from ${quoted(file)}, a file of the original BUSY. Lines with NOTE say what was not carried over.`,
    '',
    'Still to do for each host, before its first backup:',
    '- busy enroll NAME: it pins the key of the host, makes a key of its own for it, and prints the line for',
    '  ~/.ssh/authorized_keys of the user on the host. Or go on with the key of the original by the setting',
    '  identity_file, for example /root/.ssh/id_rsa, and with the host keys that are known already:',
    '  busy enroll --known-hosts /root/.ssh/known_hosts',
    'Hosts do not log in to this server any more: what lets them in as root here can be removed.',
  ]);
}

/** What stands beside the sections and is not known. */
function unknownNotes(original: LibconfigGroup): string[] {
  const unknown = [...original].filter(([name]) => !topSettings.includes(name));
  return unknown.map(([name, setting]) =>
    noteAt(setting, `${name} is no setting of the original BUSY and was left out`),
  );
}

/** The login for MySQL, where there is one; a note never repeats the password. */
function databaseLines(original: LibconfigGroup): string[] {
  const [login, password] = ['mysql_login', 'mysql_password'].map((name) => original.get(name));
  const first = login ?? password;
  if (!first) return [];
  const settings = {
    mysql_login: scalarText(login),
    ...(scalarText(password) === '' ? {} : { mysql_password: scalarText(password) }),
  };
  if (!fileSchema.safeParse(settings).success) {
    const lost = 'mysql_login and mysql_password: there is no name of a user, so both were left out';
    return [...comments([noteAt(first, lost)]), ''];
  }
  return [...comments([noteAt(first, mysqlNote), mysqlAdvice]), ...linesOf(settings), ''];
}

const mysqlNote =
  'the original had only its web page in MySQL. BUSY keeps all its records there with this login (mysql://localhost/busy), in tables of its own; hosts in the tables of the original are not read.';
const mysqlAdvice =
  'Better name an empty database: database: mysql://localhost/NAME. Without these lines BUSY uses a file (SQLite).';

function scalarText(setting: LibconfigSetting | undefined): string {
  const value = setting?.value;
  return typeof value === 'string' || typeof value === 'number' ? String(value) : '';
}

function readDefaults(original: LibconfigGroup): { settings: Settings; lines: string[] } {
  const setting = original.get('default') ?? original.get('defaults');
  if (!setting) return { settings: {}, lines: [] };
  if (!isGroup(setting.value)) {
    return {
      settings: {},
      lines: comments([noteAt(setting, 'default is no group of settings and was left out')]),
    };
  }
  const { settings, notes } = convertSettings(setting.value, true);
  const isEmpty = Object.keys(settings).length === 0;
  return { settings, lines: [...comments(notes), ...(isEmpty ? [] : linesOf(settings))] };
}

function hostLines(original: LibconfigGroup, defaults: Settings): string[] {
  const setting = original.get('hosts');
  const hosts = setting ? originalHosts(setting) : [];
  const names = chosenNames(hosts);
  const converted = hosts.map((host, index) => {
    const name = names[index] ?? '';
    return convertHost(host, { name, isRepeated: names.indexOf(name) < index, defaults });
  });
  const none =
    'NOTE: the file names no hosts. The original read them from its own tables in MySQL then, which BUSY does not.';
  return [
    ...(hosts.length === 0 ? comments([none]) : []),
    converted.some((host) => host.isComplete) ? 'hosts:' : 'hosts: []',
    ...converted.flatMap(({ lines }, index) => (index === 0 ? indented(lines) : ['', ...indented(lines)])),
  ];
}

/** A list of groups; also a group of groups, or one host alone. */
function originalHosts(setting: LibconfigSetting): OriginalHost[] {
  const { value, line } = setting;
  const asHost = (part: LibconfigValue): OriginalHost => ({ key: '', value: part, line: lineIn(part, line) });
  if (Array.isArray(value)) return value.map(asHost);
  if (!isGroup(value)) return [asHost(value)];
  const isGroupOfHosts = [...value.values()].every((part) => isGroup(part.value));
  return isGroupOfHosts ? [...value].map(([key, part]) => ({ key, ...part })) : [asHost(value)];
}

/** Items of a list have no line of their own; their first setting has. */
function lineIn(value: LibconfigValue, fallback: number): number {
  return isGroup(value) ? ([...value.values()][0]?.line ?? fallback) : fallback;
}

interface Surroundings {
  readonly name: string;
  /** Another host before this one has the name. */
  readonly isRepeated: boolean;
  readonly defaults: Settings;
}

function convertHost(host: OriginalHost, { name, isRepeated, defaults }: Surroundings) {
  if (!isGroup(host.value)) {
    return { isComplete: false, lines: comments([noteAt(host, 'this is no host: no group of settings')]) };
  }
  const { settings, notes } = convertSettings(host.value, false);
  const written = writtenName(host);
  const missing = [
    ...['backupdir', 'srcdirs'].filter((key) => !(key in settings) && !(key in defaults)),
    ...(isRepeated ? ['a name of its own'] : []),
  ];
  const isComplete = missing.length === 0;
  const lack = `this host lacks ${missing.join(' and ')}. Add that and remove the #`;
  const all = [
    ...(name === written ? [] : [noteAt(host, nameNote(written, name))]),
    ...notes,
    ...(isComplete ? [] : [noteAt(host, lack)]),
  ];
  const lines = [
    ...linesOf([{ name, ...settings }]),
    `  # host_key: SHA256:...  (busy enroll ${name} pins it)`,
  ];
  return { isComplete, lines: [...comments(all), ...(isComplete ? lines : comments(lines))] };
}

/** The names as they were written where BUSY allows them, else proposals that no other host has. */
function chosenNames(hosts: readonly OriginalHost[]): string[] {
  const taken = new Set(hosts.map(writtenName));
  return hosts.map((host, index) => {
    const written = writtenName(host);
    if (problemOf(written, 'name') === null) return written;
    const proposal = proposedName(host) || `host${index + 1}`;
    const free = taken.has(proposal) ? `${proposal}-${index + 1}` : proposal;
    taken.add(free);
    return free;
  });
}

function writtenName(host: OriginalHost): string {
  return settingText(host, 'name') || host.key;
}

function nameNote(written: string, name: string): string {
  const was = written === '' ? 'had no name' : `was called ${quoted(written)}, which is not allowed here`;
  return `this host ${was}; ${name} is a proposal (allowed: lower-case letters, digits and . _ -)`;
}

function proposedName(host: OriginalHost): string {
  return (writtenName(host) || settingText(host, 'hostname'))
    .toLowerCase()
    .replace(/[^a-z0-9._-]+/g, '-')
    .replace(/^[._-]+|-+$/g, '')
    .slice(0, 90);
}

function settingText(host: OriginalHost, name: string): string {
  const value = isGroup(host.value) ? host.value.get(name)?.value : undefined;
  return typeof value === 'string' ? value.trim() : '';
}

function linesOf(settings: unknown): string[] {
  return yamlText(settings).trimEnd().split('\n');
}

function comments(lines: readonly string[]): string[] {
  return lines.map((line) => `# ${line}`.trimEnd());
}

function indented(lines: readonly string[]): string[] {
  return lines.map((line) => `  ${line}`);
}
