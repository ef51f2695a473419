/** Says whether a caller may make a call, by the table in `core/permissions.ts`. */
import { type Caller, reaches, seesHost } from '../core/caller.js';
import { BusyError } from '../core/errors.js';
import { leastRole, permissions, roleFor, textOf, type Permission } from '../core/permissions.js';
import type { RestoreTarget } from '../core/restore.js';
import type { RunRecord } from '../core/run.js';
import { shortName } from './access.js';

/** The entry of a call. Throws CALL_NOT_OPEN when there is none. */
export function permissionOf(method: string): Permission {
  const permission = Object.hasOwn(permissions, method) ? permissions[method] : undefined;
  if (!permission) throw new BusyError('CALL_NOT_OPEN', { method: shortName(method) });
  return permission;
}

/** What can be said before the request is read. Throws ROLE_TOO_LOW or LIMITED_TO_HOSTS. */
export function refuseAtOnce(method: string, permission: Permission, caller: Caller): void {
  requireRole(method, leastRole(permission), caller);
  if (permission.hosts === 'all' && caller.hosts !== null) {
    const facts = { method: shortName(method), caller: caller.name, hosts: [...caller.hosts].join(', ') };
    throw new BusyError('LIMITED_TO_HOSTS', facts);
  }
}

/**
 * What depends on the request. A host that is beyond the caller's limit is answered as one that does not exist, and so
 * is its run. Throws ROLE_TOO_LOW, HOST_NOT_FOUND, RUN_NOT_FOUND, or what `getRun` throws.
 */
export async function authorize(
  call: { readonly method: string; readonly request: object; readonly caller: Caller },
  getRun: (id: string) => Promise<Pick<RunRecord, 'host'>>,
): Promise<void> {
  const { method, request, caller } = call;
  const permission = permissionOf(method);
  requireRole(method, roleFor(permission, request), caller);
  const { hosts } = permission;
  if (caller.hosts === null || typeof hosts === 'string') return;
  for (const host of [textOf(request, hosts.host), textOf(request, hosts.otherHost)])
    if (host !== '' && !seesHost(caller, host)) throw new BusyError('HOST_NOT_FOUND', { host });
  const run = textOf(request, hosts.run);
  if (run !== '' && !seesHost(caller, (await getRun(run)).host))
    throw new BusyError('RUN_NOT_FOUND', { run });
}

/**
 * Where a restore may go: to where the files came from with the role of the call; elsewhere it hands them to others, or
 * writes anywhere on a host or the server. Throws ROLE_TOO_LOW, HOST_NOT_FOUND or LIMITED_TO_HOSTS.
 */
export function authorizeRestore(caller: Caller, target: RestoreTarget): void {
  if (target.kind === 'original') return;
  const method = 'Restore to another place';
  requireRole(method, 'admin', caller);
  if (caller.hosts === null) return;
  if (target.kind === 'local') {
    const facts = { method, caller: caller.name, hosts: [...caller.hosts].join(', ') };
    throw new BusyError('LIMITED_TO_HOSTS', facts);
  }
  if (!seesHost(caller, target.host)) throw new BusyError('HOST_NOT_FOUND', { host: target.host });
}

function requireRole(method: string, needed: Permission['role'], caller: Caller): void {
  if (needed === 'anyone' || reaches(caller.role, needed)) return;
  const { name, role } = caller;
  throw new BusyError('ROLE_TOO_LOW', { method: shortName(method), needed, caller: name, role });
}
