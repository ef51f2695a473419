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

export function Plot({ title, times, values, format }: PlotProps) {
  const box = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = box.current;
    if (!element) return undefined;
    const style = getComputedStyle(element);
    const axis = { stroke: style.color, grid: { stroke: style.borderColor, width: 1 } };
    const plot = new uPlot(
      {
        width: element.clientWidth,
        height,
        legend: { show: false },
        cursor: { drag: { x: false, y: false } },
        axes: [axis, { ...axis, size: 76, values: (_, ticks) => ticks.map(format) }],
        series: [{}, { stroke: style.outlineColor, width: 2, points: { show: times.length < 60 } }],
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
