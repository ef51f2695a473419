/**
 * What may be done over a TCP port, where nobody proves who he is: any account of the machine can connect. Changing
 * hosts is not among it, since a backup runs commands and writes files as the user of the daemon, often root; nor is
 * deciding on a held snapshot, since that removes it or lets older ones go, nor deleting or emptying the trash.
 */
import {
  ResponderBuilder,
  ServerInterceptingCall,
  ServerListenerBuilder,
  type ServerInterceptor,
} from '@grpc/grpc-js';
import { BusyError } from '../core/errors.js';
import { HostServiceService } from '../gen/busy/v1/host_service.js';
import { SnapshotServiceService } from '../gen/busy/v1/snapshot_service.js';
import { TrashServiceService } from '../gen/busy/v1/trash_service.js';
import { type RpcLog, toStatus } from './status.js';

const refused = new Set<string>(
  [
    HostServiceService.createHost,
    HostServiceService.updateHost,
    HostServiceService.deleteHost,
    SnapshotServiceService.acknowledgeSnapshot,
    SnapshotServiceService.deleteSnapshot,
    TrashServiceService.restoreFromTrash,
    TrashServiceService.emptyTrash,
  ].map(({ path }) => path),
);

/** Ends such calls with NOT_OVER_TCP before their request is read. */
export function refuseOverTcp(log: RpcLog): ServerInterceptor {
  return ({ path }, call) => {
    if (!refused.has(path)) return new ServerInterceptingCall(call);
    const listener = new ServerListenerBuilder()
      .withOnReceiveMetadata(() => {
        const method = path.slice(path.lastIndexOf('/') + 1);
        call.sendStatus(toStatus(new BusyError('NOT_OVER_TCP', { method }), path, log));
      })
      .build();
    return new ServerInterceptingCall(
      call,
      new ResponderBuilder().withStart((next) => next(listener)).build(),
    );
  };
}
