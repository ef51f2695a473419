/** Bringing files back: first what would happen, then, when that is wanted, the same for real. */
import { create } from '@bufbuild/protobuf';
import { Dialog } from 'radix-ui';
import { useState, type ReactNode } from 'react';
import { useLocation } from 'wouter';
import { RestoreMode, RestoreTargetSchema, type RestoreTarget } from '../../../gen/busy/v1/restore_pb.js';
import { snapshotService } from '../../api/clients.js';
import { counted } from '../../format/units.js';
import { ActionButton } from '../../parts/action-button.js';
import { Foreign } from '../../parts/text.js';

interface RestoreDialogProps {
  readonly host: string;
  readonly snapshot: string;
  readonly paths: readonly string[];
}

type Place = 'original' | 'host' | 'server';

const modes = [
  [RestoreMode.NEVER_OVERWRITE, 'Leave what is there as it is'],
  [RestoreMode.NEWER_ONLY, 'Replace what differs, unless it is newer there'],
  [RestoreMode.OVERWRITE, 'Replace what differs'],
] as const;

export function RestoreDialog({ host, snapshot, paths }: RestoreDialogProps) {
  const [place, setPlace] = useState<Place>('original');
  const [directory, setDirectory] = useState('');
  const [otherHost, setOtherHost] = useState(host);
  const [mode, setMode] = useState<RestoreMode>(RestoreMode.NEVER_OVERWRITE);
  const [, go] = useLocation();
  const restore = async (dryRun: boolean): Promise<void> => {
    const { run } = await snapshotService.restore({
      requestId: crypto.randomUUID(),
      host,
      snapshot,
      paths: [...paths],
      target: targetOf(place, otherHost, directory),
      mode,
      dryRun,
    });
    if (run) go(`/runs/${run.id}`);
  };
  const isComplete = place === 'original' || directory.startsWith('/');
  return (
    <Dialog.Root>
      <Dialog.Trigger asChild>
        <button>Restore …</button>
      </Dialog.Trigger>
      <Dialog.Portal>
        <Dialog.Overlay className="overlay" />
        <Dialog.Content className="dialog">
          <Dialog.Title>Restore from {snapshot}</Dialog.Title>
          <Dialog.Description>
            {paths.length === 1 ? <Foreign text={paths[0] ?? ''} /> : counted(paths.length, 'path')} of {host}
          </Dialog.Description>
          <fieldset>
            <legend>Where to</legend>
            <Choice name="place" isChosen={place === 'original'} onChoose={() => setPlace('original')}>
              To its own place on {host}
            </Choice>
            <Choice name="place" isChosen={place === 'host'} onChoose={() => setPlace('host')}>
              To a directory of a host
            </Choice>
            <Choice name="place" isChosen={place === 'server'} onChoose={() => setPlace('server')}>
              To a directory of the backup server
            </Choice>
            {place === 'host' && (
              <label className="field">
                Host
                <input value={otherHost} onChange={(event) => setOtherHost(event.target.value)} />
              </label>
            )}
            {place !== 'original' && (
              <label className="field">
                Directory
                <input
                  value={directory}
                  placeholder="/tmp/restored"
                  onChange={(event) => setDirectory(event.target.value)}
                />
              </label>
            )}
          </fieldset>
          <fieldset>
            <legend>What is there already</legend>
            {modes.map(([value, words]) => (
              <Choice key={value} name="mode" isChosen={mode === value} onChoose={() => setMode(value)}>
                {words}
              </Choice>
            ))}
          </fieldset>
          <div className="headline">
            <ActionButton kind="primary" isDisabled={!isComplete} onAction={() => restore(true)}>
              Show what would change
            </ActionButton>
            <ActionButton kind="danger" isDisabled={!isComplete} onAction={() => restore(false)}>
              Restore
            </ActionButton>
            <Dialog.Close asChild>
              <button className="quiet">Close</button>
            </Dialog.Close>
          </div>
        </Dialog.Content>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

function targetOf(place: Place, host: string, directory: string): RestoreTarget {
  switch (place) {
    case 'original':
      return create(RestoreTargetSchema, { place: { case: 'original', value: {} } });
    case 'host':
      return create(RestoreTargetSchema, { place: { case: 'hostDirectory', value: { host, directory } } });
    case 'server':
      return create(RestoreTargetSchema, { place: { case: 'serverDirectory', value: directory } });
    default:
      return place satisfies never;
  }
}

function Choice(props: {
  readonly name: string;
  readonly isChosen: boolean;
  readonly onChoose: () => void;
  readonly children: ReactNode;
}) {
  return (
    <label className="choice">
      <input type="radio" name={props.name} checked={props.isChosen} onChange={props.onChoose} />
      {props.children}
    </label>
  );
}
