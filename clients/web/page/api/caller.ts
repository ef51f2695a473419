/** What whoever is logged in may do. The daemon decides; the page only does not offer what it would refuse. */
import { useQuery } from '@tanstack/react-query';
import { Role } from '../../gen/busy/v1/token_service_pb.js';
import { infoQuery } from './queries.js';

const words: Readonly<Record<Role, string>> = {
  [Role.UNSPECIFIED]: 'nobody',
  [Role.VIEWER]: 'viewer',
  [Role.OPERATOR]: 'operator',
  [Role.ADMIN]: 'admin',
};

/** Why the caller may not do what needs this role, and for all hosts; empty when he may, or it is not known yet. */
export function useRefusal(needs: Role | undefined, ofAllHosts = false): string {
  const { data: caller } = useQuery({ ...infoQuery, select: (info) => info.caller });
  if (!caller || needs === undefined) return '';
  if (caller.role < needs) return `This needs the role ${words[needs]}; you are ${words[caller.role]}.`;
  if (ofAllHosts && caller.hosts.length > 0)
    return `This is about all hosts; you may see ${caller.hosts.join(', ')} only.`;
  return '';
}

/** "admin (alice)". */
export function callerWords(caller: { readonly name: string; readonly role: Role }): string {
  return `${words[caller.role]} (${caller.name})`;
}
