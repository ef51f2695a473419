import { describe, expect, it } from 'vitest';
import { SlotFinder } from '../../src/core/schedule.js';
import { isWindowOpen } from '../../src/core/windows.js';
import { Fleet, seeded, type FleetHost, type Start } from '../helpers/fleet.js';
import { sampleHost } from '../helpers/sample-host.js';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;
/** Over both changes of the clocks in Europe/Berlin, and 60 days each. */
const eras = ['2026-03-01T00:00:00Z', '2026-10-01T00:00:00Z'];
const days = 60;
const stepMs = 5 * minuteMs;
const zone = 'Europe/Berlin';

/** 50 hosts: servers and laptops, on times of day, cron, or always; some in windows, some failing. */
function fleetHosts(random: () => number): FleetHost[] {
  return Array.from({ length: 50 }, (_, index) => {
    const kind = index % 5;
    const slots = [['02:30'], ['14:00'], ['0 */6 * * *'], [], ['12:00']][kind] ?? [];
    const isLaptop = index % 2 === 1;
    const onlineFrom = Math.floor(random() * 12);
    const onlineHours = 1 + Math.floor(random() * 8);
    const absentDays = new Set(Array.from({ length: 15 }, () => Math.floor(random() * days)));
    return {
      host: sampleHost({
        name: `host-${index}`,
        schedule: { slots, timeZone: zone, catchUpMs: dayMs, jitterMs: index % 3 === 0 ? 40 * minuteMs : 0 },
        windows: kind === 4 ? ['20:00-06:00'] : [],
        maxAgeIncr: kind === 2 || kind === 3 ? 0.25 : 1,
        retryAfterMs: 5 * minuteMs,
      }),
      failsOf100: index % 10 === 7 ? 30 : 0,
      isOnlineAt: (moment) => {
        if (!isLaptop) return true;
        const day = Math.floor(moment.getTime() / dayMs);
        const hour = moment.getUTCHours();
        return !absentDays.has(day % days) && hour >= onlineFrom && hour < onlineFrom + onlineHours;
      },
    };
  });
}

describe.each(eras)('60 days from %s', (era) => {
  // A failure comes again with the seed that it names.
  const seed = Number(process.env.BUSY_SEED ?? Date.now() % 1_000_000);
  const random = seeded(seed);
  const hosts = fleetHosts(random);

  const lives = new Map<boolean, Promise<Fleet>>();
  const lived = (jumps: boolean): Promise<Fleet> => {
    const life = lives.get(jumps) ?? live(jumps);
    lives.set(jumps, life);
    return life;
  };

  async function live(jumps: boolean): Promise<Fleet> {
    const fleet = new Fleet(hosts, new Date(era), random);
    for (let step = 0; step < (days * dayMs) / stepMs; step++) {
      await fleet.scheduler.look();
      if (step % 977 === 0) fleet.restart();
      if (jumps && step === 20 * 288 + 170) fleet.advance(3 * hourMs);
      if (jumps && step === 40 * 288 + 171) fleet.advance(-hourMs);
      fleet.advance(stepMs);
    }
    return fleet;
  }

  it.each([false, true])(
    `fault 14: nothing runs offline, outside its window or twice, also over restarts (clock jumps: %s)`,
    async (jumps) => {
      const fleet = await lived(jumps);
      const finder = new SlotFinder();
      expect(fleet.starts.length, `seed ${seed}`).toBeGreaterThan(1000);
      for (const member of hosts) {
        const { host } = member;
        const served = new Set<number>();
        for (const { at, succeeded } of startsOf(fleet, member)) {
          const facts = `${host.name} at ${at.toISOString()}, seed ${seed}`;
          expect(member.isOnlineAt(at), facts).toBe(true);
          expect(isWindowOpen(host.windows, zone, at), facts).toBe(true);
          const { slots } = host.schedule;
          if (!succeeded || slots === 'never' || slots.length === 0 || host.schedule.jitterMs > 0) continue;
          const slot = finder.around(slots, zone, at).last?.getTime() ?? 0;
          expect(served.has(slot), `two backups for one time: ${facts}`).toBe(false);
          served.add(slot);
        }
      }
    },
  );

  it('every host gets what its rules promise', async () => {
    const fleet = await lived(false);
    for (const member of hosts) {
      const { host } = member;
      const { slots } = host.schedule;
      if (member.failsOf100 > 0 || slots === 'never' || host.schedule.jitterMs > 0) continue;
      const starts = startsOf(fleet, member).map(({ at }) => at.getTime());
      const facts = `${host.name}, seed ${seed}`;
      if (slots.length === 0) {
        for (const [index, at] of starts.entries()) {
          const since = at - (starts[index - 1] ?? -Infinity);
          expect(since, facts).toBeGreaterThanOrEqual(host.maxAgeIncr * dayMs);
          if (member.isOnlineAt(new Date(at - stepMs)) && index > 0) {
            expect(since, `late: ${facts}`).toBeLessThanOrEqual(host.maxAgeIncr * dayMs + stepMs);
          }
        }
        continue;
      }
      // Each time of the schedule at which the host could be reached before the next one has its backup.
      const finder = new SlotFinder();
      const end = Date.parse(era) + days * dayMs;
      for (let at = Date.parse(era) + dayMs; at < end - dayMs; at += 10 * minuteMs) {
        const { last, next } = finder.around(slots, zone, new Date(at));
        if (!last || !next || last.getTime() <= at - 10 * minuteMs) continue;
        const canRun = (moment: number): boolean =>
          member.isOnlineAt(new Date(moment)) && isWindowOpen(host.windows, zone, new Date(moment));
        // A day of 25 hours is longer than catch_up.
        const until = Math.min(next.getTime() - stepMs, last.getTime() + host.schedule.catchUpMs);
        const reachable = range(last.getTime() + hourMs, until).some(canRun);
        const wasServed = starts.some((start) => start >= last.getTime() && start < next.getTime());
        if (reachable) expect(wasServed, `${last.toISOString()} of ${facts}`).toBe(true);
      }
    }
  });
});

/** Moments of the simulation's clock in a span. */
function range(from: number, to: number): number[] {
  const first = Math.ceil(from / stepMs) * stepMs;
  return Array.from(
    { length: Math.max(0, Math.floor((to - first) / stepMs)) },
    (_, index) => first + index * stepMs,
  );
}

function startsOf(fleet: Fleet, { host }: FleetHost): Start[] {
  return fleet.starts.filter((start) => start.host === host.name);
}
