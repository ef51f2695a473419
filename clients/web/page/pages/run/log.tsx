/** The log of a run, live: with search, and following its end until the reader scrolls up, and again at the end. */
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { backupService } from '../../api/clients.js';
import { isWorthTryingAgain } from '../../api/errors.js';
import { gatewayUrl } from '../../api/base.js';
import { count } from '../../format/units.js';
import { Failure } from '../../parts/notices.js';
import { Foreign } from '../../parts/text.js';
import { mostLines, readLog } from './log-lines.js';

/** Lines that are drawn at once; a search looks through all. */
const mostDrawn = 1000;
/** Sizes of a zoomed page are fractions. */
const endPixels = 4;

export function RunLog({ runId, isEnded }: { readonly runId: string; readonly isEnded: boolean }) {
  const [lines, setLines] = useState<readonly string[]>([]);
  const [error, setError] = useState<unknown>(null);
  const [wanted, setWanted] = useState('');
  const [isFollowing, setFollowing] = useState(true);
  const box = useRef<HTMLOListElement>(null);
  const top = useRef(0);
  useEffect(() => {
    const abort = new AbortController();
    setLines([]);
    setError(null);
    readLog(backupService, runId, {
      signal: abort.signal,
      onLines: (more) => setLines((known) => [...known, ...more].slice(-mostLines)),
      isWorthTryingAgain,
    }).catch(setError);
    return () => abort.abort();
  }, [runId]);
  const shown = useMemo(() => {
    const text = wanted.toLowerCase();
    const fitting = text === '' ? lines : lines.filter((line) => line.toLowerCase().includes(text));
    return { total: fitting.length, lines: fitting.slice(-mostDrawn) };
  }, [lines, wanted]);
  // Before it is drawn: a list that has grown and is not yet at its end would look as if the reader had left the end.
  useLayoutEffect(() => {
    if (isFollowing && box.current) box.current.scrollTop = box.current.scrollHeight;
  }, [shown, isFollowing]);
  const noteScroll = ({ scrollTop, scrollHeight, clientHeight }: HTMLOListElement): void => {
    const isUp = scrollTop < top.current;
    top.current = scrollTop;
    if (scrollHeight - scrollTop - clientHeight < endPixels) setFollowing(true);
    else if (isUp) setFollowing(false);
  };
  return (
    <section aria-labelledby="log">
      <h2 id="log">Log</h2>
      <div className="tools">
        <input
          type="search"
          placeholder="Search the log"
          aria-label="Search the log"
          value={wanted}
          onChange={(event) => setWanted(event.target.value)}
        />
        <label>
          <input
            type="checkbox"
            checked={isFollowing}
            onChange={(event) => setFollowing(event.target.checked)}
          />
          {isEnded ? 'Show the end' : 'Follow'}
        </label>
        <a href={gatewayUrl(`logs/${runId}`)}>Download</a>
        {/* No live region: a log that grows would be read out all the time. */}
        <span className="faint">
          {wanted === ''
            ? `${count(lines.length)} lines`
            : `${count(shown.total)} of ${count(lines.length)} lines`}
        </span>
      </div>
      {error !== null && <Failure error={error} />}
      <ol
        className="log"
        ref={box}
        tabIndex={0}
        aria-label="Lines of the log"
        onScroll={(event) => noteScroll(event.currentTarget)}
      >
        {shown.lines.map((line, index) => (
          <li key={shown.total - shown.lines.length + index}>
            <Foreign text={line} />
          </li>
        ))}
      </ol>
    </section>
  );
}
