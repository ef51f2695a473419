/** Where the API is served: `unix:/run/busy/busyd.sock` or `tcp://127.0.0.1:4000`. */
export type Endpoint =
  | { readonly kind: 'unix'; readonly path: string }
  /** Port 0: a free port is chosen. `host` is an address, without brackets. */
  | { readonly kind: 'tcp'; readonly host: string; readonly port: number };

/** As configurations write it. */
export function formatEndpoint(endpoint: Endpoint): string {
  return endpoint.kind === 'unix' ? `unix:${endpoint.path}` : `tcp://${hostAndPort(endpoint)}`;
}

/** `127.0.0.1:4000`, or `[::1]:4000`. */
export function hostAndPort({ host, port }: { readonly host: string; readonly port: number }): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}
