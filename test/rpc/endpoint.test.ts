import { describe, expect, it } from 'vitest';
import { formatEndpoint, isLoopback } from '../../src/core/endpoint.js';
import { refuseInTheClear } from '../../src/rpc/endpoint.js';

describe('an endpoint', () => {
  it.each([
    ['unix:/run/busy/busyd.sock', { kind: 'unix', path: '/run/busy/busyd.sock' }],
    ['tcp://127.0.0.1:4000', { kind: 'tcp', host: '127.0.0.1', port: 4000, isTls: false }],
    ['tcp://127.1.2.3:0', { kind: 'tcp', host: '127.1.2.3', port: 0, isTls: false }],
    ['tcp://[::1]:4000', { kind: 'tcp', host: '::1', port: 4000, isTls: false }],
    ['tls://[::]:4000', { kind: 'tcp', host: '::', port: 4000, isTls: true }],
    ['tls://127.0.0.1:4000', { kind: 'tcp', host: '127.0.0.1', port: 4000, isTls: true }],
  ] as const)('%s may be served', (text, endpoint) => {
    expect(formatEndpoint(endpoint)).toBe(text);
    expect(() => refuseInTheClear(endpoint)).not.toThrow();
  });

  it.each([
    '0.0.0.0',
    '192.0.2.1',
    '::',
    '2001:db8::1',
    '::ffff:192.0.2.1',
    'backup.example.org',
    'localhost',
    '127.0.0.1.example.org',
  ])('%s is refused without TLS, since it is not loopback', (host) => {
    expect(isLoopback(host)).toBe(false);
    expect(() => refuseInTheClear({ kind: 'tcp', host, port: 4000, isTls: false })).toThrow(
      /can be reached by other machines, so it needs TLS: set tls .*busyd make-cert/,
    );
  });
});
