/** The services of the daemon that the page uses. */
import type { DescService } from '@bufbuild/protobuf';
import { ArchiveService } from '../gen/busy/v1/archive_service_pb.js';
import { AuditService } from '../gen/busy/v1/audit_service_pb.js';
import { BackupService } from '../gen/busy/v1/backup_service_pb.js';
import { DaemonService } from '../gen/busy/v1/daemon_service_pb.js';
import { EnrollmentService } from '../gen/busy/v1/enrollment_service_pb.js';
import { HostService } from '../gen/busy/v1/host_service_pb.js';
import { SnapshotService } from '../gen/busy/v1/snapshot_service_pb.js';
import { TrashService } from '../gen/busy/v1/trash_service_pb.js';

export const services: readonly DescService[] = [
  HostService,
  BackupService,
  SnapshotService,
  ArchiveService,
  TrashService,
  EnrollmentService,
  AuditService,
  DaemonService,
];
