/** Whether a request that changes something was made by the page, and not by another site in the same browser. */
import type { IncomingHttpHeaders } from 'node:http';

/**
 * Browsers say it themselves (Sec-Fetch-Site), older ones by the origin; a program that is no browser sends neither, and
 * has no cookie that another site could misuse.
 */
export function isFromThisPage(headers: IncomingHttpHeaders): boolean {
  const site = headers['sec-fetch-site'];
  if (site !== undefined) return site === 'same-origin';
  const { origin, host } = headers;
  if (origin === undefined) return true;
  const forwarded = headers['x-forwarded-host'];
  return URL.canParse(origin) && [host, forwarded].includes(new URL(origin).host);
}
