/** Asks for what a dangerous call must be confirmed with. */
import { CliError } from './cli-error.js';
import type { Session } from './session.js';

/**
 * Makes a call with the confirmation that was given; when the daemon wants one and none was, it is asked for on the
 * terminal. Without a terminal the refusal of the daemon says what to give.
 */
export async function confirmed<Answer>(
  { ask, printer }: Pick<Session, 'ask' | 'printer'>,
  given: string | undefined,
  call: (confirm: string) => Promise<Answer>,
): Promise<Answer> {
  try {
    return await call(given ?? '');
  } catch (error) {
    const isAsked = error instanceof CliError && error.reason === 'CONFIRMATION_NEEDED';
    if (!isAsked || given !== undefined || ask === null || printer.isJson) throw error;
    printer.note(error.message);
    return call(await ask('Type it to go on: '));
  }
}
