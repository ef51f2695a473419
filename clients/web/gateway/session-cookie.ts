/** The cookie that holds the id of a session. No script can read it, and no other site can send it. */
interface CookiePlace {
  readonly basePath: string;
  readonly isSecure: boolean;
}

const name = 'busy_session';

export function newCookie(id: string, place: CookiePlace): string {
  return `${name}=${id}; ${attributes(place)}`;
}

export function clearedCookie(place: CookiePlace): string {
  return `${name}=; Max-Age=0; ${attributes(place)}`;
}

/** The id in a header `Cookie`, or null. */
export function readCookie(header: string): string | null {
  return new RegExp(`(?:^|;\\s*)${name}=([A-Za-z0-9_-]+)`).exec(header)?.[1] ?? null;
}

function attributes({ basePath, isSecure }: CookiePlace): string {
  return `Path=${basePath}; HttpOnly; SameSite=Strict${isSecure ? '; Secure' : ''}`;
}
