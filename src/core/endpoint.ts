/** Where the API is served: `unix:/run/busy/busyd.sock`, `tcp://127.0.0.1:4000` or, with TLS, `tls://0.0.0.0:4000`. */
export type Endpoint =
  | { readonly kind: 'unix'; readonly path: string }
  /** Port 0: a free port is chosen. `host` is an address or a name, without brackets. */
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number; readonly isTls: boolean };

/** An address that only this machine can reach. Port 0: a free port is chosen. */
export interface LoopbackAddress {
  readonly host: string;
  readonly port: number;
}

/** As configurations write it. */
export function formatEndpoint(endpoint: Endpoint): string {
  if (endpoint.kind === 'unix') return `unix:${endpoint.path}`;
  return `${endpoint.isTls ? 'tls' : 'tcp'}://${hostAndPort(endpoint)}`;
}

/** `127.0.0.1:4000`, or `[::1]:4000`. */
export function hostAndPort({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Whether only this machine can reach an address. A name counts as beyond: a resolver could say anything. */
export function isLoopback(host: string): boolean {
  return host === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(host);
}
