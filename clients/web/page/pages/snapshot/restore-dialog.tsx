/** Bringing files back: first what would happen, then, when that is wanted, the same for real. */
import { useQuery } from '@tanstack/react-query';
import { useCallback, useState, type ReactNode } from 'react';
import { useLocation } from 'wouter';
import { RestoreMode } from '../../../gen/busy/v1/restore_pb.js';
import { Role } from '../../../gen/busy/v1/token_service_pb.js';
import { snapshotService } from '../../api/clients.js';
import { hostsQuery } from '../../api/queries.js';
import { counted } from '../../format/units.js';
import { ActionButton } from '../../parts/action-button.js';
import { TypedWord } from '../../parts/confirmation.js';
import { Modal, ModalClose } from '../../parts/modal.js';
import { Foreign } from '../../parts/text.js';
import { DryRunResult } from './dry-run-result.js';
import {
  choiceKey,
  missingFrom,
  restoreModes,
  restoreRequest,
  targetWord,
  type RestoreChoice,
} from './restore-choice.js';

interface RestoreDialogProps {
  readonly host: string;
  readonly snapshot: string;
  readonly paths: readonly string[];
}

/** A dry run, and the choice that it tried. */
interface Trial {
  readonly key: string;
  readonly runId: string;
  readonly isGood: boolean;
}

type Wish = Pick<RestoreChoice, 'place' | 'directory' | 'otherHost' | 'mode'>;

export function RestoreDialog({ host, snapshot, paths }: RestoreDialogProps) {
  const [isOpen, setOpen] = useState(false);
  const [wish, setWish] = useState<Wish>({
    place: 'original',
    directory: '',
    otherHost: host,
    mode: RestoreMode.NEVER_OVERWRITE,
  });
  const [trial, setTrial] = useState<Trial | null>(null);
  const [isUntried, setUntried] = useState(false);
  const [typed, setTyped] = useState('');
  const [, go] = useLocation();
  const choice: RestoreChoice = { host, snapshot, paths, ...wish };
  const key = choiceKey(choice);
  const tried = trial?.key === key ? trial : null;
  const change = (next: Partial<Wish>): void => setWish((before) => ({ ...before, ...next }));
  const tryIt = async (): Promise<void> => {
    const { run } = await snapshotService.restore(restoreRequest(choice, { dryRun: true, confirm: '' }));
    if (run) setTrial({ key, runId: run.id, isGood: false });
  };
  const restore = async (): Promise<void> => {
    const { run } = await snapshotService.restore(restoreRequest(choice, { dryRun: false, confirm: typed }));
    if (run) go(`/runs/${run.id}`);
  };
  const noteSuccess = useCallback(() => setTrial((before) => before && { ...before, isGood: true }), []);
  const missing = missingFrom(choice);
  const isMirror = wish.mode === RestoreMode.MIRROR;
  return (
    <Modal
      opener="Restore …"
      needs={Role.OPERATOR}
      title={`Restore from ${snapshot}`}
      description={
        <>
          {paths.length === 1 ? <Foreign text={paths[0] ?? ''} /> : counted(paths.length, 'path')} of {host}
          {paths.length > 1 && <PathList paths={paths} />}
        </>
      }
      isOpen={isOpen}
      onOpenChange={setOpen}
    >
      <TargetFields wish={wish} host={host} onChange={change} />
      <fieldset>
        <legend>What is there already</legend>
        {restoreModes.map(([value, words]) => (
          <Choice
            key={value}
            name="mode"
            isChosen={wish.mode === value}
            onChoose={() => change({ mode: value })}
          >
            {words}
          </Choice>
        ))}
      </fieldset>
      <ActionButton kind="primary" hindrance={missing} onAction={tryIt}>
        Show what would change
      </ActionButton>
      {tried && <DryRunResult key={tried.runId} runId={tried.runId} onSuccess={noteSuccess} />}
      {isMirror && <TypedWord word={targetWord(choice)} typed={typed} onType={setTyped} />}
      {!tried?.isGood && (
        <label className="choice">
          <input type="checkbox" checked={isUntried} onChange={(event) => setUntried(event.target.checked)} />
          Restore without trying it first
        </label>
      )}
      <div className="headline dialog-end">
        <ActionButton
          kind="danger"
          hindrance={
            missing ||
            (tried?.isGood || isUntried ? '' : 'Look first at what would change.') ||
            (isMirror && typed !== targetWord(choice) ? `Type ${targetWord(choice)} first.` : '')
          }
          onAction={restore}
        >
          Restore
        </ActionButton>
        <ModalClose />
      </div>
    </Modal>
  );
}

/** All of them: some may have been chosen in directories that are not shown any more. */
function PathList({ paths }: { readonly paths: readonly string[] }) {
  return (
    <ul className="changes" aria-label="Chosen paths" tabIndex={0}>
      {paths.map((path) => (
        <li key={path}>
          <Foreign text={path} />
        </li>
      ))}
    </ul>
  );
}

function TargetFields(props: {
  readonly wish: Wish;
  readonly host: string;
  readonly onChange: (next: Partial<Wish>) => void;
}) {
  const { wish, host, onChange } = props;
  const hosts = useQuery(hostsQuery).data?.hosts.map(({ name }) => name) ?? [];
  // A snapshot may be of a host that is not there any more.
  const names = [...new Set([host, ...hosts])].sort();
  const place = (value: Wish['place'], words: string) => (
    <Choice name="place" isChosen={wish.place === value} onChoose={() => onChange({ place: value })}>
      {words}
    </Choice>
  );
  return (
    <fieldset>
      <legend>Where to</legend>
      {place('original', `To its own place on ${host}`)}
      {place('host', 'To a directory of a host')}
      {place('server', 'To a directory of the backup server')}
      {wish.place === 'host' && (
        <label className="field">
          Host
          <select value={wish.otherHost} onChange={(event) => onChange({ otherHost: event.target.value })}>
            {names.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </label>
      )}
      {wish.place !== 'original' && (
        <label className="field">
          Directory
          <input
            value={wish.directory}
            placeholder="/tmp/restored"
            onChange={(event) => onChange({ directory: event.target.value })}
          />
        </label>
      )}
    </fieldset>
  );
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
