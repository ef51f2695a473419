/** States as a mark and a word: never by colour alone. */
import { BackupType, JobState, RunKind, RunState } from '../../gen/busy/v1/run_pb.js';

export type Tone = 'good' | 'doubtful' | 'bad' | 'busy' | 'quiet';

const tones: Readonly<Record<string, Tone>> = {
  SUCCEEDED: 'good',
  PARTIAL: 'doubtful',
  FAILED: 'bad',
  INTERRUPTED: 'bad',
  RUNNING: 'busy',
  CANCELLING: 'busy',
};

const marks: Readonly<Record<Tone, string>> = { good: '✓', doubtful: '!', bad: '✕', busy: '●', quiet: '○' };

export function Mark({ tone, text }: { readonly tone: Tone; readonly text: string }) {
  return (
    <span className={`mark mark-${tone}`}>
      <span aria-hidden="true">{marks[tone]}</span> {text}
    </span>
  );
}

export function RunStateMark({ state }: { readonly state: RunState }) {
  const name = RunState[state] ?? String(state);
  return <Mark tone={tones[name] ?? 'quiet'} text={name.toLowerCase()} />;
}

export function JobStateMark({ state }: { readonly state: JobState }) {
  const name = JobState[state] ?? String(state);
  return <Mark tone={tones[name] ?? 'quiet'} text={name.toLowerCase()} />;
}

/** "backup", "verify archive". */
export function kindName(kind: RunKind): string {
  return (RunKind[kind] ?? String(kind)).toLowerCase().replaceAll('_', ' ');
}

/** "full", "incremental", or nothing before it is decided. */
export function typeName(type: BackupType): string {
  return type === BackupType.UNSPECIFIED ? '' : (BackupType[type] ?? String(type)).toLowerCase();
}
