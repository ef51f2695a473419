/** Why a host is or is not backed up now. */
import { useQuery } from '@tanstack/react-query';
import { explainQuery } from '../../api/queries.js';
import { withLocalTimes } from '../../format/times-in-text.js';
import { Failure, Waiting } from '../../parts/notices.js';
import { Foreign } from '../../parts/text.js';
import { Until } from '../../parts/times.js';

export function Explanation({ host }: { readonly host: string }) {
  const found = useQuery(explainQuery(host));
  if (found.isError && !found.data)
    return <Failure error={found.error} onRetry={() => void found.refetch()} />;
  if (!found.data) return <Waiting rows={4} />;
  const { data } = found;
  return (
    <>
      <dl className="facts">
        <dt>Due</dt>
        <dd>{data.isDue ? 'yes' : 'no'}</dd>
        <dt>Online</dt>
        <dd>
          {data.isOnline ? 'yes' : 'no'}: <Foreign className="" text={withLocalTimes(data.onlineReason)} />
        </dd>
        <dt>Waits for</dt>
        <dd>{data.waitsFor === '' ? 'nothing: it starts within seconds' : withLocalTimes(data.waitsFor)}</dd>
        <dt>Next</dt>
        <dd>
          <Until time={data.nextAt} />
        </dd>
        <dt>Type</dt>
        <dd>{withLocalTimes(data.typeReason)}</dd>
        {data.space !== '' && (
          <>
            <dt>Space</dt>
            <dd>{data.space}</dd>
          </>
        )}
      </dl>
      <ul className="reasons">
        {data.reasons.map((reason) => (
          <li key={reason}>
            <Foreign className="" text={withLocalTimes(reason)} />
          </li>
        ))}
      </ul>
    </>
  );
}
