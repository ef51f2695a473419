/** TokenService: makes, lists and revokes tokens. */
import type { Catalog } from '../control/catalog.js';
import type { Tokens } from '../control/tokens.js';
import { hasExpired, type TokenRecord } from '../core/access-token.js';
import type { Role } from '../core/caller.js';
import { BusyError } from '../core/errors.js';
import type { Clock } from '../core/ports.js';
import { Role as RoleMessage, type Token, type TokenServiceServer } from '../gen/busy/v1/token_service.js';
import { roleMessages } from './enums.js';
import { requireText } from './request-shape.js';
import type { CallAdapters } from './stream.js';

export interface TokenParts {
  readonly tokens: Pick<Tokens, 'create' | 'list' | 'revoke'>;
  readonly catalog: Pick<Catalog, 'host'>;
  readonly clock: Clock;
  /** Ends the streams of whoever is let in no more. */
  readonly dismiss: () => void;
}

/** Names go into logs and tables, and are typed by people. */
const goodName = /^[A-Za-z0-9][A-Za-z0-9._@-]{0,99}$/;

export function tokenHandlers(parts: TokenParts, calls: CallAdapters): TokenServiceServer {
  const { tokens, catalog, clock } = parts;
  const shown = (record: TokenRecord): Token => toMessage(record, clock.now());
  return {
    createToken: calls.unary(async ({ name, role, hosts, expiresAt }, caller) => {
      const now = clock.now();
      if (expiresAt && expiresAt <= now) refuse('expires_at', 'has passed already');
      const wanted = {
        name: requireName(name || defaultName(role, now)),
        role: toRole(role),
        hosts: hosts.length === 0 ? null : [...new Set(hosts.map((host) => catalog.host(host).name))],
        expiresAt: expiresAt ?? null,
        createdBy: caller.name,
      };
      const { record, token } = await tokens.create(wanted);
      return { token: shown(record), secret: token };
    }),
    listTokens: calls.unary(async () => ({ tokens: (await tokens.list()).map(shown) })),
    revokeToken: calls.unary(async ({ token }) => {
      const record = await tokens.revoke(requireText('token', token));
      parts.dismiss();
      return { token: shown(record) };
    }),
  };
}

const roleOf: Readonly<Partial<Record<RoleMessage, Role>>> = {
  [RoleMessage.VIEWER]: 'viewer',
  [RoleMessage.OPERATOR]: 'operator',
  [RoleMessage.ADMIN]: 'admin',
};

function toRole(role: RoleMessage): Role {
  return roleOf[role] ?? refuse('role', 'must be one of ROLE_VIEWER, ROLE_OPERATOR and ROLE_ADMIN');
}

/** Names by which the audit log calls what is no token. */
const reservedNames: readonly string[] = ['busyd', 'socket'];

function requireName(name: string): string {
  if (reservedNames.includes(name))
    return refuse('name', 'must not be busyd or socket, which the audit log uses');
  if (goodName.test(name)) return name;
  return refuse('name', 'must have 1 to 100 letters, digits and . _ - @, and begin with a letter or a digit');
}

/** `operator-20261126-141020`. */
function defaultName(role: RoleMessage, now: Date): string {
  const time = now
    .toISOString()
    .replace(/[-:]|\..*/g, '')
    .replace('T', '-');
  return `${toRole(role)}-${time}`;
}

function refuse(field: string, problem: string): never {
  throw new BusyError('INVALID_ARGUMENT', { field, problem });
}

function toMessage(record: TokenRecord, now: Date): Token {
  const { id, name, role, hosts, createdBy, createdAt, expiresAt } = record;
  return {
    id,
    name,
    role: roleMessages[role],
    hosts: [...(hosts ?? [])],
    createdBy,
    createdAt,
    expiresAt: expiresAt ?? undefined,
    isExpired: hasExpired(record, now),
  };
}
