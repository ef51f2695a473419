/** The page of BUSY: what is drawn comes from the daemon alone, through the gateway that served this file. */
import { QueryClient, QueryClientProvider } from '@tanstack/react-query';
import { setNonce } from 'get-nonce';
import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';
import { basePath } from './api/base.js';
import { hostsQuery } from './api/queries.js';
import { App } from './app.js';
import { isWorthTryingAgain } from './api/errors.js';
import './style.css';

// The library for dialogs adds a style element, which the content policy allows with this nonce only.
setNonce(document.querySelector<HTMLMetaElement>('meta[name=style-nonce]')?.content ?? '');

const askAgainMs = 30_000;

const queries = new QueryClient({
  defaultOptions: {
    queries: {
      staleTime: 5_000,
      retry: (count, error) => count < 3 && isWorthTryingAgain(error),
      refetchOnWindowFocus: true,
      // What failed while the daemon was away is asked for when it is back; this is for a failure that nothing else noticed.
      refetchInterval: ({ state: { error } }) => (isWorthTryingAgain(error) ? askAgainMs : false),
    },
  },
});

// Asked for while it is still looked up whether somebody is logged in: the first page shows them.
if (location.pathname === basePath && location.hash === '') void queries.prefetchQuery(hostsQuery);

const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <QueryClientProvider client={queries}>
        <App />
      </QueryClientProvider>
    </StrictMode>,
  );
}
