/** Whether times are shown exactly instead of as an age; remembered by the browser. */
import { useSyncExternalStore } from 'react';

const key = 'busy.exactTimes';
const listeners = new Set<() => void>();

export function useExactTimes(): boolean {
  return useSyncExternalStore(subscribe, isOn);
}

export function showExactTimes(isExact: boolean): void {
  if (isExact) localStorage.setItem(key, 'yes');
  else localStorage.removeItem(key);
  for (const tell of listeners) tell();
}

function isOn(): boolean {
  return localStorage.getItem(key) !== null;
}

function subscribe(listener: () => void): () => void {
  listeners.add(listener);
  return () => void listeners.delete(listener);
}
