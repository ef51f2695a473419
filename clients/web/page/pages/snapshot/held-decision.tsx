/** A snapshot that the source gate holds: why, what follows, and the two ways to end it. */
import { useQueryClient } from '@tanstack/react-query';
import type { Snapshot } from '../../../gen/busy/v1/snapshot_pb.js';
import { Role } from '../../../gen/busy/v1/token_service_pb.js';
import { snapshotService } from '../../api/clients.js';
import { keys } from '../../api/queries.js';
import { ActionButton, RoleNote } from '../../parts/action-button.js';
import { Confirmation } from '../../parts/confirmation.js';
import { Foreign } from '../../parts/text.js';

interface HeldDecisionProps {
  readonly snapshot: Snapshot;
  /** It is not there any more. */
  readonly onDiscarded?: () => void;
}

export function HeldDecision({ snapshot, onDiscarded }: HeldDecisionProps) {
  const { host, name } = snapshot;
  const queries = useQueryClient();
  const end = async (discard: boolean): Promise<void> => {
    await snapshotService.acknowledgeSnapshot({ host, name, discard });
    if (discard) onDiscarded?.();
    for (const key of [keys.hosts, keys.host(host), keys.snapshots(host), ['trash']])
      await queries.invalidateQueries({ queryKey: key });
  };
  return (
    <section className="held" aria-label={`Snapshot ${name} is held`}>
      <p className="held-title">{name} is held: is the source as it should be?</p>
      <ul>
        {snapshot.heldFor.map(({ message }) => (
          <li key={message}>
            <Foreign className="" text={message} />
          </li>
        ))}
      </ul>
      <p className="faint">
        Until it is decided nothing older of {host} is removed, and the next backup does not build on it. When
        the source was emptied or changed on purpose, it is good. When a disk was not mounted, or files were
        lost, mend the source and discard it.
      </p>
      <div className="headline">
        <ActionButton needs={Role.ADMIN} onAction={() => end(false)}>
          It is good: acknowledge
        </ActionButton>
        <Confirmation
          opener="Discard …"
          title={`Discard ${name}`}
          word=""
          action="Move it to the trash"
          needs={Role.ADMIN}
          onConfirm={() => end(true)}
        >
          The snapshot goes to the trash, from which it can be put back for some days. The older snapshots
          stay, and the next backup builds on the last good one.
        </Confirmation>
      </div>
      <RoleNote needs={Role.ADMIN} />
    </section>
  );
}
