/** How a setting is read that is a secret. */
import { z } from 'zod';

/** A text of one or more characters. No problem may show what was written. */
export function secret() {
  return z.unknown().transform((value, context): string => {
    if (typeof value === 'string' && value !== '') return value;
    context.addIssue({ code: 'custom', message: value === '' ? 'is empty' : 'is not a text' });
    return z.NEVER;
  });
}
