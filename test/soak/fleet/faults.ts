/**
 * What goes wrong around BUSY, and which reasons fit a run that met it. Each fault heals itself after a while, and at
 * once when it is to become calm.
 */
import { localRsyncPids, remoteRsyncPids, sessionPids, executorPids } from '../../helpers/run-processes.js';
import { spaceTaken } from '../../helpers/space-taken.js';
import type { Random } from '../random.js';
import type { FleetHost } from './fleet-host.js';
import { diskSize, type FleetWorld } from './fleet-world.js';
import type { FaultKind } from './ledger.js';

export interface Strike {
  readonly world: FleetWorld;
  readonly random: Random;
  /** Writes down that the fault begins, for one host or for all; what is answered says that it is over. */
  readonly begin: (host: string | null, detail?: string) => () => void;
  /** The same of one that is over at once. */
  readonly moment: (host: string | null, detail?: string) => void;
  /** Settles after so long, or when it is to become calm. */
  readonly pause: (ms: number) => Promise<void>;
}

export interface Fault extends FaultKind {
  readonly weight: number;
  /** What it has for itself alone; while another fault has it, this one does not strike. */
  readonly needs: 'a host' | 'an sshd' | 'daemon' | 'database' | 'disk' | 'clock' | 'nothing';
  /** Settles when all is well again. `host` is one whose network nobody else touches. */
  readonly strike: (strike: Strike, host: FleetHost) => Promise<void>;
}

const connectionReasons = ['CONNECTION_LOST', 'HOST_WENT_AWAY', 'HOST_UNREACHABLE'];
const silenceReasons = [...connectionReasons, 'HOST_STALLED'];
const minute = 60_000;
const hour = 60 * minute;
/** A snapshot that lies less than a day ahead still stands for its time, so that the next one would be as late. */
const shiftsMs = [-90 * minute, -7 * minute, -40_000, 30_000, 26 * hour, 70 * hour];

export const faults: readonly Fault[] = [
  {
    name: 'connections cut',
    weight: 8,
    needs: 'nothing',
    reasons: connectionReasons,
    strike: async ({ moment, random, world }) => {
      const host = random.pickOrNull(world.hosts.filter(({ link }) => link.connections > 0));
      if (host === null) return;
      moment(host.name);
      host.link.cut();
    },
  },
  {
    name: 'host refuses connections',
    weight: 4,
    needs: 'a host',
    reasons: [...connectionReasons, 'CONNECTION_REFUSED'],
    strike: ({ begin, random, pause }, host) =>
      lasting(begin(host.name), async () => {
        await host.link.setState('refused');
        if (random.chance(0.5)) host.link.cut();
        await pause(1000 + random.below(20_000));
        await host.link.setState('open');
      }),
  },
  {
    name: 'host silent',
    weight: 4,
    needs: 'a host',
    reasons: silenceReasons,
    strike: ({ begin, random, pause }, host) =>
      lasting(begin(host.name), async () => {
        await host.link.setState('silent');
        host.link.stall();
        await pause(1000 + random.below(30_000));
        await host.link.setState('open');
        if (random.chance(0.5)) host.link.cut();
        host.link.goOn();
      }),
  },
  {
    name: 'sshd stopped',
    weight: 2,
    needs: 'an sshd',
    reasons: [...connectionReasons, 'CONNECTION_REFUSED', 'NOT_SSH'],
    strike: ({ begin, random, pause, world }, host) =>
      lasting(begin(null, `of ${host.name}`), async () => {
        const { sshd } = host;
        if (!world.sshds.includes(sshd)) return;
        await (random.chance(0.5) ? sshd.stop() : sshd.kill());
        await pause(500 + random.below(15_000));
        await sshd.restart();
      }),
  },
  {
    name: 'session killed',
    weight: 3,
    needs: 'nothing',
    reasons: [...connectionReasons, 'RSYNC_KILLED', 'RSYNC_FAILED'],
    strike: async ({ moment, random, world }) => {
      const pids = (await Promise.all(world.sshds.map(sessionPids))).flat();
      if (pids.length === 0) return;
      moment(null);
      kill(random.pick(pids));
    },
  },
  {
    name: "host's rsync killed",
    weight: 5,
    needs: 'nothing',
    reasons: ['RSYNC_KILLED'],
    strike: async ({ moment, random, world }) => {
      const pids = (await Promise.all(world.sshds.map(remoteRsyncPids))).flat();
      if (pids.length === 0) return;
      moment(null);
      kill(random.pick(pids));
    },
  },
  {
    name: 'rsync on the server killed',
    weight: 3,
    needs: 'nothing',
    // An rsync is several processes, and one of them may say that another has gone. A drill has it in its detail.
    reasons: ['RSYNC_KILLED', 'RSYNC_FAILED', 'DRILL_BROKEN'],
    strike: async ({ moment, random, world }) => {
      if (!world.isUp) return;
      const pids = await localRsyncPids(world.bed).catch(() => []);
      if (pids.length === 0) return;
      moment(null);
      kill(random.pick(pids));
    },
  },
  {
    name: 'executor killed',
    weight: 2.5,
    needs: 'nothing',
    reasons: ['EXECUTOR_DIED'],
    strike: async ({ moment, random, world }) => {
      if (!world.isUp) return;
      const pids = await executorPids(world.bed).catch(() => []);
      if (pids.length === 0) return;
      moment(null);
      kill(random.pick(pids));
    },
  },
  {
    name: 'daemon killed',
    weight: 1.5,
    needs: 'daemon',
    reasons: ['DAEMON_DIED'],
    strike: ({ begin, random, world, pause }) =>
      world.daemonTurn.runExclusive(() =>
        lasting(begin(null), async () => {
          await world.stopDaemon('SIGKILL');
          if (random.chance(0.5)) await pause(random.below(8000));
          await world.startDaemon();
        }),
      ),
  },
  {
    name: 'daemon restarted',
    weight: 0.7,
    needs: 'daemon',
    reasons: ['CANCELLED_BY_STOP', 'DAEMON_DIED'],
    strike: ({ begin, world }) =>
      world.daemonTurn.runExclusive(() =>
        lasting(begin(null), async () => {
          await world.stopDaemon('SIGTERM');
          await world.startDaemon();
        }),
      ),
  },
  {
    name: 'database restarted',
    weight: 1.5,
    needs: 'database',
    // A daemon that starts meanwhile gives up, and what it has begun with it.
    reasons: ['DATABASE_UNAVAILABLE', 'CANCELLED_BY_STOP'],
    strike: ({ begin, random, world }) => {
      const how = random.pick(['politely', 'by a crash'] as const);
      return lasting(begin(null, how), async () => {
        await world.database.leave(how);
        await world.database.comeBack();
      });
    },
  },
  {
    name: 'database gone',
    weight: 1,
    needs: 'database',
    reasons: ['DATABASE_UNAVAILABLE', 'LEASE_LOST', 'CANCELLED_BY_STOP'],
    strike: ({ begin, random, world, pause }) =>
      lasting(begin(null), async () => {
        await world.database.leave(random.pick(['politely', 'by a crash']));
        await pause(2000 + random.below(28_000));
        await world.database.comeBack();
      }),
  },
  {
    name: 'database frozen',
    weight: 0.7,
    needs: 'database',
    reasons: ['DATABASE_UNAVAILABLE', 'LEASE_LOST', 'CANCELLED_BY_STOP'],
    strike: ({ begin, random, world, pause }) =>
      lasting(begin(null), async () => {
        world.database.freeze();
        await pause(2000 + random.below(15_000));
        world.database.thaw();
      }),
  },
  {
    name: 'disk nearly full',
    weight: 1.5,
    needs: 'disk',
    reasons: ['DISK_FULL', 'DISK_SPACE_LOW', 'DRILL_NO_ROOM'],
    strike: ({ begin, random, world, pause }) =>
      lasting(begin(null), async () => {
        const left = random.pick([0, 200_000, 2_000_000, 8_000_000]);
        await shrink(world, left);
        await pause(3000 + random.below(12_000));
        await world.disk.resize(diskSize);
      }),
  },
  {
    name: 'clock shifted',
    weight: 1.5,
    needs: 'clock',
    reasons: ['LEASE_LOST'],
    strike: async ({ begin, random, world, pause }) => {
      const shiftMs = random.pick(shiftsMs);
      const end = begin(null, `by ${(shiftMs / hour).toFixed(2)} h`);
      await lasting(end, async () => {
        await world.setClock(shiftMs);
        await pause(5000 + random.below(45_000));
        await world.setClock(0);
      });
    },
  },
];

async function lasting(end: () => void, work: () => Promise<void>): Promise<void> {
  try {
    await work();
  } finally {
    end();
  }
}

/** Leaves so many bytes free. What is written meanwhile may make it smaller than it is already: then later again. */
async function shrink(world: FleetWorld, leftBytes: number): Promise<void> {
  const used = await spaceTaken(world.bed.backupdir);
  await world.disk.resize(String(used + leftBytes)).catch(() => {});
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It has ended by itself.
  }
}
