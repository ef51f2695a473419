/** Deleting a snapshot: it goes to the trash first. */
import { useQueryClient } from '@tanstack/react-query';
import { useLocation } from 'wouter';
import type { Snapshot } from '../../../gen/busy/v1/snapshot_pb.js';
import { Role } from '../../../gen/busy/v1/token_service_pb.js';
import { snapshotService } from '../../api/clients.js';
import { keys } from '../../api/queries.js';
import { Confirmation } from '../../parts/confirmation.js';

export function MoveToTrash({ snapshot: { host, name } }: { readonly snapshot: Snapshot }) {
  const queries = useQueryClient();
  const [, go] = useLocation();
  const word = `${host}/${name}`;
  const remove = async (): Promise<void> => {
    await snapshotService.deleteSnapshot({ host, name, confirm: word });
    for (const key of [keys.hosts, keys.host(host), keys.snapshots(host), ['trash']])
      void queries.invalidateQueries({ queryKey: key });
    go(`/hosts/${host}`);
  };
  return (
    <Confirmation
      opener="Delete …"
      title={`Delete ${name}`}
      word={word}
      action="Move it to the trash"
      needs={Role.OPERATOR}
      onConfirm={remove}
    >
      The snapshot goes to the trash, from which it can be put back for some days. Its space is freed when it
      is gone from there.
    </Confirmation>
  );
}
