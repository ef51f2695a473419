/** A host of the fleet: its source, the network in front of it, its settings, and what is known of its snapshots. */
import { join } from 'node:path';
import type { PrivateSshd } from '../../../clients/quickstart/private-sshd.js';
import { TcpProxy } from '../../helpers/tcp-proxy.js';
import type { Random } from '../random.js';
import { FleetSource } from './fleet-source.js';

/** What a snapshot held when it was looked at first, and must hold as long as it is there: one line an entry. */
export interface KnownSnapshot {
  readonly runId: string;
  readonly isWhole: boolean;
  readonly listing: readonly string[];
}

/** How a host comes to its backups. */
export type Rhythm =
  | { readonly kind: 'slots'; readonly everyMinutes: number }
  | { readonly kind: 'age'; readonly seconds: number }
  /** Open for the first minutes of each so many. */
  | { readonly kind: 'windows'; readonly everyMinutes: number; readonly openMinutes: number };

type Windows = Extract<Rhythm, { kind: 'windows' }>;

const dayMinutes = 1440;
const daySeconds = 86_400;
const begun = new Date();
const minutesBefore = 150;
const minutesAfter = 240;
const largeBytes = 1_500_000;

export class FleetHost {
  /** Those that are on the disk, by name. */
  readonly snapshots = new Map<string, KnownSnapshot>();
  /** Names that an operator, or an archive he asked for, may have taken away. */
  readonly mayGo = new Set<string>();
  /** Those that went by one of these, which may come back from the trash. */
  readonly gone = new Map<string, KnownSnapshot>();
  /** `keep: { last: N }`, and the smallest N that was in effect since it was calm last. */
  keepLast = 4;
  leastKept = 4;
  private readonly maxIncr: number;
  private readonly initiator: string;
  private readonly bandwidthLimit: number;
  private readonly scrubs: boolean;

  private constructor(
    readonly name: string,
    readonly sshd: PrivateSshd,
    readonly link: TcpProxy,
    readonly source: FleetSource,
    readonly rhythm: Rhythm,
    random: Random,
  ) {
    this.maxIncr = 2 + random.below(4);
    this.initiator = random.pick(['server', 'client']);
    // KiB/s; 0 is no limit. With one a backup can be met in its middle.
    this.bandwidthLimit = random.pick([0, 0, 400, 800]);
    this.scrubs = random.chance(0.3);
  }

  static async make(
    directory: string,
    number: number,
    sshd: PrivateSshd,
    random: Random,
  ): Promise<FleetHost> {
    const name = `host${String(number).padStart(2, '0')}`;
    const root = join(directory, 'source', name);
    const source = new FleetSource(root, join(directory, 'stage', name), random.below(2 ** 32));
    for (let count = 0; count < 60; count++) source.change(random, true);
    source.write('large', largeBytes);
    const rhythm = rhythmOf(number, random);
    return new FleetHost(name, sshd, await TcpProxy.to(sshd.port), source, rhythm, random);
  }

  /** Sets `keep`, which is in effect when the daemon has read it. */
  keep(last: number): void {
    this.leastKept = Math.min(this.leastKept, last);
    this.keepLast = last;
  }

  /** `isPaused`: nothing is done by itself. */
  settings(isPaused: boolean, archivedir: string): { readonly name: string } & Record<string, unknown> {
    return {
      name: this.name,
      port: this.link.port,
      srcdirs: [this.source.root],
      initiator: this.initiator,
      bandwidth_limit: this.bandwidthLimit,
      archivedir,
      archive_schedule: 'never',
      archive_threads: 1,
      max_incr: this.maxIncr,
      keep: { last: this.keepLast },
      // The sources are small, so that any change may be a large one.
      max_shrink: 1,
      max_change: 1,
      allow_empty: true,
      retry_after: '2s',
      connect_timeout: '3s',
      // Not shorter, since on a machine that is busy with other things a host may be slow for long.
      idle_timeout: '20s',
      time_zone: 'UTC',
      verify_every: this.scrubs && !isPaused ? 30 : 0,
      verify_schedule: [],
      ...this.schedule(isPaused),
    };
  }

  /** Whether the daemon may begin a backup by itself at this moment of its clock. */
  isOpenAt(moment: Date): boolean {
    const { rhythm } = this;
    if (rhythm.kind !== 'windows') return true;
    const minute = minuteOfDay(moment);
    const isThen = windowStarts(rhythm).some((start) => start === minute - (minute % rhythm.everyMinutes));
    return isThen && minute % rhythm.everyMinutes < rhythm.openMinutes;
  }

  /** The slot that a backup begun at this moment is for; null where there are none. */
  slotAt(moment: Date): number | null {
    if (this.rhythm.kind !== 'slots') return null;
    const slotMs = this.rhythm.everyMinutes * 60_000;
    return Math.floor(moment.getTime() / slotMs) * slotMs;
  }

  private schedule(isPaused: boolean): Record<string, unknown> {
    const { rhythm } = this;
    if (isPaused) return { schedule: 'never' };
    switch (rhythm.kind) {
      case 'slots':
        return { schedule: [`*/${rhythm.everyMinutes} * * * *`], max_age_incr: 0 };
      case 'age':
        return { schedule: [], max_age_incr: rhythm.seconds / daySeconds };
      case 'windows':
        return { schedule: [], max_age_incr: 60 / daySeconds, windows: windowsOf(rhythm) };
      default:
        return rhythm satisfies never;
    }
  }
}

/** Two of ten have windows, two go by age; hours have a whole number of all of them. */
function rhythmOf(number: number, random: Random): Rhythm {
  if (number % 10 === 0) return { kind: 'windows', everyMinutes: 6, openMinutes: 5 };
  if (number % 10 === 5) return { kind: 'windows', everyMinutes: 5, openMinutes: 4 };
  if (number % 5 === 3) return { kind: 'age', seconds: 45 + random.below(60) };
  return { kind: 'slots', everyMinutes: random.pick([1, 2, 2]) };
}

function windowsOf(rhythm: Windows): string[] {
  return windowStarts(rhythm).map((start) => `${clock(start)}-${clock(start + rhythm.openMinutes)}`);
}

/** In the hours in which the clock is at some time of the soak, right or wrong; a whole day of windows costs the daemon much. */
function windowStarts({ everyMinutes }: Windows): number[] {
  const from = dayMinutes + minuteOfDay(begun) - minutesBefore;
  const first = from - (from % everyMinutes);
  const count = Math.ceil((minutesBefore + minutesAfter) / everyMinutes);
  return Array.from({ length: count }, (_, index) => (first + index * everyMinutes) % dayMinutes);
}

function minuteOfDay(moment: Date): number {
  return moment.getUTCHours() * 60 + moment.getUTCMinutes();
}

function clock(minute: number): string {
  const words = [Math.floor(minute / 60), minute % 60].map((part) => String(part).padStart(2, '0'));
  return words.join(':');
}
