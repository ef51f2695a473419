/** How the backups of a host have grown. */
import { useMemo } from 'react';
import type { Snapshot } from '../../../gen/busy/v1/snapshot_pb.js';
import { formatDuration } from '../../../../cli/human-format.js';
import { bytes, count, dateOf } from '../../format/units.js';
import { Plot } from './plot.js';

export function HostPlots({ snapshots }: { readonly snapshots: readonly Snapshot[] }) {
  const series = useMemo(() => {
    const oldestFirst = snapshots.filter(({ stats }) => stats !== undefined).toReversed();
    const secondsOf = ({ startedAt }: Snapshot): number => (dateOf(startedAt)?.getTime() ?? 0) / 1000;
    return {
      times: oldestFirst.map(secondsOf),
      size: oldestFirst.map(({ stats }) => Number(stats?.totalBytes ?? 0n)),
      own: oldestFirst.map(({ stats }) => Number(stats?.copiedBytes ?? 0n)),
      changed: oldestFirst.map(({ stats }) => Number(stats?.copiedFiles ?? 0n)),
      took: oldestFirst.map(
        ({ startedAt, committedAt }) =>
          (dateOf(committedAt)?.getTime() ?? 0) - (dateOf(startedAt)?.getTime() ?? 0),
      ),
    };
  }, [snapshots]);
  if (series.times.length < 2) return null;
  return (
    <div className="plots">
      <Plot title="Size of the source" times={series.times} values={series.size} format={bytes} />
      <Plot title="New data" times={series.times} values={series.own} format={bytes} />
      <Plot title="Changed files" times={series.times} values={series.changed} format={count} />
      <Plot title="Duration" times={series.times} values={series.took} format={formatDuration} />
    </div>
  );
}
