/** Answers the page itself: one document for all its addresses, and the files that it loads. */
import { randomBytes } from 'node:crypto';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { PageFile } from './page-files.js';

/** `path` is below the base path and without a leading slash. */
export function answerPage(
  request: IncomingMessage,
  response: ServerResponse,
  page: { readonly files: ReadonlyMap<string, PageFile>; readonly basePath: string; readonly path: string },
): void {
  const file = page.files.get(page.path);
  if (file && page.path !== 'index.html') return answerFile(request, response, file);
  // Names of files have a dot; all else is an address within the page.
  if (/\.[a-z]+$/.test(page.path) && page.path !== 'index.html') {
    response.writeHead(404, { 'content-type': 'text/plain' }).end('There is no such file.\n');
    return;
  }
  const document = page.files.get('index.html');
  if (!document) throw new Error('index.html is not among the files of the page');
  const nonce = randomBytes(16).toString('base64');
  const text = document.bytes
    .toString('utf8')
    .replaceAll('BASE_PATH', page.basePath)
    .replaceAll('STYLE_NONCE', nonce);
  response
    .writeHead(200, {
      'content-type': document.type,
      'cache-control': 'no-store',
      'content-security-policy': contentPolicy(nonce),
    })
    .end(request.method === 'HEAD' ? undefined : text);
}

/** Nothing from elsewhere, no script in the document. The libraries for dialogs add style elements, which have the nonce. */
function contentPolicy(nonce: string): string {
  return [
    "default-src 'none'",
    "script-src 'self'",
    `style-src 'self' 'nonce-${nonce}'`,
    "img-src 'self' data:",
    "connect-src 'self'",
    "base-uri 'self'",
    "form-action 'none'",
    "frame-ancestors 'none'",
  ].join('; ');
}

function answerFile(request: IncomingMessage, response: ServerResponse, file: PageFile): void {
  const isBrotli = file.brotli !== null && /\bbr\b/.test(request.headers['accept-encoding'] ?? '');
  const headers = {
    'content-type': file.type,
    etag: file.etag,
    vary: 'accept-encoding',
    // Names change with contents.
    'cache-control': 'public, max-age=31536000, immutable',
    ...(isBrotli ? { 'content-encoding': 'br' } : {}),
  };
  if (request.headers['if-none-match'] === file.etag) {
    response.writeHead(304, headers).end();
    return;
  }
  const body = isBrotli && file.brotli ? file.brotli : file.bytes;
  response
    .writeHead(200, { ...headers, 'content-length': body.length })
    .end(request.method === 'HEAD' ? undefined : body);
}
