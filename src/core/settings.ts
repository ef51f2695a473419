/** Settings of the daemon that parts below the configuration need. Plain data. */
import type { Role } from './caller.js';

/** Where mail goes: the local sendmail program, or a server. */
export type MailTransport =
  | { readonly kind: 'sendmail' }
  /** `isTls`: encrypted from the first byte; else STARTTLS is used when the server offers it. */
  | { readonly kind: 'smtp'; readonly host: string; readonly port: number; readonly isTls: boolean };

/** The administrator's scripts on the server: absolute paths of files that need not exist. */
export interface ScriptSettings {
  readonly preBackup: string;
  readonly postBackup: string;
  readonly preArchive: string;
  readonly postArchive: string;
  /** How long each may take. */
  readonly timeoutMs: number;
}

export interface MailSettings {
  readonly from: string;
  readonly transport: MailTransport;
  /** The sendmail program. */
  readonly sendmail: string;
  /** For the login at a mail server; empty: none. */
  readonly user: string;
  /** Holds the password; read when it is needed. */
  readonly passwordFile: string;
  /** The time of day of the daily digest; null: none. */
  readonly digest: string | null;
  readonly digestTo: readonly string[];
}

/** Who may do what without a token. */
export interface AccessSettings {
  /** The role of whoever can open the unix socket. */
  readonly socketRole: Role;
  /** By the common name of a client's certificate. */
  readonly certificates: Readonly<Record<string, CertificateUser>>;
}

export interface CertificateUser {
  readonly role: Role;
  /** The only hosts he is allowed; null: all. */
  readonly hosts: readonly string[] | null;
}

/** Absolute paths of PEM files. */
export interface TlsSettings {
  readonly certFile: string;
  readonly keyFile: string;
  /** Of whoever signs the certificates of clients; empty: none are asked for. */
  readonly clientCaFile: string;
}
