/** HostService: what is configured, and whether a host can be reached. */
import type { handleUnaryCall } from '@grpc/grpc-js';
import type { Catalog } from '../control/catalog.js';
import type { Driller } from '../control/driller.js';
import type { HostOrigin, HostRegistry } from '../control/host-registry.js';
import type { RunLifecycle } from '../control/run-lifecycle.js';
import type { Scheduler } from '../control/scheduler.js';
import type { SpaceGuard } from '../control/space-guard.js';
import { reaches, seesHost, type Caller } from '../core/caller.js';
import { conditionOf } from '../core/host-condition.js';
import type { Host } from '../core/host.js';
import type { Executor } from '../core/executor-port.js';
import type { Clock } from '../core/ports.js';
import { isHeld, newestOf } from '../core/snapshot.js';
import type { SettingInEffect } from '../core/stored-host.js';
import {
  type Host as HostMessage,
  type ExplainHostResponse,
  type GetHostDefaultsResponse,
  type GetHostResponse,
  HostOrigin as OriginMessage,
  type HostServiceServer,
  type ListHostsRequest,
  type ProbeHostResponse,
} from '../gen/busy/v1/host_service.js';
import type { SettingInEffect as InEffectMessage } from '../gen/busy/v1/host_settings.js';
import { toHostMessage, toSnapshotMessage, type HostFacts } from './convert.js';
import { types } from './enums.js';
import { hostChangeHandlers, type HostChangeParts } from './host-changes.js';
import { toInEffectMessage, toSettingsMessage, withoutCommand, withoutCommands } from './host-settings.js';
import { type WrittenPage, WrittenHosts } from './listed-hosts.js';
import { readPageStart, toPage } from './page.js';
import { requireText } from './request-shape.js';
import type { CallAdapters } from './stream.js';

export interface HostParts extends HostChangeParts {
  readonly catalog: Pick<Catalog, 'hosts' | 'host' | 'snapshots'>;
  readonly lifecycle: Pick<RunLifecycle, 'lastRun' | 'progress' | 'failuresInRow'>;
  readonly registry: Pick<
    HostRegistry,
    'kind' | 'originOf' | 'settingsInEffect' | 'defaults' | 'create' | 'update' | 'remove'
  >;
  readonly executor: Pick<Executor, 'probe'>;
  readonly scheduler: Pick<Scheduler, 'explain' | 'nextAt'>;
  readonly space: Pick<SpaceGuard, 'assess'>;
  readonly driller: Pick<Driller, 'historyOf'>;
  readonly clock: Clock;
}

/** For `hostService`. */
export type HostHandlers = Omit<HostServiceServer, 'listHosts'> & {
  readonly listHosts: handleUnaryCall<ListHostsRequest, WrittenPage>;
};

export function hostHandlers(parts: HostParts, calls: CallAdapters): HostHandlers {
  const written = new WrittenHosts();
  const withFacts = (host: Host): HostMessage => toHostMessage(host, factsOf(parts, host));
  return {
    listHosts: calls.unary(async (request, caller) => {
      const { size, after } = readPageStart('hosts', request);
      const all = parts.catalog.hosts().filter((host) => seesHost(caller, host.name));
      const hosts = after === null ? all : hostsAfter(all, after);
      const page = toPage('hosts', hosts, { size, keyOf: (host) => host.name });
      const items = page.items.map((host) => written.write(host, factsOf(parts, host)));
      return { hosts: items, nextPageToken: page.nextPageToken, origin: origins[parts.registry.kind] };
    }),
    getHost: calls.unary(({ name }, caller) => getHost(parts, requireText('name', name), caller)),
    getHostDefaults: calls.unary(async (_request, caller) => getDefaults(parts.registry, caller)),
    probeHost: calls.unary(({ name }) => probe(parts, requireText('name', name))),
    explainHost: calls.unary(({ name }) => explain(parts, requireText('name', name))),
    ...hostChangeHandlers(parts, calls, withFacts),
  };
}

const origins: Readonly<Record<HostOrigin['kind'], OriginMessage>> = {
  file: OriginMessage.FILE,
  database: OriginMessage.DATABASE,
};

async function getHost(parts: HostParts, name: string, caller: Caller): Promise<GetHostResponse> {
  const origin = await parts.registry.originOf(name);
  const configured = parts.catalog.host(name);
  const host = toHostMessage(configured, factsOf(parts, configured));
  const settingsInEffect = shownInEffect(parts.registry.settingsInEffect(name, origin), caller);
  if (origin.kind === 'file')
    return { host, origin: origins.file, settings: undefined, etag: '', settingsInEffect };
  const { settings, etag } = origin;
  const shown = seesCommands(caller) ? settings : withoutCommands(settings);
  return { host, origin: origins.database, settings: toSettingsMessage(shown), etag, settingsInEffect };
}

function getDefaults({ kind, defaults }: HostParts['registry'], caller: Caller): GetHostDefaultsResponse {
  const settings = shownInEffect(defaults.settings, caller);
  // Where it lies says something of the other hosts.
  const configFile = caller.hosts === null ? defaults.file : '';
  return { settings, origin: origins[kind], configFile };
}

/** Command lines may hold passwords, here too. */
function shownInEffect(settings: readonly SettingInEffect[], caller: Caller): InEffectMessage[] {
  const isShown = seesCommands(caller);
  return settings.map((setting) => toInEffectMessage(isShown ? setting : withoutCommand(setting)));
}

/** Whoever may change them: an admin of all hosts. */
function seesCommands({ role, hosts }: Caller): boolean {
  return reaches(role, 'admin') && hosts === null;
}

function hostsAfter(hosts: readonly Host[], name: string): readonly Host[] {
  return hosts.filter((host) => host.name > name);
}

function factsOf({ catalog, lifecycle, scheduler, driller, clock }: HostParts, host: Host): HostFacts {
  const { proof, last } = driller.historyOf(host.name);
  const lastRun = lifecycle.lastRun(host.name);
  const snapshots = catalog.snapshots(host.name);
  const failuresInRow = lifecycle.failuresInRow(host.name);
  return {
    snapshots,
    lastRun,
    progress: lastRun && lifecycle.progress(lastRun.id),
    condition: conditionOf({ host, snapshots, lastRun, failuresInRow, now: clock.now() }),
    nextAt: scheduler.nextAt(host),
    restoreProof: proof,
    lastDrill: last,
  };
}

async function probe({ catalog, executor, clock }: HostParts, name: string): Promise<ProbeHostResponse> {
  const startedAt = clock.now();
  const result = await executor.probe(catalog.host(name));
  const probedAt = clock.now();
  return { ...result, probedAt, durationMs: Math.max(0, probedAt.getTime() - startedAt.getTime()) };
}

async function explain(parts: HostParts, name: string): Promise<ExplainHostResponse> {
  const { decision, presence, isBusy, waitsFor } = await parts.scheduler.explain(name);
  const room = isBusy ? null : await parts.space.assess(parts.catalog.host(name), decision.type.type);
  const snapshots = parts.catalog.snapshots(name);
  const { good, held } = newestOf(snapshots);
  const full = snapshots.find((snapshot) => snapshot.type === 'full' && !isHeld(snapshot));
  return {
    isDue: decision.isDue,
    isOnSchedule: decision.isOnSchedule,
    isWindowOpen: decision.isWindowOpen,
    isOnline: presence.isOnline,
    onlineReason: presence.reason,
    isBusy,
    reasons: [...decision.reasons],
    type: types[decision.type.type],
    typeReason: decision.type.reason,
    waitsFor,
    nextAt: decision.nextAt ?? undefined,
    newestSnapshot: good && toSnapshotMessage(good),
    heldSnapshot: held && toSnapshotMessage(held),
    youngestFullSnapshot: full && toSnapshotMessage(full),
    failuresInRow: parts.lifecycle.failuresInRow(name),
    space: room?.reason ?? '',
    isSpaceLow: room !== null && !room.fits,
  };
}
