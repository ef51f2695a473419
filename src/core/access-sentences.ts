/** The reasons for which a caller is turned away; a part of the catalogue in `error-sentences.ts`. */
import { says, type Sentence } from './sentence.js';

const giveToken =
  'Give a token in BUSY_TOKEN or --token-file (as metadata: authorization: Bearer TOKEN). An administrator makes one on the server with: busy token create';

export const accessSentences = {
  NOT_AUTHENTICATED: says(
    'UNAUTHENTICATED',
    (f) => `${f.method} needs to know who calls: on a TCP port every call carries a token or a certificate.`,
    () => giveToken,
  ),
  TOKEN_REFUSED: says(
    'UNAUTHENTICATED',
    () => 'The token is not known here: it is mistyped, was revoked, or belongs to another server.',
    () => giveToken,
  ),
  TOKEN_EXPIRED: says(
    'UNAUTHENTICATED',
    (f) => `The token "${f.name}" expired at ${f.expiredAt}.`,
    () => 'An administrator makes a new one on the server with: busy token create',
  ),
  CERTIFICATE_UNKNOWN: says(
    'UNAUTHENTICATED',
    (f) => `The certificate of "${f.name}" is genuine, but stands for nobody here.`,
    () => 'Name it under certificates in the configuration of busyd, then: busy reload',
  ),
  ROLE_TOO_LOW: says(
    'PERMISSION_DENIED',
    (f) => `${f.method} needs the role ${f.needed}, but "${f.caller}" has the role ${f.role}.`,
    () => 'Nothing was changed. Use a token with that role, or ask an administrator.',
  ),
  LIMITED_TO_HOSTS: says(
    'PERMISSION_DENIED',
    (f) => `${f.method} reaches all hosts, but "${f.caller}" is limited to ${f.hosts}.`,
    () => 'Nothing was changed. Use a token without a limit, or ask an administrator.',
  ),
  CALL_NOT_OPEN: says(
    'PERMISSION_DENIED',
    (f) => `Nothing says who may call ${f.method}, so nobody may.`,
    () => 'This is a defect in BUSY.',
  ),
  TOKEN_EXISTS: says(
    'ALREADY_EXISTS',
    (f) => `There is already a token "${f.name}".`,
    (f) => `Choose another name, or revoke it first with: busy token revoke ${f.name}`,
  ),
  TOKEN_NOT_FOUND: says(
    'NOT_FOUND',
    (f) => `There is no token "${f.token}".`,
    () => 'List the tokens with: busy token list',
  ),
  TOO_MANY_TOKENS: says(
    'RESOURCE_EXHAUSTED',
    (f) => `There are ${f.count} tokens, and more are not kept.`,
    () => 'Revoke those that nobody uses: busy token list, then busy token revoke NAME',
  ),
  TOO_MANY_CALLS: says(
    'RESOURCE_EXHAUSTED',
    (f) => `"${f.caller}" has ${f.count} calls open at once, and more are not carried.`,
    () => 'End some of them (streams that are followed count too), then call again.',
  ),
  CALL_TIMED_OUT: says(
    'DEADLINE_EXCEEDED',
    (f) => `${f.method} took longer than ${f.seconds} seconds, so it is no longer waited for.`,
    () => 'What was begun may still end. Look whether it did before calling again.',
  ),
  REQUEST_TOO_SLOW: says(
    'DEADLINE_EXCEEDED',
    (f) => `The request of ${f.method} was not complete after ${f.seconds} seconds.`,
    () => 'Check the network, then call again.',
  ),
} as const satisfies Record<string, Sentence>;
