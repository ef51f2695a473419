/** Whether somebody is logged in. The token itself is known to the gateway alone. */
import { useSyncExternalStore } from 'react';
import { gatewayUrl } from './base.js';

export type SessionState = 'unknown' | 'in' | 'out';

let state: SessionState = 'unknown';
const listeners = new Set<() => void>();

export function useSession(): { readonly state: SessionState } {
  const now = useSyncExternalStore(subscribe, () => state);
  return { state: now };
}

/** Answers why the token was not taken, or null. */
export async function logIn(token: string): Promise<string | null> {
  try {
    const response = await fetch(gatewayUrl('session'), { method: 'POST', body: token });
    if (!response.ok) return (await response.text()).trim();
    become('in');
    return null;
  } catch {
    return 'The page cannot reach its server. Is busy-web running?';
  }
}

export async function logOut(): Promise<void> {
  await fetch(gatewayUrl('session'), { method: 'DELETE' }).catch(() => undefined);
  become('out');
}

/** A call was answered so. */
export function noteLoggedOut(): void {
  become('out');
}

/**
 * Asks whether there is a session; without one, logs in with the token of a link that ends in `#token=...`, which a
 * browser sends to nobody.
 */
async function begin(): Promise<void> {
  const token = new URLSearchParams(location.hash.slice(1)).get('token');
  if (token !== null) history.replaceState(null, '', location.pathname + location.search);
  const response = await fetch(gatewayUrl('session')).catch(() => null);
  if (response?.ok) return become('in');
  // Never in place of a session that is there: a link of somebody else must not change who one is.
  if (token === null || (await logIn(token)) !== null) become('out');
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  if (listeners.size === 1 && state === 'unknown') void begin();
  return () => void listeners.delete(listener);
}

function become(next: SessionState): void {
  state = next;
  for (const listener of listeners) listener();
}
