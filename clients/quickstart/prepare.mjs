/**
 * Makes a fresh clone ready: checks Node, installs what is missing of the Debian and npm packages, and builds.
 * Runs before there is any npm package, so it is plain JavaScript and uses nothing but Node. Says what it does; says
 * nothing when there is nothing to do.
 *
 * Options: --for-tests (also what only the tests need), --build (generate the code of the API and compile).
 */
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { accessSync, constants, existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cloneDirectory = dirname(dirname(dirname(fileURLToPath(import.meta.url))));
const stampFile = join(cloneDirectory, 'node_modules/.busy-installed');
const oldestNode = [20, 19];
const systemDirectories = ['/usr/local/sbin', '/usr/sbin', '/sbin'];

/** Debian's package for each program, or for a file where it brings no program. */
const runTools = { rsync: 'rsync', sshd: 'openssh-server', 'ssh-keygen': 'openssh-client', pigz: 'pigz' };
const testTools = {
  ssh: 'openssh-client',
  zstd: 'zstd',
  bwrap: 'bubblewrap',
  setfacl: 'acl',
  setfattr: 'attr',
  python3: 'python3',
  mariadbd: 'mariadb-server',
  chromium: 'chromium',
  // The example of a client in another language.
  protoc: 'protobuf-compiler',
  '/usr/include/google/protobuf/timestamp.proto': 'libprotobuf-dev',
  '/usr/lib/python3/dist-packages/grpc/__init__.py': 'python3-grpcio',
  '/usr/lib/python3/dist-packages/google/protobuf/__init__.py': 'python3-protobuf',
};
/** What a package would have started. */
const services = { 'openssh-server': ['ssh.service', 'ssh.socket'], 'mariadb-server': ['mariadb.service'] };
/** npm packages with native code are compiled where no ready-made one can be fetched. */
const compileTools = { python3: 'python3', make: 'make', 'g++': 'g++' };

process.chdir(cloneDirectory);
try {
  prepare(new Set(process.argv.slice(2)));
} catch (error) {
  process.stderr.write(`${error.message}\n`);
  process.exitCode = 1;
}

function prepare(options) {
  checkNode();
  const mustInstallPackages = readStamp() !== wantedStamp();
  installTools({
    ...runTools,
    ...(options.has('--for-tests') ? testTools : {}),
    ...(mustInstallPackages ? compileTools : {}),
  });
  if (mustInstallPackages) installPackages();
  if (options.has('--build')) build();
}

function checkNode() {
  const [major, minor] = process.versions.node.split('.').map(Number);
  if (major > oldestNode[0] || (major === oldestNode[0] && minor >= oldestNode[1])) return;
  throw new Error(
    `BUSY needs Node ${oldestNode.join('.')} or newer, but this is ${process.version}. See https://nodejs.org/`,
  );
}

/** Installs the packages of the programs that are not there; as another user than root it tells how. */
function installTools(tools) {
  const missing = Object.keys(tools).filter((tool) => !isInstalled(tool));
  if (missing.length === 0) return;
  const packages = [...new Set(missing.map((tool) => tools[tool]))];
  if (!isInstalled('apt-get')) {
    throw new Error(
      `Missing here: ${missing.join(', ')}. Install them with the package manager of this system, then run this again.`,
    );
  }
  if (process.getuid() !== 0) {
    throw new Error(
      `Missing here: ${missing.join(', ')}. Install them, then run this again:\n  sudo apt-get install ${packages.join(' ')}`,
    );
  }
  say(`Installing Debian packages: ${packages.join(', ')} ...`);
  withoutStartingServices(() => {
    apt(['update']);
    apt(['install', '-y', '--no-install-recommends', ...packages]);
  });
  for (const name of packages) keepOff(name, services[name] ?? []);
}

/** Debian asks this file whether a service may start after its installation. A file that exists is left alone. */
function withoutStartingServices(install) {
  const policyFile = '/usr/sbin/policy-rc.d';
  const isOurs = !existsSync(policyFile);
  // With a handler, Ctrl-C ends apt-get but not us before the file is gone again.
  process.on('SIGINT', ignore);
  process.on('SIGTERM', ignore);
  try {
    if (isOurs) writeFileSync(policyFile, '#!/bin/sh\nexit 101\n', { mode: 0o755, flag: 'wx' });
    install();
  } finally {
    if (isOurs) rmSync(policyFile, { force: true });
    process.off('SIGINT', ignore);
    process.off('SIGTERM', ignore);
  }
}

/** BUSY needs the program, not a server that nobody asked for on its usual port, also not after the next boot. */
function keepOff(name, units) {
  if (units.length === 0 || !existsSync('/run/systemd/system')) return;
  for (const unit of units) spawnSync('systemctl', ['disable', unit], { stdio: 'ignore' });
  say(`The server of ${name} was installed, but neither started nor enabled.`);
}

function apt(args) {
  const { status, error, stdout, stderr } = spawnSync('apt-get', ['-q', ...args], {
    encoding: 'utf8',
    env: { ...process.env, DEBIAN_FRONTEND: 'noninteractive' },
  });
  if (status === 0) return;
  throw new Error(`apt-get ${args.join(' ')} failed:\n${error?.message ?? ''}${stdout ?? ''}${stderr ?? ''}`);
}

/** Installs exactly what package-lock.json says, for this version of Node. */
function installPackages() {
  say('Installing npm packages (a minute or two, when native code must be compiled) ...');
  const env = { ...process.env };
  // Node's own headers, where they are installed beside it, spare a download of them.
  const prefix = dirname(dirname(process.execPath));
  if (existsSync(join(prefix, 'include/node/node.h'))) env.npm_config_nodedir = prefix;
  npm(['ci', '--include=dev', '--no-audit', '--no-fund', '--loglevel=error'], env);
  writeFileSync(stampFile, wantedStamp());
}

function build() {
  say('Building ...');
  npm(['run', '--silent', 'gen'], process.env);
  npm(['run', '--silent', 'build'], process.env);
}

function npm(args, env) {
  const { status, error } = spawnSync('npm', args, { stdio: 'inherit', env });
  if (status !== 0)
    throw new Error(`npm ${args.join(' ')} failed${error ? `: ${error.message}` : '; see above'}.`);
}

/** Says for which lock file and which kind of Node the packages were installed. */
function wantedStamp() {
  const lock = createHash('sha256').update(readFileSync('package-lock.json')).digest('hex');
  return `${lock} ${process.platform}-${process.arch}-${process.versions.modules}\n`;
}

function readStamp() {
  return existsSync(stampFile) ? readFileSync(stampFile, 'utf8') : null;
}

function isInstalled(program) {
  if (program.startsWith('/')) return existsSync(program);
  const directories = [...(process.env.PATH ?? '').split(delimiter), ...systemDirectories];
  return directories.some((directory) => {
    try {
      accessSync(join(directory, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function say(line) {
  process.stdout.write(`${line}\n`);
}

function ignore() {}
