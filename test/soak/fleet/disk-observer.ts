/** Looks at the backup disk again and again: what is there, what has come and gone, and that nothing has changed. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Run } from '../../../src/gen/busy/v1/run.js';
import { readTree, type Found } from '../compare.js';
import { Disagreement, refuse } from '../disagreement.js';
import type { Random } from '../random.js';
import { expectedToStay } from '../rules.js';
import type { FleetHost, KnownSnapshot } from './fleet-host.js';
import type { FleetWorld } from './fleet-world.js';
import type { Ledger } from './ledger.js';
import type { RunObserver } from './run-observer.js';

const snapshotName = /^\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d[fi]$/;
/** What may lie beside snapshots while something is going on. */
const passing =
  /^\.(?:partial-\d{4}|removed-|drill-|restore-|download-|verified\.json\.|trash-[0-9A-Z]{26}-.*\.json\.)/;
/** The new one of before a crash is replaced by the next. */
const lasting =
  /^\.(?:verified\.json(?:\.new)?|trash-[0-9A-Z]{26}-\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d[fi](?:\.json)?)$/;

export class DiskObserver {
  made = 0;
  gone = 0;
  /** How often a snapshot that was there already was compared again. */
  compared = 0;
  /** HOST/NAME of every snapshot that was ever there. */
  private readonly seen = new Set<string>();

  constructor(
    private readonly world: FleetWorld,
    private readonly runs: Pick<RunObserver, 'notBefore'>,
    private readonly ledger: Ledger,
  ) {}

  /** One look at everything, without reading again what is known. Throws a Disagreement. */
  look(): void {
    for (const name of readdirSync(this.world.bed.backupdir))
      if (!name.startsWith('.busyd.lock') && !this.world.hosts.some((host) => host.name === name))
        throw new Disagreement(`in the backup directory there is ${name}`);
    for (const host of this.world.hosts) this.lookAt(host);
  }

  /** Throws a Disagreement when there never was a snapshot that a run is said to have made. */
  checkCommitted(runs: readonly Run[]): void {
    for (const { id, host, snapshot } of runs)
      if (!this.seen.has(`${host}/${snapshot}`))
        throw new Disagreement(
          `run ${id} of ${host} has made the snapshot "${snapshot}", which was never there`,
        );
  }

  /** Names in the directory of a host. */
  entriesOf(host: FleetHost): string[] {
    const directory = this.world.directoryOf(host);
    return existsSync(directory) ? readdirSync(directory).sort() : [];
  }

  /** What there is of a host when nothing goes on must be its snapshots, and what lasts beside them. */
  checkCalm(host: FleetHost): void {
    const left = this.entriesOf(host).filter((name) => !snapshotName.test(name) && !lasting.test(name));
    refuse(`when nothing went on, there was in the directory of ${host.name}`, left);
  }

  /** Reads some of those that are known once more. */
  compareSome(random: Random, count: number): void {
    for (let number = 0; number < count; number++) {
      const host = random.pick(this.world.hosts);
      const name = random.pickOrNull([...host.snapshots.keys()]);
      if (name !== null) this.compare(host, name);
    }
  }

  compareAll(): void {
    for (const host of this.world.hosts) for (const name of host.snapshots.keys()) this.compare(host, name);
  }

  private compare(host: FleetHost, name: string): void {
    const listing = this.read(host, name);
    if (listing === null) return;
    this.compared += 1;
    this.refuseChanged(host, name, listing);
  }

  private refuseChanged(host: FleetHost, name: string, found: ReadonlyMap<string, Found>): void {
    const before = new Set(host.snapshots.get(name)?.listing ?? host.gone.get(name)?.listing);
    const now = listingOf(found);
    const lines = new Set(now);
    refuse(`snapshot ${name} of ${host.name} has changed`, [
      ...now.filter((line) => !before.has(line)).map((line) => `now there is ${line}`),
      ...[...before].filter((line) => !lines.has(line)).map((line) => `no more there is ${line}`),
    ]);
  }

  private lookAt(host: FleetHost): void {
    const entries = this.entriesOf(host);
    refuse(
      `in the directory of ${host.name} there is`,
      entries.filter((name) => !snapshotName.test(name) && !passing.test(name) && !lasting.test(name)),
    );
    const present = new Set(entries.filter((name) => snapshotName.test(name)));
    for (const name of present) if (!host.snapshots.has(name)) this.welcome(host, name);
    const all = [...host.snapshots.keys()].sort();
    const stay = new Set(expectedToStay(all, host.leastKept));
    const newestWhole = all.findLast((name) => host.snapshots.get(name)?.isWhole);
    if (newestWhole !== undefined) stay.add(newestWhole);
    for (const name of all) {
      if (present.has(name)) continue;
      if (stay.has(name) && !host.mayGo.has(name))
        throw new Disagreement(
          `snapshot ${name} of ${host.name} is lost; there were ${all.join(' ')}, of which the last ` +
            `${host.leastKept} must stay; there are ${[...present].join(' ')}`,
        );
      this.farewell(host, name);
    }
  }

  private farewell(host: FleetHost, name: string): void {
    const known = host.snapshots.get(name);
    host.snapshots.delete(name);
    if (known && host.mayGo.has(name)) host.gone.set(name, known);
    this.gone += 1;
  }

  /** A snapshot that is new, or has come back, must be whole the moment it has its name. */
  private welcome(host: FleetHost, name: string): void {
    const what = `snapshot ${name} of ${host.name}`;
    const directory = join(this.world.directoryOf(host), name);
    const found = this.read(host, name);
    if (found === null) return;
    this.seen.add(`${host.name}/${name}`);
    const known = host.gone.get(name);
    if (known) {
      this.refuseChanged(host, name, found);
      host.gone.delete(name);
      host.snapshots.set(name, known);
      this.ledger.note(`${what} has come back`);
      return;
    }
    const files = readdirSync(directory);
    if (files.includes('partial.json')) throw new Disagreement(`${what} still has partial.json`);
    for (const wanted of ['snapshot.json', 'manifest.gz', 'data', 'backup.log'])
      if (!files.includes(wanted)) throw new Disagreement(`${what} has no ${wanted}`);
    const json = JSON.parse(readFileSync(join(directory, 'snapshot.json'), 'utf8')) as Json;
    const nowMs = performance.now();
    refuse(
      `${what} is nothing that its source was during its backup`,
      host.source.differences(found, this.runs.notBefore(json.runId), nowMs),
    );
    host.snapshots.set(name, knownOf(json, found));
    this.made += 1;
  }

  /** Null when it has gone meanwhile. */
  private read(host: FleetHost, name: string): ReadonlyMap<string, Found> | null {
    const directory = join(this.world.directoryOf(host), name);
    try {
      return readTree(join(directory, 'data', host.source.root));
    } catch (error) {
      if (!existsSync(directory)) return null;
      throw new Disagreement(`snapshot ${name} of ${host.name} cannot be read: ${String(error)}`);
    }
  }
}

interface Json {
  readonly runId: string;
  readonly outcome: string;
}

function knownOf({ runId, outcome }: Json, found: ReadonlyMap<string, Found>): KnownSnapshot {
  return { runId, isWhole: outcome === 'SUCCEEDED', listing: listingOf(found) };
}

/** One line an entry: its kind, mode, time, content and path. */
function listingOf(found: ReadonlyMap<string, Found>): string[] {
  return [...found].map(
    ([path, { kind, mode, mtimeNs, body }]) => `${kind} ${mode} ${mtimeNs} ${body} ${path}`,
  );
}
