/** A page whose code comes when it is first gone to, so that the first page has less to load. */
import { lazy, type ComponentType, type LazyExoticComponent } from 'react';
import { Failure } from './notices.js';

export function lazyPage<Props>(
  load: () => Promise<ComponentType<Props>>,
): LazyExoticComponent<ComponentType<Props>> {
  return lazy(async () => {
    try {
      return { default: await load() };
    } catch {
      // After busy-web was renewed, the files of the page that is open are gone.
      return { default: RenewedPage };
    }
  });
}

function RenewedPage() {
  const error = new Error(
    'This part of the page could not be loaded. Perhaps busy-web was renewed meanwhile.',
  );
  return <Failure error={error} onRetry={() => location.reload()} />;
}
