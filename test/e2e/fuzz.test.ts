/**
 * A minute of hostile clients at the TCP port: the daemon stays up, its memory and its descriptors stay bounded, and
 * other clients are answered meanwhile. `FUZZ_SECONDS` makes it longer.
 */
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { DaemonServiceService } from '../../src/gen/busy/v1/daemon_service.js';
import { cli } from '../clients/cli/harness.js';
import { attacks, type Target } from '../fuzz/attacks.js';
import { callMethod } from '../helpers/grpc-calls.js';
import { TestBed, until } from '../helpers/test-bed.js';

const seconds = Number(process.env.FUZZ_SECONDS ?? 60);
const memoryLimit = 700 * 1024 ** 2;

let bed: TestBed;
let plain = '';
let token = '';
let attackersToken = '';

beforeAll(async () => {
  bed = await TestBed.create();
  const hosts = Array.from({ length: 50 }, (_, index) => ({
    name: `host${index}`,
    addresses: ['127.0.0.1'],
    port: 1,
    backupdir: bed.backupdir,
    srcdirs: ['/etc'],
    schedule: 'never',
    verify_every: 0,
  }));
  await bed.configure(hosts, { listen: [`unix:${bed.socket}`, 'tcp://127.0.0.1:0'] });
  await bed.startDaemon();
  const client = bed.info;
  const { endpoints } = await callMethod(client, DaemonServiceService.getDaemonInfo, {});
  client.close();
  plain = endpoints[1] ?? '';
  [token, attackersToken] = await Promise.all([makeToken('good'), makeToken('bad')]);
});
afterAll(() => bed.end());

it(
  'lives on under every attack, answers others, and is as before when they have ended',
  async () => {
    const port = Number(new URL(plain.replace('tcp:', 'http:')).port);
    const descriptorsBefore = await descriptorCount();
    const seen: Record<string, { memory: number; descriptors: number; answers: number }> = {};
    const names = Object.keys(attacks);
    for (const [index, name] of names.entries()) {
      const target: Target = { host: '127.0.0.1', port, from: `127.0.0.${index + 2}`, token: attackersToken };
      seen[name] = await under(name, target, (seconds * 1000) / names.length);
    }
    for (const [name, { memory, descriptors, answers }] of Object.entries(seen)) {
      expect(memory, name).toBeLessThan(memoryLimit);
      expect(descriptors, name).toBeLessThan(600);
      expect(answers, name).toBeGreaterThanOrEqual(2);
    }
    await until(async () => (await descriptorCount()) <= descriptorsBefore + 5, 'the connections to be gone');
    expect(bed.daemonLog()).not.toMatch(/failed unexpectedly|uncaught|Unhandled/i);
  },
  seconds * 1000 + 600_000,
);

/** Carries out one attack, and meanwhile asks as others would, on the socket and on the port. */
async function under(
  name: string,
  target: Target,
  ms: number,
): Promise<{ memory: number; descriptors: number; answers: number }> {
  const stop = new AbortController();
  const attack = attacks[name]?.(target, stop.signal);
  const most = { memory: 0, descriptors: 0, answers: 0 };
  const ended = delay(ms).then(() => stop.abort());
  do {
    for (const server of [`unix:${bed.socket}`, plain]) {
      const { exitCode, stderr } = await cli(['--server', server, 'hosts', '--json'], {
        io: { env: { BUSY_TOKEN: token } },
      });
      expect({ exitCode, stderr }, name).toEqual({ exitCode: 0, stderr: '' });
      most.answers += 1;
    }
    most.memory = Math.max(most.memory, await residentBytes());
    most.descriptors = Math.max(most.descriptors, await descriptorCount());
  } while (!stop.signal.aborted);
  await Promise.all([attack, ended]);
  return most;
}

async function makeToken(name: string): Promise<string> {
  const server = ['--server', `unix:${bed.socket}`];
  const { stdout } = await cli([...server, 'token', 'create', '--role', 'viewer', '--json', name]);
  return (JSON.parse(stdout) as { token: string }).token;
}

async function residentBytes(): Promise<number> {
  const status = await readFile(`/proc/${bed.daemonPid()}/status`, 'utf8');
  return Number(/^VmRSS:\s+(\d+) kB$/m.exec(status)?.[1]) * 1024;
}

async function descriptorCount(): Promise<number> {
  return (await readdir(`/proc/${bed.daemonPid()}/fd`)).length;
}
