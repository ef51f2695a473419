/** Hosts that do not stand in the file: checked by the same rules, and completed with the same defaults. */
import type { Host } from '../core/host.js';
import type { HostSettings } from '../core/stored-host.js';
import { checkHosts, resolveHosts } from './hosts.js';
import type { Finding } from './problems.js';
import { fileSchema } from './schema.js';
import { findingsOfSchema } from './schema-findings.js';
import { keyText } from './yaml-source.js';

/** The complete host, or everything that is wrong with its settings, one sentence each. */
export type CheckedHost = { readonly host: Host } | { readonly problems: readonly string[] };

export interface HostDefaults {
  /** `defaults` of the file, as written there; must be good. */
  readonly hostDefaults: HostSettings;
  readonly stateDir: string;
}

/** Reads the settings of one host as if it were the only one of a file; never throws. */
export function checkHostSettings(
  name: string,
  settings: HostSettings,
  { hostDefaults, stateDir }: HostDefaults,
): CheckedHost {
  const data = { defaults: hostDefaults, hosts: [{ ...settings, name }] };
  const parsed = fileSchema.safeParse(data, { reportInput: true });
  const findings = [...findingsOfSchema(parsed.error?.issues ?? []), ...checkHosts(data)];
  const [host] = parsed.success ? resolveHosts(parsed.data, stateDir) : [];
  return host && findings.length === 0 ? { host } : { problems: findings.map(problemText) };
}

/** The path begins with `hosts` and the number of the host, which mean nothing to the reader here. */
function problemText({ path, wrong, allowed }: Finding): string {
  return `${keyText(path.slice(2))}: ${wrong}; allowed: ${allowed}`;
}
