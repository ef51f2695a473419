/** Looks at what the server itself needs: files and who may read them, disks, programs. */
import { X509Certificate } from 'node:crypto';
import { readFile, stat } from 'node:fs/promises';
import { toBusyError } from '../core/errors.js';
import type { FileLook } from '../core/secret-files.js';
import type { ServerFacts } from '../core/server-findings.js';
import { requireLocalRsync } from './local-rsync.js';
import { runProcess } from './process.js';

/** How long one program may take to tell its version. */
const programMs = 10_000;

/** Never throws. */
export async function lookAtFile(path: string): Promise<FileLook> {
  const found = await stat(path).catch(() => null);
  return { path, mode: found && found.mode & 0o7777, isOwn: found?.uid === process.getuid?.() };
}

/** When the certificate in a file expires, or what is wrong with the file. Never throws. */
export async function lookAtCertificate(file: string): Promise<NonNullable<ServerFacts['certificate']>> {
  try {
    return { file, expiresAt: new Date(new X509Certificate(await readFile(file)).validTo) };
  } catch (error) {
    return { file, expiresAt: { wrong: error instanceof Error ? error.message : String(error) } };
  }
}

/** Never throws. */
export async function lookAtRsync(): Promise<ServerFacts['rsync']> {
  const signal = AbortSignal.timeout(programMs);
  try {
    return { version: await requireLocalRsync(signal) };
  } catch (error) {
    if (signal.aborted)
      return {
        wrong: `rsync --version has not ended within ${programMs / 1000} seconds.`,
        advice: 'Is the server very busy, or does the disk hang that its programs lie on?',
      };
    const { message, advice } = toBusyError(error);
    return { wrong: message, advice };
  }
}

/** Never throws. */
export async function lookAtPrograms(): Promise<ServerFacts['programs']> {
  const wanted = [
    { name: 'tar', use: 'archives need it' },
    { name: 'pigz', use: 'archives are compressed on one core without it' },
  ];
  return Promise.all(wanted.map(async (program) => ({ ...program, isThere: await answers(program.name) })));
}

async function answers(program: string): Promise<boolean> {
  return runProcess(program, ['--version'], AbortSignal.timeout(programMs)).then(
    () => true,
    () => false,
  );
}
