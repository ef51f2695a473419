/** Which endpoints may be served: what crosses a network is encrypted, and whoever calls from there is asked who he is. */
import { formatEndpoint, isLoopback, type Endpoint } from '../core/endpoint.js';

/** Thrown when the daemon cannot listen where it was told to; the message says what to do. */
export class EndpointError extends Error {
  override readonly name = 'EndpointError';
}

/** Throws an EndpointError for an endpoint beyond loopback without TLS. */
export function refuseInTheClear(endpoint: Endpoint): void {
  if (endpoint.kind === 'unix' || endpoint.isTls || isLoopback(endpoint.host)) return;
  throw new EndpointError(
    `listen: "${formatEndpoint(endpoint)}" can be reached by other machines, so it needs TLS: set tls with cert and ` +
      'key (busyd make-cert makes them for a start), or listen on 127.0.0.1, on [::1] or on a unix socket.',
  );
}
