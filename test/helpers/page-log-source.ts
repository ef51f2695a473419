/** The streams of logs that the page reads, without a browser. */
import { createClient, type Client } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-web';
import { BackupService } from '../../clients/web/gen/busy/v1/backup_service_pb.js';

/** Streams of logs as the page has them, of somebody who is logged in. */
export async function logSource(url: string, token: string): Promise<Client<typeof BackupService>> {
  const session = await fetch(`${url}session`, { method: 'POST', body: token });
  const cookie = session.headers.getSetCookie()[0]?.split(';')[0] ?? '';
  const transport = createConnectTransport({
    baseUrl: `${url}api`,
    useBinaryFormat: true,
    fetch: (input, init) => {
      const headers = new Headers(init?.headers);
      headers.set('cookie', cookie);
      return fetch(input, { ...init, headers });
    },
  });
  return createClient(BackupService, transport);
}
