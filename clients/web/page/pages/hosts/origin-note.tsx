/** Where hosts stand, and so whether they can be changed here. */
import { useQuery } from '@tanstack/react-query';
import { HostOrigin } from '../../../gen/busy/v1/host_service_pb.js';
import { Role } from '../../../gen/busy/v1/token_service_pb.js';
import { useRefusal } from '../../api/caller.js';
import { defaultsQuery } from '../../api/queries.js';

/** Why hosts cannot be changed here; empty when they can, or it is not known yet. */
export function useHostsRefusal(): string {
  const { data } = useQuery(defaultsQuery);
  const refusal = useRefusal(Role.ADMIN, true);
  if (data?.origin === HostOrigin.FILE)
    return `The hosts stand in the configuration file ${data.configFile}, so they cannot be changed here.`;
  return refusal;
}

export function OriginNote() {
  const { data } = useQuery(defaultsQuery);
  const refusal = useHostsRefusal();
  if (!data) return <p className="faint">&nbsp;</p>;
  if (data.origin === HostOrigin.FILE)
    return (
      <p>
        {refusal} Edit the file, then read it again (Settings, or <span className="mono">busy reload</span>).
        Hosts are taken from the database only when the file names none.
      </p>
    );
  return (
    <p>
      The hosts stand in the database and can be changed here; the defaults stand in{' '}
      <span className="mono">{data.configFile}</span>. {refusal}
    </p>
  );
}
