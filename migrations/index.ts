/** All migrations, oldest first. One that was released is never changed; the next change is a new one. */
import { RunsAndSnapshots1700000000001 } from './1700000000001-runs-and-snapshots.js';
import { Mail1700000000011 } from './1700000000011-mail.js';
import { Hosts1700000000021 } from './1700000000021-hosts.js';
import { ScheduledRuns1700000000022 } from './1700000000022-scheduled-runs.js';
import { Verification1700000000031 } from './1700000000031-verification.js';
import { SourceGate1700000000041 } from './1700000000041-source-gate.js';
import { Leases1700000000051 } from './1700000000051-leases.js';
import { Archives1700000000061 } from './1700000000061-archives.js';
import { Restores1700000000071 } from './1700000000071-restores.js';
import { Drills1700000000081 } from './1700000000081-drills.js';
import { Tokens1700000000091 } from './1700000000091-tokens.js';
import { TrashedHosts1700000000121 } from './1700000000121-trashed-hosts.js';

export const migrations = [
  RunsAndSnapshots1700000000001,
  Mail1700000000011,
  Hosts1700000000021,
  ScheduledRuns1700000000022,
  Verification1700000000031,
  SourceGate1700000000041,
  Leases1700000000051,
  Archives1700000000061,
  Restores1700000000071,
  Drills1700000000081,
  Tokens1700000000091,
  TrashedHosts1700000000121,
] as const;
