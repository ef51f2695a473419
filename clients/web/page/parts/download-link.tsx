/**
 * A link to what the gateway sends as a file. Without the `download` attribute: what the gateway refuses is then shown as
 * its text instead of being saved under the name of the file.
 */
import type { ReactNode } from 'react';
import { Role } from '../../gen/busy/v1/token_service_pb.js';
import { useRefusal } from '../api/caller.js';

interface DownloadLinkProps {
  readonly href: string;
  /** Why it would be refused; empty: it would not. */
  readonly refusal: string;
  readonly children: ReactNode;
}

export function DownloadLink({ href, refusal, children }: DownloadLinkProps) {
  return refusal === '' ? <a href={href}>{children}</a> : <span title={refusal}>{children}</span>;
}

/** Why the caller may not have files of snapshots; empty when he may. */
export function useDownloadRefusal(): string {
  return useRefusal(Role.ADMIN);
}
