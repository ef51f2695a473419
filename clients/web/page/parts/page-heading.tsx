/** The heading of a page: names the window, and takes the focus when one goes from page to page, so that it is read. */
import { useEffect, useRef, type ReactNode } from 'react';

interface PageHeadingProps {
  /** For the title of the window; when it changes, one has gone elsewhere. */
  readonly title: string;
  /** What is shown; without it the title. */
  readonly children?: ReactNode;
}

/** The browser itself takes care of the page that it opens. */
let isFirst = true;

/** Focuses the heading when there are fewer entries, and what had the focus has gone with one of them. */
export function useHeadingWhenGone(entries: number): void {
  const before = useRef(entries);
  useEffect(() => {
    const isFewer = entries < before.current;
    before.current = entries;
    if (isFewer && document.activeElement === document.body) document.querySelector('h1')?.focus();
  }, [entries]);
}

export function PageHeading({ title, children }: PageHeadingProps) {
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => {
    document.title = `${title} · BUSY`;
    if (!isFirst) heading.current?.focus();
    isFirst = false;
  }, [title]);
  return (
    <h1 ref={heading} tabIndex={-1}>
      {children ?? title}
    </h1>
  );
}
