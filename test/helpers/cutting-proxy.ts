/** A proxy that breaks connections: what a bad network does to the streams of the page. */
import { TcpProxy } from './tcp-proxy.js';

export interface CuttingProxy {
  readonly url: string;
  /** How many connections it has cut. */
  cuts(): number;
  end(): Promise<void>;
}

/** Cuts the first `times` connections on which more than `bytes` came from the server; in the middle of whatever it is. */
export async function cutAfter(
  target: string,
  { bytes, times }: { readonly bytes: number; readonly times: number },
): Promise<CuttingProxy> {
  let cuts = 0;
  const proxy = await TcpProxy.to(Number(new URL(target).port), (received) => {
    if (received <= bytes || cuts >= times) return false;
    cuts += 1;
    return true;
  });
  return {
    url: `http://127.0.0.1:${proxy.port}/`,
    cuts: () => proxy.cuts,
    end: () => proxy.end(),
  };
}
