/** What was done to BUSY and when: the story for people, and the reasons that a failure of that time may have. */

export interface FaultKind {
  readonly name: string;
  /** Reasons that runs may fail with because of it. */
  readonly reasons: readonly string[];
}

interface Entry {
  readonly kind: FaultKind;
  /** Null: all hosts. */
  readonly host: string | null;
  readonly fromMs: number;
  untilMs: number;
}

/** So long after its end a fault may still be why a run fails: that was under way, and limits must run out. */
const lingerMs = 20_000;
const storyLength = 60;

export class Ledger {
  private readonly startedMs = performance.now();
  private readonly entries: Entry[] = [];
  private readonly story: string[] = [];
  private readonly counts = new Map<string, number>();
  private readonly broken: string[] = [];

  constructor(private readonly onLine: (line: string) => void) {}

  get elapsedMs(): number {
    return performance.now() - this.startedMs;
  }

  /** The last lines of the story. */
  get last(): readonly string[] {
    return this.story;
  }

  /** How often each fault and each action of the operator was carried out. */
  get faultCounts(): ReadonlyMap<string, number> {
    return this.counts;
  }

  get faultCount(): number {
    return this.entries.length;
  }

  /** Promises that were broken in a way that does not hinder the soak from going on. */
  get violations(): readonly string[] {
    return this.broken;
  }

  violate(what: string): void {
    this.broken.push(what);
    this.note(`VIOLATION: ${what}`);
  }

  note(line: string): void {
    const told = `${(this.elapsedMs / 1000).toFixed(1).padStart(7)} s  ${line}`;
    this.story.push(told);
    if (this.story.length > storyLength) this.story.shift();
    this.onLine(told);
  }

  count(name: string): void {
    this.counts.set(name, (this.counts.get(name) ?? 0) + 1);
  }

  /** A fault that begins now; what is answered ends it. */
  begin(kind: FaultKind, host: string | null, detail = ''): () => void {
    const entry: Entry = { kind, host, fromMs: performance.now(), untilMs: Infinity };
    this.entries.push(entry);
    this.count(kind.name);
    const words = [kind.name, host ?? '', detail].filter((word) => word !== '').join(' ');
    this.note(words);
    return () => {
      if (entry.untilMs !== Infinity) return;
      entry.untilMs = performance.now();
      this.note(`over: ${words}`);
    };
  }

  /** A fault that is over as soon as it is done. */
  moment(kind: FaultKind, host: string | null, detail = ''): void {
    this.begin(kind, host, detail);
    const entry = this.entries.at(-1);
    if (entry) entry.untilMs = performance.now();
  }

  /** Faults that a run of this time may have met. */
  during(host: string, fromMs: number, untilMs: number): FaultKind[] {
    const met = this.entries.filter(
      (entry) =>
        (entry.host === null || entry.host === host) &&
        entry.fromMs <= untilMs &&
        entry.untilMs + lingerMs >= fromMs,
    );
    return [...new Set(met.map(({ kind }) => kind))];
  }
}
