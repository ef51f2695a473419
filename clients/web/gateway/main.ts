#!/usr/bin/env node
/**
 * busy-web: serves the page and carries its calls to busyd. Exit codes: 0 stopped, 1 could not start, 2 wrong usage.
 */
import { readFile } from 'node:fs/promises';
import { isIP } from 'node:net';
import { fileURLToPath } from 'node:url';
import { createClient } from '@connectrpc/connect';
import { Command, CommanderError, Option } from 'commander';
import { DaemonService } from '../gen/busy/v1/daemon_service_pb.js';
import { daemonTransport } from './daemon-transport.js';
import { ServerAddressError } from '../../server-address.js';
import { createGateway } from './gateway.js';
import { headersFor } from './forwarding.js';
import { LoginAttempts } from './login-attempts.js';
import { readPageFiles } from './page-files.js';
import { Sessions } from './sessions.js';
import { createWebServer } from './web-server.js';

interface Options {
  readonly listen: string;
  readonly server: string;
  readonly ca?: string;
  readonly basePath: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
  readonly behindTls?: true;
  readonly sessionHours: string;
  readonly longestSessionHours: string;
}

process.exitCode = await main(process.argv.slice(2));

async function main(args: readonly string[]): Promise<number> {
  try {
    await createProgram().parseAsync(args, { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    const advice = error instanceof ServerAddressError ? ` ${error.advice}` : '';
    report(`${error instanceof Error ? error.message : String(error)}${advice}`);
    return 1;
  }
}

function report(text: string): void {
  process.stderr.write(`busy-web: ${text}\n`);
}

function createProgram(): Command {
  return new Command('busy-web')
    .description('Serves the web page of BUSY. Runs in the foreground; ends on SIGTERM or SIGINT.')
    .option('--listen <host:port>', 'where browsers come; port 0 takes a free one', '127.0.0.1:8080')
    .addOption(
      new Option('--server <endpoint>', 'the daemon: unix:PATH, HOST:PORT or tls://HOST:PORT')
        .env('BUSY_SERVER')
        .default('unix:/run/busy/busyd.sock'),
    )
    .option('--ca <file>', 'the CA that the certificate of a tls:// daemon must come from')
    .option('--base-path <path>', 'where a proxy in front has the page, for example /busy/', '/')
    .option('--tls-cert <file>', 'serve over TLS with this certificate (PEM)')
    .option('--tls-key <file>', 'the private key to it')
    .option('--behind-tls', 'a proxy in front speaks TLS with the browsers')
    .option('--session-hours <hours>', 'a session that is not used for so long is over', '12')
    .option('--longest-session-hours <hours>', 'so long after the login it is over, used or not', '168')
    .allowExcessArguments(false)
    .exitOverride()
    .action(serve);
}

/** Settles when it was told to stop and has. */
async function serve(options: Options): Promise<void> {
  const { host, port } = listenAddress(options);
  const basePath = `/${options.basePath.replaceAll(/^\/+|\/+$/g, '')}/`.replace('//', '/');
  const daemon = daemonTransport(options.server, options.ca ? await readFile(options.ca, 'utf8') : null);
  const info = createClient(DaemonService, daemon);
  const isTls = options.tlsCert !== undefined;
  const times = {
    idleMs: readHours('--session-hours', options.sessionHours),
    longestMs: readHours('--longest-session-hours', options.longestSessionHours),
  };
  const handler = createGateway({
    daemon,
    sessions: new Sessions(times, Date.now),
    attempts: new LoginAttempts(Date.now),
    metricsAttempts: new LoginAttempts(Date.now),
    files: await readPageFiles(fileURLToPath(new URL('../page', import.meta.url))),
    basePath,
    isSecure: isTls || options.behindTls === true,
    isBehindProxy: options.behindTls === true,
    checkToken: async (token, address) => {
      await info.getDaemonInfo({}, { headers: headersFor({ token, address }) });
    },
    onError: (error) =>
      report(`an internal error: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}`),
    onWrongToken: (address, count) => {
      // Each doubling: the log must not be for strangers to fill.
      if (Number.isInteger(Math.log2(count)))
        report(`a wrong token was given in a browser at ${address} (${count} in a row)`);
    },
  });
  const server = await createWebServer(tlsFilesOf(options), handler, report);
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, resolve);
  });
  const bound = server.address();
  const shown = typeof bound === 'object' && bound ? bound.port : port;
  process.stdout.write(
    `The page is at ${isTls ? 'https' : 'http'}://${bracketed(host)}:${shown}${basePath}\n`,
  );
  await new Promise<void>((resolve) => {
    const stop = (): void => {
      server.close(() => resolve());
      server.closeAllConnections();
    };
    process.once('SIGTERM', stop);
    process.once('SIGINT', stop);
  });
}

/** Timers of Node end at about 24 days. */
function readHours(option: string, text: string): number {
  const hours = Number(text);
  if (hours > 0 && hours <= 500) return hours * 3_600_000;
  throw new Error(`${option} ${text} is not a number of hours up to 500.`);
}

function tlsFilesOf({ tlsCert, tlsKey }: Options): { cert: string; key: string } | null {
  if (tlsCert === undefined) return null;
  if (tlsKey === undefined) throw new Error('--tls-cert needs --tls-key.');
  return { cert: tlsCert, key: tlsKey };
}

/** Tokens come this way: without TLS only from this machine, or from a proxy in front that has it. */
function listenAddress(options: Options): { host: string; port: number } {
  const [, host = '', port = ''] = /^\[?([^\]]*?)\]?:(\d{1,5})$/.exec(options.listen) ?? [];
  if (host === '' || Number(port) > 65_535)
    throw new Error(`--listen ${options.listen} is not HOST:PORT, for example 127.0.0.1:8080.`);
  const isLoopback = host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
  if (isLoopback || options.tlsCert !== undefined) return { host, port: Number(port) };
  throw new Error(
    `--listen ${options.listen} would carry tokens over the network unprotected. Give --tls-cert and --tls-key ` +
      '(busyd make-cert makes some for a start), or listen on 127.0.0.1 behind a proxy that speaks TLS.',
  );
}

function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
