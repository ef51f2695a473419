/** The settings of a host to be edited, by topic. */
import { useQuery } from '@tanstack/react-query';
import { useMemo, useRef, useState, type FormEvent, type ReactNode } from 'react';
import type { HostSettings } from '../../../gen/busy/v1/host_settings_pb.js';
import { troubleOf } from '../../api/errors.js';
import { defaultsQuery } from '../../api/queries.js';
import { ActionButton } from '../../parts/action-button.js';
import { Failure } from '../../parts/notices.js';
import { SettingField } from './setting-field.js';
import { settingGroups, type SettingGroup } from './setting-groups.js';
import {
  changedNames,
  fromTexts,
  problemsOf,
  toTexts,
  type SettingProblems,
  type SettingTexts,
} from './setting-texts.js';

export interface SettingsChange {
  /** Those that have a value. */
  readonly settings: HostSettings;
  /** The names of those that were changed. */
  readonly changed: readonly string[];
}

interface SettingsFormProps {
  readonly before: HostSettings | undefined;
  /** The words of the button. */
  readonly action: string;
  /** Why it cannot be saved; empty: it can. */
  readonly hindrance: string;
  /** A new host is saved without a change too. */
  readonly isNew: boolean;
  readonly onSave: (change: SettingsChange) => Promise<void>;
  /** Gives another `before`, when somebody else has changed the host meanwhile. */
  readonly onReload?: () => Promise<void>;
  /** What stands above the settings. */
  readonly children?: ReactNode;
}

export function SettingsForm(props: SettingsFormProps) {
  const { before, action, hindrance, isNew, onSave, onReload, children } = props;
  const first = useMemo(() => toTexts(before), [before]);
  const [texts, setTexts] = useState<SettingTexts>(first);
  const [problems, setProblems] = useState<SettingProblems>({});
  const [error, setError] = useState<unknown>(null);
  const [isBusy, setBusy] = useState(false);
  const form = useRef<HTMLFormElement>(null);
  const defaults = useQuery(defaultsQuery);
  const changed = changedNames(first, texts);
  // The form itself stays, and with it the focus: only what stands in it becomes another.
  const [shown, setShown] = useState(before);
  if (shown !== before) {
    setShown(before);
    setTexts(first);
    setProblems({});
    setError(null);
  }
  const refusal = hindrance || (isNew || changed.length > 0 ? '' : 'Nothing was changed.');

  const fail = (found: SettingProblems): void => {
    setProblems(found);
    const [name] = Object.keys(found);
    // What is wrong may wait behind the title of its topic.
    const field = name === undefined ? null : form.current?.querySelector<HTMLElement>(`[name="${name}"]`);
    field?.closest('details')?.setAttribute('open', '');
    field?.focus();
  };
  const save = async (event: FormEvent): Promise<void> => {
    event.preventDefault();
    if (refusal !== '' || isBusy) return;
    setError(null);
    const read = fromTexts(texts);
    if ('problems' in read) return fail(read.problems);
    setBusy(true);
    try {
      setProblems({});
      await onSave({ settings: read.settings, changed });
    } catch (failure) {
      const { facts } = troubleOf(failure);
      setError(failure);
      fail(problemsOf(facts.problems ?? ''));
    } finally {
      setBusy(false);
    }
  };
  const fields = ({ settings }: SettingGroup) =>
    settings.map(([name, meaning]) => (
      <SettingField
        key={name}
        name={name}
        meaning={meaning}
        text={texts[name] ?? ''}
        fallback={defaults.data?.settings.find((setting) => setting.name === name)}
        problem={problems[name]}
        onChange={(text) => setTexts((known) => ({ ...known, [name]: text }))}
      />
    ));
  return (
    <form ref={form} className="settings-form" onSubmit={(event) => void save(event)} noValidate>
      {children}
      {settingGroups.map((group) => (
        <details key={group.title} className="group" open={group.isUsual === true || hasOwn(group, first)}>
          <summary>{group.title}</summary>
          {fields(group)}
        </details>
      ))}
      {error !== null && <Failure error={error} />}
      {onReload && troubleOf(error).reason === 'HOST_CHANGED' && (
        <ActionButton onAction={onReload}>Load the new settings</ActionButton>
      )}
      <div className="form-end">
        <button
          className="primary"
          aria-disabled={refusal !== '' || isBusy}
          title={refusal === '' ? undefined : refusal}
        >
          {action}
        </button>
        <span className="faint" role="status">
          {changed.length > 0 && `Changed: ${changed.join(', ')}`}
        </span>
      </div>
    </form>
  );
}

function hasOwn({ settings }: SettingGroup, texts: SettingTexts): boolean {
  return settings.some(([name]) => texts[name] !== undefined);
}
