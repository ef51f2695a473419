/** Who may do what, and how the API is served: `tls`, `certificates`, `socket_role` and `listen` together. */
import type { AccessSettings, TlsSettings } from '../core/settings.js';
import { readEndpoint } from './addresses.js';
import type { Finding } from './problems.js';
import type { FileSettings } from './schema.js';

/** Null where TLS is not set up. */
export function resolveTls({ tls }: FileSettings): TlsSettings | null {
  if (tls?.cert === undefined || tls.key === undefined) return null;
  return { certFile: tls.cert, keyFile: tls.key, clientCaFile: tls.client_ca ?? '' };
}

export function resolveAccess({ socket_role: socketRole, certificates }: FileSettings): AccessSettings {
  const users = Object.entries(certificates ?? {}).map(([name, { role, hosts }]) => [
    name,
    { role, hosts: hosts ?? null },
  ]);
  return { socketRole: socketRole ?? 'admin', certificates: Object.fromEntries(users) };
}

/** What these settings lack of each other. Looks at the file as it was written. */
export function checkAccess(data: unknown): Finding[] {
  const file = { ...(data as Readonly<Record<string, unknown>> | null) };
  const tls = typeof file.tls === 'object' && file.tls !== null ? { ...file.tls } : null;
  const has = (key: string): boolean => tls !== null && Object.hasOwn(tls, key);
  const findings: Finding[] = [];
  for (const [key, other] of [
    ['cert', 'key'],
    ['key', 'cert'],
  ] as const) {
    if (has(key) && !has(other)) {
      const wrong = `is useless without ${other}`;
      findings.push({
        path: ['tls', key],
        wrong,
        allowed: 'both, as files in PEM; busyd make-cert makes them',
      });
    }
  }
  if (file.certificates !== undefined && file.certificates !== null && !has('client_ca'))
    findings.push({
      path: ['certificates'],
      wrong: 'has no effect without client_ca in tls',
      allowed: 'leave it out, or name the file of the authority that signs the certificates of clients',
    });
  return has('cert') || has('key') ? findings : [...findings, ...endpointsInTheClear(file.listen)];
}

function endpointsInTheClear(listen: unknown): Finding[] {
  const isList = Array.isArray(listen);
  const all: readonly unknown[] = isList ? listen : [listen];
  return all.flatMap((text, index) => {
    const reading = typeof text === 'string' ? readEndpoint(text) : { wrong: '' };
    if (!('value' in reading) || reading.value.kind === 'unix' || !reading.value.isTls) return [];
    return [
      {
        path: isList ? ['listen', index] : ['listen'],
        wrong: 'can be reached by other machines, so it needs TLS',
        allowed:
          'set tls with cert and key (busyd make-cert makes them for a start), or listen on 127.0.0.1, [::1] or a unix socket',
      },
    ];
  });
}
