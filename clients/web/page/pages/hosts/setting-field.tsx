/** One setting of a form: its name and meaning, its text, what holds without one, and what is wrong with it. */
import { useId } from 'react';
import { SettingSource, type SettingInEffect } from '../../../gen/busy/v1/host_settings_pb.js';
import { settingKinds } from './setting-texts.js';

interface SettingFieldProps {
  readonly name: string;
  readonly meaning: string;
  readonly text: string;
  /** What holds without a value of its own. */
  readonly fallback: SettingInEffect | undefined;
  readonly problem: string | undefined;
  readonly onChange: (text: string) => void;
}

export function SettingField({ name, meaning, text, fallback, problem, onChange }: SettingFieldProps) {
  const id = useId();
  const kind = settingKinds[name] ?? 'text';
  const common = {
    id,
    name,
    value: text,
    'aria-invalid': problem !== undefined,
    'aria-describedby': `${id}-help`,
  } as const;
  return (
    <div className={problem === undefined ? 'setting' : 'setting setting-wrong'}>
      <label htmlFor={id}>{name}</label>
      {kind === 'boolean' ? (
        <select {...common} onChange={(event) => onChange(event.target.value)}>
          <option value="">the default</option>
          <option value="true">true</option>
          <option value="false">false</option>
        </select>
      ) : kind === 'list' || kind === 'keep' ? (
        <textarea
          {...common}
          rows={Math.min(8, Math.max(2, text.split('\n').length))}
          spellCheck={false}
          placeholder={fallback?.values.join('\n')}
          onChange={(event) => onChange(event.target.value)}
        />
      ) : (
        <input
          {...common}
          spellCheck={false}
          autoComplete="off"
          inputMode={kind === 'text' ? 'text' : 'decimal'}
          placeholder={fallback?.values.join(' ')}
          onChange={(event) => onChange(event.target.value)}
        />
      )}
      <p id={`${id}-help`} className="setting-help">
        {problem !== undefined && <span className="problem">{problem}. </span>}
        {meaning} {kind === 'list' && 'One in a line; [] alone: none, whatever the defaults say. '}
        {kind === 'keep' && 'One in a line, such as daily: 7. '}
        <span className="faint">{fallbackWords(fallback)}</span>
      </p>
    </div>
  );
}

function fallbackWords(fallback: SettingInEffect | undefined): string {
  if (!fallback) return '';
  const value = fallback.values.length === 0 ? 'nothing' : fallback.values.join(', ');
  return fallback.source === SettingSource.DEFAULTS
    ? `Empty: ${value}, from defaults in the configuration file.`
    : `Empty: ${value}, the default of BUSY.`;
}
