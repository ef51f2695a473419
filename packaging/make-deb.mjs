/**
 * `npm run deb [-- DIRECTORY]`: makes busy_VERSION_ARCHITECTURE.deb there (default: here), with dpkg-deb alone. In it BUSY
 * and its npm packages lie in /opt/busy, with links in /usr/bin and the units of systemd. Native code in it is built for
 * this machine's architecture and version of Node, so the package depends on that version.
 */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

const clone = fileURLToPath(new URL('..', import.meta.url));
const { version, description, bin } = JSON.parse(readFileSync(join(clone, 'package.json'), 'utf8'));
/** `0.2.0-dev` comes before `0.2.0`; dpkg would take what follows a hyphen for a revision, which comes after it. */
const debVersion = version.replace('-', '~');
const target = resolve(process.env.INIT_CWD ?? '.', process.argv[2] ?? '.');
const scratch = mkdtempSync(join(tmpdir(), 'busy-deb-'));

/**
 * Nothing is started by the installation, since there is no configuration yet; an upgrade restarts what runs, and a
 * daemon that does not start then is no failure of the package. Configuration, state and snapshots are never removed.
 */
const ifSystemd = (command) => `if [ -d /run/systemd/system ]; then ${command}; fi\n`;
const scripts = {
  postinst: ifSystemd(
    'systemctl daemon-reload; systemctl try-restart busyd.service busy-web.service || true',
  ),
  prerm: `if [ "$1" = remove ]; then ${ifSystemd('systemctl disable --now busy-web.service busyd.service').trim()}; fi\n`,
  postrm: ifSystemd('systemctl daemon-reload'),
};

try {
  const tree = join(scratch, 'tree');
  mkdirSync(tree, { mode: 0o755 });
  chmodSync(tree, 0o755);
  install(tree);
  link(tree);
  copyConfiguration(tree);
  describe(tree);
  const file = join(target, `busy_${debVersion}_${output('dpkg', ['--print-architecture'])}.deb`);
  run('dpkg-deb', ['--root-owner-group', '-Zxz', '--build', tree, file]);
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

/** With the versions of package-lock.json, also of packages that packages need: `npm install -g` knows those of package.json alone. */
function install(tree) {
  run('npm', ['pack', '--pack-destination', scratch]);
  const tarball = readdirSync(scratch).find((name) => /^busy-.*\.tgz$/.test(name)) ?? 'busy-*.tgz';
  const home = join(tree, 'opt/busy/lib/node_modules/busy-backup');
  mkdirSync(home, { recursive: true });
  run('tar', ['-xzf', join(scratch, tarball), '-C', home, '--strip-components=1', '--no-same-owner']);
  cpSync(join(clone, 'package-lock.json'), join(home, 'package-lock.json'));
  run('npm', ['ci', '--omit=dev', '--no-audit', '--no-fund'], home);
  // What compiling it has left.
  const native = join(home, 'node_modules/better-sqlite3');
  for (const part of ['deps', 'src', 'build/deps', 'build/Release/obj', 'build/Release/obj.target'])
    rmSync(join(native, part), { recursive: true, force: true });
}

/** As npm does it below /opt/busy, and from /usr/bin to there. */
function link(tree) {
  mkdirSync(join(tree, 'opt/busy/bin'), { recursive: true });
  mkdirSync(join(tree, 'usr/bin'), { recursive: true });
  for (const [program, file] of Object.entries(bin)) {
    chmodSync(join(tree, 'opt/busy/lib/node_modules/busy-backup', file), 0o755);
    symlinkSync(`../lib/node_modules/busy-backup/${file}`, join(tree, 'opt/busy/bin', program));
    symlinkSync(`/opt/busy/bin/${program}`, join(tree, 'usr/bin', program));
  }
}

function copyConfiguration(tree) {
  const units = join(tree, 'usr/lib/systemd/system');
  mkdirSync(units, { recursive: true });
  for (const name of ['busyd.service', 'busy-web.service']) {
    const unit = readFileSync(join(clone, 'config', name), 'utf8');
    writeFileSync(join(units, name), unit.replaceAll('/usr/local/bin/', '/usr/bin/'));
  }
  mkdirSync(join(tree, 'etc/busy'), { recursive: true });
  cpSync(join(clone, 'config/busy.example.yaml'), join(tree, 'etc/busy/busy.yaml.example'));
}

function describe(tree) {
  mkdirSync(join(tree, 'DEBIAN'));
  const node = Number(process.versions.node.split('.')[0]);
  // What was compiled here may need what older ones do not have.
  const libc = output('getconf', ['GNU_LIBC_VERSION']).split(' ')[1];
  const oldest = node === 20 ? '20.19' : String(node);
  const fields = {
    Package: 'busy',
    Version: debVersion,
    Architecture: output('dpkg', ['--print-architecture']),
    Maintainer: 'BUSY <root@localhost>',
    Depends: `nodejs (>= ${oldest}), nodejs (<< ${node + 1}~), libc6 (>= ${libc}), rsync, tar`,
    Recommends: 'pigz, zstd, bubblewrap, default-mta | mail-transport-agent',
    Section: 'admin',
    Priority: 'optional',
    'Installed-Size': output('du', ['-sk', tree]).split('\t')[0],
    Description: description,
  };
  const control = Object.entries(fields).map(([name, value]) => `${name}: ${value}\n`);
  writeFileSync(join(tree, 'DEBIAN/control'), control.join(''));
  for (const [name, text] of Object.entries(scripts))
    writeFileSync(join(tree, 'DEBIAN', name), `#!/bin/sh\nset -e\n${text}`, { mode: 0o755 });
}

function run(program, args, cwd = clone) {
  process.stdout.write(`$ ${[program, ...args].join(' ')}\n`);
  const { status, error } = spawnSync(program, args, { cwd, stdio: ['ignore', 'inherit', 'inherit'] });
  if (error) throw error;
  if (status !== 0) throw new Error(`${program} ended with code ${status}.`);
}

function output(program, args) {
  return spawnSync(program, args, { encoding: 'utf8' }).stdout.trim();
}
