/** A stand-in for sendmail in a test bed: keeps what the daemon hands to it. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { textOf } from '../notify/mail-bed.js';
import type { TestBed } from './test-bed.js';

export interface HandedMail {
  readonly recipient: string;
  /** Without its beginning, which names the server. */
  readonly subject: string;
  /** Decoded. */
  readonly text: string;
}

export interface SendmailStandIn {
  readonly program: string;
  /** What was handed over so far, in order. */
  mails(): Promise<HandedMail[]>;
}

const separator = '=== mail to ';

export async function standInForSendmail(bed: TestBed): Promise<SendmailStandIn> {
  const file = join(bed.directory, 'mails');
  // The daemon hands over one mail after the other. Arguments: -i -f FROM TO.
  const program = await bed.writeProgram(
    'sendmail',
    `#!/bin/sh\n{ echo '${separator}'"$4"; cat; echo; } >> '${file}.new'\ncp '${file}.new' '${file}'\n`,
  );
  const mails = async (): Promise<HandedMail[]> => {
    const text = await readFile(file, 'utf8').catch(() => '');
    return text.split(separator).slice(1).map(toMail);
  };
  return { program, mails };
}

function toMail(handed: string): HandedMail {
  const [recipient = ''] = handed.split('\n', 1);
  const message = handed.slice(recipient.length + 1);
  const [head = ''] = message.split('\n\n', 1);
  const unfolded = head.replace(/\n[ \t]+/g, ' ');
  const subject = /^Subject: \[busy\] \S+: (.*)$/m.exec(unfolded)?.[1] ?? '';
  return { recipient, subject, text: textOf(message) };
}
