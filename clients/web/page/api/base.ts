/** Where the gateway has the page; begins and ends with a slash. */
export const basePath = new URL(document.baseURI).pathname;

/** An address of the gateway, such as `session` or `download?...`. */
export function gatewayUrl(below: string): string {
  return `${basePath}${below}`;
}
