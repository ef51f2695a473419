import { describe, expect, it } from 'vitest';
import { formatEndpoint, parseEndpoint } from '../../src/rpc/endpoint.js';

describe('an endpoint', () => {
  it.each([
    ['unix:/run/busy/busyd.sock', { kind: 'unix', path: '/run/busy/busyd.sock' }],
    ['unix:///run/busy.sock', { kind: 'unix', path: '/run/busy.sock' }],
    ['tcp://127.0.0.1:4000', { kind: 'tcp', host: '127.0.0.1', port: 4000 }],
    ['tcp://127.1.2.3:0', { kind: 'tcp', host: '127.1.2.3', port: 0 }],
    ['tcp://localhost:4000', { kind: 'tcp', host: '127.0.0.1', port: 4000 }],
    ['tcp://[::1]:4000', { kind: 'tcp', host: '::1', port: 4000 }],
  ])('%s is understood', (text, endpoint) => {
    expect(parseEndpoint(text)).toEqual(endpoint);
    expect(parseEndpoint(formatEndpoint(parseEndpoint(text)))).toEqual(endpoint);
  });

  it.each([
    '',
    'unix:relative.sock',
    'tcp://127.0.0.1',
    'tcp://127.0.0.1:65536',
    '127.0.0.1:4000',
    'http://x:1',
  ])('%j is refused as malformed', (text) => {
    expect(() => parseEndpoint(text)).toThrow(/is not an endpoint\. Use unix:/);
  });

  it.each([
    'tcp://0.0.0.0:4000',
    'tcp://192.0.2.1:4000',
    'tcp://[::]:4000',
    'tcp://[2001:db8::1]:4000',
    'tcp://[::ffff:192.0.2.1]:4000',
    'tcp://backup.example.org:4000',
    'tcp://127.0.0.1.example.org:4000',
    'tcp://localhost.example.org:4000',
  ])('%s is refused, since it is not loopback', (text) => {
    expect(() => parseEndpoint(text)).toThrow(/is not a loopback address/);
  });
});
