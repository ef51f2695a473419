/** Paths on a host, as text of the contract: a byte that is no text stands as `\#ooo`, so a slash always separates. */

/** The last part; the root is `/`. */
export function nameOf(path: string): string {
  return path.slice(path.lastIndexOf('/') + 1) || '/';
}

/** The directories down to a path, the root first, the path itself last. */
export function stepsTo(path: string): { readonly name: string; readonly path: string }[] {
  const names = path.split('/').filter((name) => name !== '');
  return [
    { name: '/', path: '/' },
    ...names.map((name, index) => ({ name, path: `/${names.slice(0, index + 1).join('/')}` })),
  ];
}
