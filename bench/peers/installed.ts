import { access, constants } from 'node:fs/promises';
import { delimiter, join } from 'node:path';

/** The first of some programs, absolute or in PATH, that is there. */
export async function firstInstalled(names: readonly string[]): Promise<string | null> {
  const directories = (process.env.PATH ?? '').split(delimiter);
  const places = names.flatMap((name) =>
    name.startsWith('/') ? [name] : directories.map((directory) => join(directory, name)),
  );
  for (const place of places) {
    const isThere = await access(place, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return place;
  }
  return null;
}
