/** A small plot over time, with its last value in words for those who cannot see it. */
import { useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';

export interface PlotProps {
  readonly title: string;
  /** Oldest first; seconds since 1970. */
  readonly times: readonly number[];
  readonly values: readonly number[];
  readonly format: (value: number) => string;
}

const height = 140;
const twoDaysInSeconds = 2 * 86_400;

export function Plot({ title, times, values, format }: PlotProps) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const style = getComputedStyle(element);
    const axis = { stroke: style.color, grid: { stroke: style.borderColor, width: 1 } };
    const isLong = (times.at(-1) ?? 0) - (times[0] ?? 0) > twoDaysInSeconds;
    const plot = new uPlot(
      {
        width: element.clientWidth,
        height,
        legend: { show: false },
        cursor: { drag: { x: false, y: false } },
        axes: [
          { ...axis, values: (_, ticks) => ticks.map(isLong ? dayOf : timeOf) },
          { ...axis, size: 92, values: (_, ticks) => ticks.map(format) },
        ],
        series: [
          {},
          {
            stroke: style.outlineColor,
            width: 2,
            points: { show: times.length < 60, fill: style.outlineColor },
          },
        ],
      },
      [[...times], [...values]],
      element,
    );
    const resized = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      plot.destroy();
    };
  }, [times, values, format]);
  const last = values.at(-1);
  return (
    <figure className="plot">
      <figcaption>
        {title}
        {last !== undefined && <span className="faint"> · now {format(last)}</span>}
      </figcaption>
      <div ref={box} className="plot-box" aria-hidden="true" />
    </figure>
  );
}

/** "Nov 22", in the words and the zone of whoever looks. */
function dayOf(seconds: number): string {
  return new Date(seconds * 1000).toLocaleDateString(undefined, { month: 'short', day: 'numeric' });
}

function timeOf(seconds: number): string {
  return new Date(seconds * 1000).toLocaleTimeString(undefined, { hour: '2-digit', minute: '2-digit' });
}
