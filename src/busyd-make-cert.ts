/**
 * `busyd make-cert`: a private authority and certificates that it signs, for a start with TLS. Nothing that is there is
 * ever overwritten; the authority is used again.
 */
// What makes the certificates needs it loaded before.
import 'reflect-metadata';
import { KeyObject, webcrypto } from 'node:crypto';
import { access, mkdir, readFile, writeFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { join } from 'node:path';
import * as x509 from '@peculiar/x509';

export interface CertificateWishes {
  readonly directory: string;
  /** Names and addresses by which clients call the server; empty: `defaultHosts`. */
  readonly hosts: readonly string[];
  readonly defaultHosts: readonly string[];
  /** Names of clients; each gets a certificate. */
  readonly clients: readonly string[];
  readonly now: Date;
}

/** Thrown when nothing was made; the message says what to do. */
export class CertificateError extends Error {
  override readonly name = 'CertificateError';
}

const day = 86_400_000;
const authorityDays = 3650;
/** As long as common clients believe in. */
const certificateDays = 820;
const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const goodName = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,63}$/;
const goodHost = /^[A-Za-z0-9*]([A-Za-z0-9.-]*[A-Za-z0-9])?$/;

/** Makes what is missing and answers what was done, as text. Throws a CertificateError. */
export async function makeCertificates(wishes: CertificateWishes): Promise<string> {
  x509.cryptoProvider.set(webcrypto);
  await checkWishes(wishes);
  const { directory, now } = wishes;
  const file = (name: string): string => join(directory, name);
  await mkdir(directory, { recursive: true, mode: 0o750 });
  const made: string[] = [];
  const keep = async (name: string, pair: Pair): Promise<void> => {
    await writeFile(file(`${name}.key`), pair.key, { flag: 'wx', mode: 0o600 });
    await writeFile(file(`${name}.crt`), pair.cert, { flag: 'wx', mode: 0o644 });
    made.push(`${file(`${name}.crt`)} and ${name}.key`);
  };

  if (!(await exists(file('ca.crt')))) await keep('ca', await makeAuthority(now));
  const authority = await readAuthority(file('ca.crt'), file('ca.key'));
  if (!(await exists(file('server.crt')))) {
    const hosts = wishes.hosts.length > 0 ? wishes.hosts : wishes.defaultHosts;
    await keep('server', await sign(authority, { name: hosts[0] ?? 'busyd', hosts, now }));
  }
  for (const name of wishes.clients) await keep(name, await sign(authority, { name, hosts: null, now }));
  return report(made, wishes);
}

interface Pair {
  readonly key: string;
  readonly cert: string;
}

interface Authority {
  readonly cert: x509.X509Certificate;
  readonly key: webcrypto.CryptoKey;
}

/** Before anything is made, so that nothing is half made. */
async function checkWishes({ directory, hosts, clients }: CertificateWishes): Promise<void> {
  for (const host of hosts) {
    if (isIP(host) === 0 && !goodHost.test(host))
      throw new CertificateError(`--host: "${host}" is neither a name nor an address.`);
  }
  for (const name of clients) {
    if (!goodName.test(name) || name === 'ca' || name === 'server')
      throw new CertificateError(
        `--client: "${name}" is no good name: at most 64 letters, digits and . _ @ -, and neither ca nor server.`,
      );
  }
  const wanted = [...(hosts.length > 0 ? ['server'] : []), ...clients];
  for (const name of wanted.flatMap((wish) => [`${wish}.crt`, `${wish}.key`])) {
    if (await exists(join(directory, name)))
      throw new CertificateError(
        `${join(directory, name)} is there already. Move it away to make a new one.`,
      );
  }
}

async function makeAuthority(now: Date): Promise<Pair> {
  const keys = await makeKeys();
  const cert = await x509.X509CertificateGenerator.createSelfSigned({
    ...validity(now, authorityDays),
    name: [{ CN: ['BUSY private authority'] }],
    signingAlgorithm: algorithm,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return toPair(keys, cert);
}

async function readAuthority(certFile: string, keyFile: string): Promise<Authority> {
  try {
    const der = x509.PemConverter.decode(await readFile(keyFile, 'utf8'))[0];
    if (!der) throw new Error('it holds no key');
    const key = await webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']);
    return { cert: new x509.X509Certificate(await readFile(certFile, 'utf8')), key };
  } catch (error) {
    const what = error instanceof Error ? error.message : String(error);
    throw new CertificateError(
      `The authority of ${certFile} and ${keyFile} cannot be used: ${what}. Use another --dir, or bring both files back.`,
      { cause: error },
    );
  }
}

/** `hosts` null: for a client. */
async function sign(
  authority: Authority,
  {
    name,
    hosts,
    now,
  }: { readonly name: string; readonly hosts: readonly string[] | null; readonly now: Date },
): Promise<Pair> {
  const keys = await makeKeys();
  const usage = hosts === null ? x509.ExtendedKeyUsage.clientAuth : x509.ExtendedKeyUsage.serverAuth;
  const names = hosts?.map((host) => ({ type: isIP(host) === 0 ? 'dns' : 'ip', value: host }) as const);
  const cert = await x509.X509CertificateGenerator.create({
    ...validity(now, certificateDays),
    subject: [{ CN: [name] }],
    issuer: authority.cert.subjectName,
    publicKey: keys.publicKey,
    signingKey: authority.key,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(false, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
      new x509.ExtendedKeyUsageExtension([usage]),
      await x509.AuthorityKeyIdentifierExtension.create(authority.cert.publicKey),
      ...(names ? [new x509.SubjectAlternativeNameExtension([...names])] : []),
    ],
  });
  return toPair(keys, cert);
}

function makeKeys(): Promise<webcrypto.CryptoKeyPair> {
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
}

/** An hour back, for clocks that are behind. */
function validity(now: Date, days: number): { readonly notBefore: Date; readonly notAfter: Date } {
  return {
    notBefore: new Date(now.getTime() - 3_600_000),
    notAfter: new Date(now.getTime() + days * day),
  };
}

function toPair({ privateKey }: webcrypto.CryptoKeyPair, cert: x509.X509Certificate): Pair {
  const key = KeyObject.from(privateKey).export({ type: 'pkcs8', format: 'pem' });
  return { key: String(key), cert: `${cert.toString('pem')}\n` };
}

async function exists(file: string): Promise<boolean> {
  return access(file).then(
    () => true,
    () => false,
  );
}

function report(made: readonly string[], { directory, clients }: CertificateWishes): string {
  if (made.length === 0) return `All is there already in ${directory}; nothing was made.\n`;
  return `Made, in PEM; the keys are secret (mode 0600):
${made.map((files) => `  ${files}`).join('\n')}

In the configuration of busyd, which must be able to read the files:
  listen: [unix:/run/busy/busyd.sock, tcp://0.0.0.0:4000]
  tls:
    cert: ${join(directory, 'server.crt')}
    key: ${join(directory, 'server.key')}
    client_ca: ${join(directory, 'ca.crt')}
${clients.map((name) => `  certificates: { ${name}: { role: viewer } }\n`).join('')}
Clients need ca.crt: busy --server tls://HOST:4000 --ca ca.crt info
Keep ca.key away from other machines: whoever has it can make certificates that are believed.
`;
}
