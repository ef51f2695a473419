/** The page about metrics. */
import type { Facts } from '../src/metrics/facts.js';
import { Metrics } from '../src/metrics/metrics.js';

/** A daemon without hosts: names and meanings stand in its answer all the same. */
const nothing: Facts = {
  version: '',
  startedAt: new Date(0),
  runs: [],
  maxRunning: 0,
  executors: 0,
  disks: [],
  isDatabaseUp: true,
  mailCount: null,
  verification: { oldest: null, unverifiable: 0, damaged: 0 },
  hosts: [],
};

const intro = `# Metrics

What \`busyd\` measures, in the text format of Prometheus. There are three ways to it, all with the same text:

- \`metrics_listen: 127.0.0.1:9464\` in the configuration: plain HTTP for a Prometheus on this machine, at \`/metrics\`.
- \`busy metrics\` (the call \`GetMetrics\`; role viewer, not limited to some hosts), also over TLS with a token.
- \`/metrics\` of \`busy-web\`, with the header \`Authorization: Bearer TOKEN\`.

Counters begin at 0 when the daemon starts. Labels are hosts, directories, calls of the API and the words of BUSY, so there
are at most 17 lines for each host. Where several daemons share a database each tells of the hosts that are in its hands.
Made from \`src/metrics\` by \`npm run docs\`.
`;

/** Answers docs/metrics.md. */
export async function metricsPage(): Promise<string> {
  const text = await new Metrics(async () => nothing).text();
  const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name, type]) => [name, type]));
  const rows = [...text.matchAll(/^# HELP (\S+) (.+)$/gm)]
    .sort(([, a = ''], [, b = '']) => (a < b ? -1 : 1))
    .map(([, name, help]) => `| \`${name}\` | ${types.get(name)} | ${help} |`);
  return `${intro}\n| metric | type | what it says |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
}
