/** What a check found: one thing that was looked at, how it is, and what to do. */
export interface Finding {
  /** What was looked at, for example `login` or `/etc`. */
  readonly subject: string;
  readonly state: 'ok' | 'warning' | 'problem';
  readonly text: string;
  /** Empty when there is nothing to do. */
  readonly advice: string;
}

export function ok(subject: string, text: string): Finding {
  return { subject, state: 'ok', text, advice: '' };
}

export function warning(subject: string, text: string, advice: string): Finding {
  return { subject, state: 'warning', text, advice };
}

export function problem(subject: string, text: string, advice: string): Finding {
  return { subject, state: 'problem', text, advice };
}
