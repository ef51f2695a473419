/** What stands around every page. */
import type { MouseEvent, ReactNode } from 'react';
import { Link, useRoute } from 'wouter';
import { showExactTimes, useExactTimes } from '../api/exact-times.js';
import { useLiveRuns } from '../api/live-runs-context.js';
import { logOut } from '../api/session.js';

const places = [
  ['/', 'Overview'],
  ['/hosts', 'Hosts'],
  ['/archives', 'Archives'],
  ['/trash', 'Trash'],
  ['/audit', 'Audit'],
  ['/settings', 'Settings'],
] as const;

export function Layout({ children }: { readonly children: ReactNode }) {
  const { connection } = useLiveRuns();
  const isExact = useExactTimes();
  return (
    <>
      <a className="skip" href="#content" onClick={skip}>
        Skip to the content
      </a>
      <header className="top">
        <span className="brand">BUSY</span>
        <nav aria-label="Pages">
          {places.map(([path, name]) => (
            <Place key={path} path={path} name={name} />
          ))}
        </nav>
        <label className="switch">
          <input
            type="checkbox"
            checked={isExact}
            onChange={(event) => showExactTimes(event.target.checked)}
          />
          Exact times
        </label>
        <button className="quiet" onClick={() => void logOut()}>
          Log out
        </button>
      </header>
      {/* Always there, so that nothing jumps when the connection is lost. */}
      <p className={`connection connection-${connection}`} role="status">
        {connection === 'lost' ? 'The daemon does not answer; what is shown may be old. Trying again …' : ''}
      </p>
      <main id="content" tabIndex={-1}>
        {children}
      </main>
    </>
  );
}

/** With a <base> the address of an anchor is another page. */
function skip(event: MouseEvent<HTMLAnchorElement>): void {
  event.preventDefault();
  document.getElementById('content')?.focus();
}

function Place({ path, name }: { readonly path: string; readonly name: string }) {
  const [isHere] = useRoute(path);
  return (
    <Link href={path} aria-current={isHere ? 'page' : undefined}>
      {name}
    </Link>
  );
}
