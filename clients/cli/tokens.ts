/** The commands `token create`, `token list` and `token revoke`. */
import { InvalidArgumentError } from 'commander';
import {
  ListTokensResponse,
  RevokeTokenResponse,
  Role,
  Token,
  TokenServiceService,
} from '../../src/gen/busy/v1/token_service.js';
import { helpText } from './help.js';
import { formatAge } from './human-format.js';
import type { Commands, Session } from './session.js';

interface CreateOptions {
  readonly role: Role;
  readonly host?: readonly string[];
  /** Milliseconds. */
  readonly expires?: number;
}

export function addTokenCommands({ program, action }: Commands): void {
  const token = program
    .command('token')
    .description('make, list and revoke the tokens that callers show on a TCP port')
    .addHelpText('after', helpText(['busy token list', 'busy token create --role viewer dashboard']));
  token
    .command('create')
    .description('make a token and print it, for the only time')
    .argument('[name]', 'whose it is: what lists and logs call its holder')
    .requiredOption('--role <role>', 'what it allows: viewer, operator or admin', parseRole)
    .option('--host <name>', 'only for this host; may be given several times', collect)
    .option(
      '--expires <duration>',
      'for how long it is good, such as 90d or 12h (default: for ever)',
      parseDuration,
    )
    .addHelpText(
      'after',
      helpText([
        'busy token create --role operator --host web1 --expires 90d alice',
        "busy token create --role viewer --json | jq -r '.token'",
      ]),
    )
    .action(action(createToken));
  token
    .command('list')
    .description('list the tokens, without their secrets')
    .addHelpText('after', helpText(['busy token list', 'busy token list --json']))
    .action(action(listTokens));
  token
    .command('revoke')
    .description('end a token at once')
    .argument('<token>', 'its name or its id')
    .addHelpText('after', helpText(['busy token revoke alice']))
    .action(action(revokeToken));
}

async function createToken(
  { connection, printer, now }: Session,
  name: string | undefined,
  { role, host = [], expires }: CreateOptions,
): Promise<void> {
  const expiresAt = expires === undefined ? undefined : new Date(now().getTime() + expires);
  const request = { name: name ?? '', role, hosts: [...host], expiresAt };
  const { token, secret } = await connection.call(TokenServiceService.createToken, request);
  const made = token ?? Token.create();
  if (printer.isJson) return printer.json({ ...(Token.toJSON(made) as object), token: secret });
  printer.line(secret);
  const until = made.expiresAt === undefined ? '' : `, until ${made.expiresAt.toISOString()}`;
  printer.note(
    `token "${made.name}": ${roleName(made.role)}, ${hostsText(made)}${until}. It is shown only now.`,
  );
}

async function listTokens({ connection, printer, now }: Session): Promise<void> {
  const answer = await connection.call(TokenServiceService.listTokens, {});
  if (printer.isJson) return printer.json(ListTokensResponse.toJSON(answer));
  printer.table(
    ['NAME', 'ID', 'ROLE', 'HOSTS', 'AGE', 'MADE BY', 'EXPIRES'],
    answer.tokens.map((token) => [
      token.name,
      token.id,
      roleName(token.role),
      hostsText(token),
      formatAge(token.createdAt, now()),
      token.createdBy,
      token.isExpired ? { text: 'expired', colour: 'yellow' } : (token.expiresAt?.toISOString() ?? 'never'),
    ]),
    'There are no tokens. Make one with: busy token create --role ROLE NAME',
  );
}

async function revokeToken({ connection, printer }: Session, token: string): Promise<void> {
  const answer = await connection.call(TokenServiceService.revokeToken, { token });
  if (printer.isJson) return printer.json(RevokeTokenResponse.toJSON(answer));
  printer.line(`The token "${answer.token?.name ?? token}" counts no more.`);
}

function roleName(role: Role): string {
  return Role[role]?.toLowerCase() ?? String(role);
}

function hostsText({ hosts }: Token): string {
  return hosts.length === 0 ? 'all hosts' : hosts.join(', ');
}

function parseRole(text: string): Role {
  const role = { viewer: Role.VIEWER, operator: Role.OPERATOR, admin: Role.ADMIN }[text.toLowerCase()];
  if (role === undefined) throw new InvalidArgumentError('The roles are: viewer, operator, admin.');
  return role;
}

function collect(host: string, before: readonly string[] = []): readonly string[] {
  return [...before, host];
}

const unitMs: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 };

function parseDuration(text: string): number {
  const [, digits, unit = ''] = /^(\d{1,5})([mhdw])$/.exec(text) ?? [];
  const ms = Number(digits) * (unitMs[unit] ?? NaN);
  if (!(ms > 0)) throw new InvalidArgumentError('Give a number and m, h, d or w, such as 90d.');
  return ms;
}
