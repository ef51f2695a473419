/** Which mail addresses are used. */

/**
 * Whether a text is a bare address: a local part, with or without a domain. Nothing in it can become another
 * header, another recipient or an option of a mail program.
 */
export function isMailAddress(text: string): boolean {
  return (
    text.length <= 254 && /^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~][\w.!#$%&'*+/=?^`{|}~-]*(@[\w.-]+)?$/.test(text)
  );
}
