/** Who may call, and how the API is served: what the server needs of it. */
import type { Config } from './config.js';
import { Access } from './control/access.js';
import { Tokens } from './control/tokens.js';
import type { TokenStore } from './core/access-token.js';
import type { Clock } from './core/ports.js';
import type { AccessSettings } from './core/settings.js';
import type { Logger } from './log.js';
import type { RpcParts } from './rpc/server.js';
import { tokenSecrets } from './store/token-secrets.js';

export interface AccessControl extends Pick<
  RpcParts,
  'access' | 'tokens' | 'endpointSettings' | 'hasReflection'
> {
  /** Takes over new settings. */
  apply(config: Pick<Config, 'access'>): void;
}

export function createAccess(
  config: Config,
  { store, clock, log }: { readonly store: TokenStore; readonly clock: Clock; readonly log: Logger },
): AccessControl {
  let settings: AccessSettings = config.access;
  const tokens = new Tokens({ store, secrets: tokenSecrets, clock, stopwatch: () => performance.now() });
  return {
    tokens,
    access: new Access({ tokens, settings: () => settings, clock, log }),
    endpointSettings: { socketGroup: config.socketGroup, tls: config.tls, log },
    hasReflection: config.hasReflection,
    apply: (next) => {
      settings = next.access;
    },
  };
}
