/** The cookie that holds the id of a session. No script can read it, and no other site can send it. */
interface CookiePlace {
  readonly basePath: string;
  readonly isSecure: boolean;
}

export function newCookie(id: string, place: CookiePlace): string {
  return `${nameFor(place)}=${id}; ${attributes(place)}`;
}

export function clearedCookie(place: CookiePlace): string {
  return `${nameFor(place)}=; Max-Age=0; ${attributes(place)}`;
}

/** The id in a header `Cookie`, or null. */
export function readCookie(header: string, place: CookiePlace): string | null {
  return new RegExp(`(?:^|;\\s*)${nameFor(place)}=([A-Za-z0-9_-]+)`).exec(header)?.[1] ?? null;
}

/**
 * By these prefixes browsers take the cookie from this very origin over TLS only, so that no neighbour can plant one:
 * `__Host-` where the page is all of the origin, `__Secure-` where a path of its own keeps the cookie from the rest.
 */
function nameFor({ basePath, isSecure }: CookiePlace): string {
  if (!isSecure) return 'busy_session';
  return basePath === '/' ? '__Host-busy_session' : '__Secure-busy_session';
}

function attributes({ basePath, isSecure }: CookiePlace): string {
  return `Path=${basePath}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
}
