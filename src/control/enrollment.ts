/**
 * Enrolment: a host is trusted by a key that a person compared, and lets in a key that the server made for it alone.
 * Nothing here trusts a key that nobody named.
 */
import { admit, findingsOf, type Admission, type PublicKey, type ShownKey } from '../core/enrollment.js';
import { BusyError, toFailure } from '../core/errors.js';
import { ok, problem, warning, type Finding } from '../core/finding.js';
import type { Host } from '../core/host.js';
import type { HostKeys } from '../core/enrollment-ports.js';
import type { Executor } from '../core/executor-port.js';
import type { Catalog } from './catalog.js';
import type { HostRegistry } from './host-registry.js';

export interface EnrollmentParts {
  readonly catalog: Pick<Catalog, 'hosts' | 'host'>;
  readonly registry: Pick<HostRegistry, 'pin'>;
  readonly executor: Pick<Executor, 'check'>;
  readonly keys: HostKeys;
}

export class Enrollment {
  constructor(private readonly parts: EnrollmentParts) {}

  /** Throws HOST_NOT_FOUND, HOST_UNREACHABLE, CONNECTION_REFUSED or NOT_SSH. */
  async scan(name: string): Promise<ShownKey & { readonly pinnedFingerprint: string }> {
    const host = this.parts.catalog.host(name);
    const shown = await this.parts.keys.scan(host);
    return { ...shown, pinnedFingerprint: this.parts.keys.fingerprintOf(host.hostKey) };
  }

  /**
   * Pins the key of this fingerprint, if the host shows it. Throws what `scan` throws, HOST_KEY_NOT_SHOWN,
   * HOST_KEY_PINNED or HOST_KEY_IN_FILE.
   */
  async pin(
    name: string,
    fingerprint: string,
    replaces: boolean,
  ): Promise<{ readonly hostKey: string; readonly replacedFingerprint: string }> {
    const host = this.parts.catalog.host(name);
    const pinned = this.parts.keys.fingerprintOf(host.hostKey);
    const wanted = this.parts.keys.fingerprintOf(fingerprint);
    const shown = await this.parts.keys.scan({ ...host, hostKey: wanted });
    if (!shown.isPinned) {
      const { address } = shown;
      throw new BusyError('HOST_KEY_NOT_SHOWN', {
        host: name,
        address,
        shown: shown.fingerprint,
        fingerprint,
      });
    }
    if (pinned === wanted) return { hostKey: shown.hostKey, replacedFingerprint: '' };
    if (pinned !== '' && !replaces)
      throw new BusyError('HOST_KEY_PINNED', { host: name, pinned, shown: shown.fingerprint });
    await this.parts.registry.pin(name, { hostKey: shown.hostKey, before: host.hostKey });
    return { hostKey: shown.hostKey, replacedFingerprint: pinned };
  }

  /** Throws what `scan` throws, or IDENTITY_FILE_UNUSABLE. */
  async prepare(name: string): Promise<PublicKey & Admission & { readonly identityFile: string }> {
    const host = this.parts.catalog.host(name);
    const key = await this.parts.keys.prepare(host);
    const { serverAddress } = await this.parts.keys.scan(host);
    return { ...key, ...admit(host, key.publicKey, serverAddress), identityFile: host.identityFile };
  }

  /** What is found is the answer. Throws HOST_NOT_FOUND. */
  async check(name: string): Promise<Finding[]> {
    const host = this.parts.catalog.host(name);
    try {
      return findingsOf(host, await this.parts.executor.check(host));
    } catch (error) {
      return findingsOf(host, toFailure(error));
    }
  }

  /** Pins what a known_hosts file has, where nothing is pinned. `names` empty: for all hosts. Throws HOST_NOT_FOUND. */
  async importKeys(knownHosts: string, names: readonly string[]): Promise<Finding[]> {
    const { catalog } = this.parts;
    const hosts = names.length > 0 ? names.map((name) => catalog.host(name)) : catalog.hosts();
    const findings: Finding[] = [];
    for (const host of hosts) findings.push(await this.importKey(knownHosts, host));
    return findings;
  }

  private async importKey(knownHosts: string, host: Host): Promise<Finding> {
    const { keys, registry } = this.parts;
    const { name } = host;
    const compare = `busy enroll ${name} shows both and asks.`;
    const found = keys.find(knownHosts, host);
    if (!found)
      return warning(name, 'the file has no key for its addresses', `Pin it with: busy enroll ${name}`);
    const fingerprint = keys.fingerprintOf(found.hostKey);
    if (found.isRevoked)
      return problem(name, `the file says that the key ${fingerprint} is revoked`, compare);
    const pinned = keys.fingerprintOf(host.hostKey);
    if (pinned === fingerprint) return ok(name, `${fingerprint} is pinned already`);
    if (pinned !== '')
      return problem(
        name,
        `the file has ${fingerprint}, but ${pinned} is pinned; nothing was changed`,
        compare,
      );
    await registry.pin(name, { hostKey: found.hostKey, before: '' });
    return ok(name, `${fingerprint} is pinned now`);
  }
}
