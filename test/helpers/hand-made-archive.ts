/** An archive of a snapshot as BUSY keeps one, made by hand. */
import { copyFile, mkdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { reviveSnapshot, type SnapshotRecord } from '../../src/core/snapshot.js';
import { archiveFiles, writeArchiveJson } from '../../src/execute/archive-files.js';
import { runCommand } from './run-command.js';

/** `snapshot`: its directory, which stays. */
export async function archiveByHand(archivedir: string, host: string, snapshot: string): Promise<void> {
  await mkdir(archivedir, { recursive: true });
  const name = snapshot.slice(snapshot.lastIndexOf('/') + 1);
  const files = archiveFiles(archivedir, { host, snapshot: name }, 'tar.zst');
  const json = JSON.parse(await readFile(join(snapshot, 'snapshot.json'), 'utf8')) as { snapshot?: unknown };
  const record = (json.snapshot ?? json) as Parameters<typeof reviveSnapshot>[0];
  const tar = await runCommand('tar', [
    '--create',
    '--format=posix',
    '--xattrs',
    '--xattrs-include=*',
    '--acls',
    '--sparse',
    '--numeric-owner',
    '--zstd',
    `--file=${files.tarball}`,
    `--directory=${join(snapshot, '..')}`,
    name,
  ]);
  if (tar.code !== 0) throw new Error(tar.stderr);
  await copyFile(join(snapshot, 'manifest.gz'), files.manifest);
  const archived: SnapshotRecord = { ...reviveSnapshot(record), host, name, heldFor: [] };
  await writeArchiveJson(files.json, {
    host,
    name,
    format: 'tar.zst',
    path: files.tarball,
    bytes: (await stat(files.tarball)).size,
    sha256: '',
    archivedAt: new Date(),
    runId: '',
    snapshot: archived,
    manifestRoot: 'data',
    manifest: null,
    verifiedAt: null,
    damage: '',
    copyPath: '',
  });
}
