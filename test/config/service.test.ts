import { readFile } from 'node:fs/promises';
import { expect, it } from 'vitest';
import { parsed } from './parsed.js';

const unit = await readFile(new URL('../../config/busyd.service', import.meta.url), 'utf8');

it('the systemd unit fits the defaults of the configuration', () => {
  const { listen, stateDir, stopGraceMs } = parsed('hosts: []');
  expect(listen).toEqual([{ kind: 'unix', path: `/run/${setting('RuntimeDirectory')}/busyd.sock` }]);
  expect(stateDir).toBe(`/var/lib/${setting('StateDirectory')}`);
  expect(minutes(setting('TimeoutStopSec')) * 60_000).toBeGreaterThan(stopGraceMs);
  // Whoever is in socket_group must get to the socket.
  expect(setting('RuntimeDirectoryMode')).toBe('0755');
  expect(setting('ExecStart')).toContain('--config /etc/busy/busy.yaml');
});

it('the systemd unit lets running backups end, and takes nothing from snapshots', () => {
  expect(setting('KillMode')).toBe('mixed');
  expect(setting('OOMPolicy')).toBe('continue');
  for (const capability of ['CHOWN', 'FOWNER', 'FSETID', 'DAC_OVERRIDE', 'MKNOD', 'SETFCAP', 'SYS_ADMIN'])
    expect(unit).toMatch(new RegExp(`^CapabilityBoundingSet=.*\\bCAP_${capability}\\b`, 'm'));
  expect(unit).not.toMatch(/^(RestrictSUIDSGID|PrivateDevices|ProtectClock|MemoryDenyWriteExecute)=/m);
});

it('the unit of the web page talks to a port that asks for tokens', async () => {
  const web = await readFile(new URL('../../config/busy-web.service', import.meta.url), 'utf8');
  const [, server = ''] = /--server (\S+)/.exec(web) ?? [];
  expect(parsed(`{ listen: ["${server}"], hosts: [] }`).listen).toMatchObject([{ kind: 'tcp' }]);
  expect(web).toMatch(/^DynamicUser=yes$/m);
});

function setting(name: string): string {
  return new RegExp(`^${name}=(.*)$`, 'm').exec(unit)?.[1] ?? '';
}

function minutes(text: string): number {
  return Number(/^(\d+)min$/.exec(text)?.[1]);
}
