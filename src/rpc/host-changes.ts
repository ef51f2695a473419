/** The calls of HostService that change which hosts there are. */
import { join } from 'node:path';
import type { Catalog } from '../control/catalog.js';
import type { HostRegistry } from '../control/host-registry.js';
import type { Host } from '../core/host.js';
import type { Host as HostMessage, HostServiceServer } from '../gen/busy/v1/host_service.js';
import { noFacts, toHostMessage } from './convert.js';
import { fromSettingsMessage, readMask } from './host-settings.js';
import { requireText } from './request-shape.js';
import type { CallAdapters } from './stream.js';

export interface HostChangeParts {
  readonly registry: Pick<HostRegistry, 'create' | 'update' | 'remove'>;
  readonly catalog: Pick<Catalog, 'hosts' | 'snapshots'>;
}

type Changes = Pick<HostServiceServer, 'createHost' | 'updateHost' | 'deleteHost'>;

/** `withFacts` adds what is known of a host that is in effect. */
export function hostChangeHandlers(
  { registry, catalog }: HostChangeParts,
  calls: CallAdapters,
  withFacts: (host: Host) => HostMessage,
): Changes {
  const shown = (host: Host, isTrial: boolean): HostMessage =>
    isTrial ? toHostMessage(host, noFacts) : withFacts(host);
  return {
    createHost: calls.unary(async ({ name, settings, validateOnly }) => {
      requireText('name', name);
      const { host, etag } = await registry.create(name, fromSettingsMessage(settings), validateOnly);
      return { host: shown(host, validateOnly), etag };
    }),
    updateHost: calls.unary(async (request) => {
      const { etag, validateOnly } = request;
      const settings = fromSettingsMessage(request.settings);
      const change = { settings, mask: readMask(request.updateMask, settings) };
      const options = { etag, isTrial: validateOnly };
      const changed = await registry.update(requireText('name', request.name), change, options);
      return { host: shown(changed.host, validateOnly), etag: changed.etag };
    }),
    deleteHost: calls.unary(async ({ name, etag }, caller) => {
      const isKnown = catalog.hosts().some((host) => host.name === requireText('name', name));
      const snapshotCount = isKnown ? catalog.snapshots(name).length : 0;
      const { host, trashId } = await registry.remove(name, { etag, by: caller.name });
      return { snapshotCount, directory: host ? join(host.backupdir, name) : '', trashId };
    }),
  };
}
