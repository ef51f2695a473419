/**
 * Which call needs which role, and how the hosts that it is about are found. This table is the only place that says
 * so: a call that is not in it is refused to everybody.
 */
import type { Role } from './caller.js';

export interface Permission {
  /** The least role; `anyone` needs no proof at all, also on a TCP port. */
  readonly role: Role | 'anyone';
  /** Another role counts instead when this field of the request is set. */
  readonly roleWith?: { readonly field: string; readonly role: Role };
  /** How a caller that is limited to some hosts is kept to them. */
  readonly hosts: HostRule;
  /** It changes something, so the audit log tells of each attempt. */
  readonly changes: boolean;
}

export type HostRule =
  /**
   * The request names a host, a second one, or a run. Where such a field is empty, the handler answers only what he may
   * see.
   */
  | { readonly host?: string; readonly otherHost?: string; readonly run?: string }
  /** The answer is about no host, or its handler leaves out the others. */
  | 'any'
  /** It reaches all hosts, so a limited caller is refused. */
  | 'all';

const seeHost = (host: string): Permission => ({
  role: 'viewer',
  hosts: { host },
  changes: false,
});

export const permissions: Readonly<Record<string, Permission>> = {
  '/busy.v1.HostService/ListHosts': { role: 'viewer', hosts: 'any', changes: false },
  '/busy.v1.HostService/GetHost': seeHost('name'),
  '/busy.v1.HostService/ExplainHost': seeHost('name'),
  '/busy.v1.HostService/GetHostDefaults': { role: 'viewer', hosts: 'any', changes: false },
  '/busy.v1.HostService/ProbeHost': { role: 'operator', hosts: { host: 'name' }, changes: false },
  // A host's settings say which commands run and which key opens which machine: never for some hosts only.
  '/busy.v1.HostService/CreateHost': { role: 'admin', hosts: 'all', changes: true },
  '/busy.v1.HostService/UpdateHost': { role: 'admin', hosts: 'all', changes: true },
  '/busy.v1.HostService/DeleteHost': { role: 'admin', hosts: 'all', changes: true },

  // To accept changes in advance is to acknowledge.
  '/busy.v1.BackupService/TriggerBackup': {
    role: 'operator',
    roleWith: { field: 'acceptChanges', role: 'admin' },
    hosts: { host: 'host' },
    changes: true,
  },
  '/busy.v1.BackupService/GetRun': { role: 'viewer', hosts: { run: 'id' }, changes: false },
  '/busy.v1.BackupService/ListRuns': seeHost('host'),
  '/busy.v1.BackupService/CancelRun': { role: 'operator', hosts: { run: 'id' }, changes: true },
  '/busy.v1.BackupService/WatchRuns': {
    role: 'viewer',
    hosts: { host: 'host', run: 'runId' },
    changes: false,
  },
  '/busy.v1.BackupService/StreamLogs': { role: 'viewer', hosts: { run: 'runId' }, changes: false },

  '/busy.v1.SnapshotService/ListSnapshots': seeHost('host'),
  '/busy.v1.SnapshotService/GetSnapshot': seeHost('host'),
  '/busy.v1.SnapshotService/MeasureSpace': seeHost('host'),
  '/busy.v1.SnapshotService/ListFiles': seeHost('host'),
  '/busy.v1.SnapshotService/FindFiles': seeHost('host'),
  '/busy.v1.SnapshotService/ListFileVersions': seeHost('host'),
  '/busy.v1.SnapshotService/DiffSnapshots': {
    role: 'viewer',
    hosts: { host: 'host', otherHost: 'otherHost' },
    changes: false,
  },
  // It hands contents out: whoever may do that can read all files of the host, so the audit log tells of it too.
  '/busy.v1.SnapshotService/DownloadFiles': { role: 'admin', hosts: { host: 'host' }, changes: true },
  // Elsewhere than to the place that the files came from, its handler asks for more.
  '/busy.v1.SnapshotService/Restore': { role: 'operator', hosts: { host: 'host' }, changes: true },
  '/busy.v1.SnapshotService/DrillRestore': {
    role: 'operator',
    hosts: { host: 'host', run: 'repeatRunId' },
    changes: true,
  },
  '/busy.v1.SnapshotService/VerifySnapshot': { role: 'operator', hosts: { host: 'host' }, changes: true },
  '/busy.v1.SnapshotService/PruneSnapshots': {
    role: 'admin',
    roleWith: { field: 'dryRun', role: 'viewer' },
    hosts: { host: 'host' },
    changes: true,
  },
  // It removes a held snapshot, or lets older ones go.
  '/busy.v1.SnapshotService/AcknowledgeSnapshot': { role: 'admin', hosts: { host: 'host' }, changes: true },

  // Into the trash, from which an administrator brings it back.
  '/busy.v1.SnapshotService/DeleteSnapshot': { role: 'operator', hosts: { host: 'host' }, changes: true },

  '/busy.v1.ArchiveService/Archive': { role: 'operator', hosts: { host: 'host' }, changes: true },
  '/busy.v1.ArchiveService/ListArchives': seeHost('host'),
  '/busy.v1.ArchiveService/GetArchive': seeHost('host'),
  '/busy.v1.ArchiveService/DeleteArchive': { role: 'admin', hosts: { host: 'host' }, changes: true },
  '/busy.v1.ArchiveService/VerifyArchive': { role: 'operator', hosts: { host: 'host' }, changes: true },

  // Whoever decides which key is a host's decides which machine is taken for it.
  '/busy.v1.EnrollmentService/ScanHostKey': { role: 'admin', hosts: { host: 'host' }, changes: false },
  '/busy.v1.EnrollmentService/PinHostKey': { role: 'admin', hosts: { host: 'host' }, changes: true },
  '/busy.v1.EnrollmentService/PrepareHostKeyPair': { role: 'admin', hosts: { host: 'host' }, changes: true },
  '/busy.v1.EnrollmentService/CheckHost': { role: 'operator', hosts: { host: 'host' }, changes: false },
  '/busy.v1.EnrollmentService/CheckServer': { role: 'operator', hosts: 'all', changes: false },
  '/busy.v1.EnrollmentService/ImportHostKeys': { role: 'admin', hosts: 'all', changes: true },

  '/busy.v1.TrashService/ListTrash': seeHost('host'),
  '/busy.v1.TrashService/RestoreFromTrash': { role: 'admin', hosts: 'all', changes: true },
  '/busy.v1.TrashService/EmptyTrash': { role: 'admin', hosts: 'all', changes: true },

  // It tells of all hosts and of all callers.
  '/busy.v1.AuditService/ListAudit': { role: 'admin', hosts: 'all', changes: false },
  '/busy.v1.AuditService/VerifyAudit': { role: 'admin', hosts: 'all', changes: false },

  '/busy.v1.DaemonService/GetDaemonInfo': { role: 'viewer', hosts: 'any', changes: false },
  '/busy.v1.DaemonService/SendTestMail': { role: 'admin', hosts: 'all', changes: true },
  '/busy.v1.DaemonService/ReloadConfig': { role: 'admin', hosts: 'all', changes: true },

  // One text for all of them.
  '/busy.v1.DaemonService/GetMetrics': { role: 'viewer', hosts: 'all', changes: false },

  '/busy.v1.TokenService/CreateToken': { role: 'admin', hosts: 'all', changes: true },
  '/busy.v1.TokenService/ListTokens': { role: 'admin', hosts: 'all', changes: false },
  '/busy.v1.TokenService/RevokeToken': { role: 'admin', hosts: 'all', changes: true },

  '/grpc.health.v1.Health/Check': { role: 'anyone', hosts: 'any', changes: false },
  '/grpc.health.v1.Health/Watch': { role: 'anyone', hosts: 'any', changes: false },
  '/grpc.health.v1.Health/List': { role: 'anyone', hosts: 'any', changes: false },
  '/grpc.reflection.v1.ServerReflection/ServerReflectionInfo': {
    role: 'viewer',
    hosts: 'any',
    changes: false,
  },
  '/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo': {
    role: 'viewer',
    hosts: 'any',
    changes: false,
  },
};

/**
 * Whether the audit log tells of a call; a call of nothing that is in the table never. With a field that lets viewers
 * make it, it changes nothing.
 */
export function changesSomething(method: string, request: object = {}): boolean {
  const permission = Object.hasOwn(permissions, method) ? permissions[method] : undefined;
  if (!permission?.changes) return false;
  const { roleWith } = permission;
  return roleWith?.role !== 'viewer' || !isSet(fieldOf(request, roleWith.field));
}

/** The role that a request needs; a field of it may change it. */
export function roleFor({ role, roleWith }: Permission, request: object): Permission['role'] {
  return roleWith && isSet(fieldOf(request, roleWith.field)) ? roleWith.role : role;
}

/** The least role with which the call can be made at all, whatever its request says. */
export function leastRole({ role, roleWith }: Permission): Permission['role'] {
  return roleWith?.role === 'viewer' ? 'viewer' : role;
}

/** A text field of a request, by its name in the generated code; empty when it is not set. */
export function textOf(request: object, field: string | undefined): string {
  const value = field === undefined ? '' : fieldOf(request, field);
  return typeof value === 'string' ? value : '';
}

function fieldOf(request: object, field: string): unknown {
  return (request as Readonly<Record<string, unknown>>)[field];
}

function isSet(value: unknown): boolean {
  return value !== undefined && value !== false && value !== '' && value !== 0;
}
