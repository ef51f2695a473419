/** What is on file of each released version. */
import { readFileSync } from 'node:fs';

export function textOf(name: string): string {
  return readFileSync(new URL(name, import.meta.url), 'utf8');
}

/** The names of the migrations that a version had, oldest first. */
export function releasedMigrations(version: string): string[] {
  return textOf(`../../../proto/released/${version}-migrations.txt`).trim().split('\n');
}
