const armed = new URL('./armed.mjs', import.meta.url).href;

/** Puts armed.mjs in the place of the product's fault points. */
export async function resolve(specifier, context, next) {
  const found = await next(specifier, context);
  return found.url.endsWith('/dist/src/fault-points.js') ? { ...found, url: armed } : found;
}
