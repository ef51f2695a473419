/** The services of the daemon, typed by the proto files. */
import { Code, ConnectError, createClient, type Interceptor } from '@connectrpc/connect';
import { createConnectTransport } from '@connectrpc/connect-web';
import { ArchiveService } from '../../gen/busy/v1/archive_service_pb.js';
import { AuditService } from '../../gen/busy/v1/audit_service_pb.js';
import { BackupService } from '../../gen/busy/v1/backup_service_pb.js';
import { DaemonService } from '../../gen/busy/v1/daemon_service_pb.js';
import { EnrollmentService } from '../../gen/busy/v1/enrollment_service_pb.js';
import { HostService } from '../../gen/busy/v1/host_service_pb.js';
import { SnapshotService } from '../../gen/busy/v1/snapshot_service_pb.js';
import { TrashService } from '../../gen/busy/v1/trash_service_pb.js';
import { basePath } from './base.js';
import { noteLoggedOut } from './session.js';

const noticeEndOfSession: Interceptor = (next) => async (request) => {
  try {
    return await next(request);
  } catch (error) {
    if (error instanceof ConnectError && error.code === Code.Unauthenticated) noteLoggedOut();
    throw error;
  }
};

const transport = createConnectTransport({
  baseUrl: new URL(`${basePath}api`, document.baseURI).href,
  useBinaryFormat: true,
  interceptors: [noticeEndOfSession],
});

export const archiveService = createClient(ArchiveService, transport);
export const auditService = createClient(AuditService, transport);
export const backupService = createClient(BackupService, transport);
export const daemonService = createClient(DaemonService, transport);
export const enrollmentService = createClient(EnrollmentService, transport);
export const hostService = createClient(HostService, transport);
export const snapshotService = createClient(SnapshotService, transport);
export const trashService = createClient(TrashService, transport);
