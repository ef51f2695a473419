/**
 * The files of TLS. They are looked at now and then, so that a certificate which was renewed is shown to new connections
 * without a restart. Files that are not good (half copied, or of different keys) change nothing.
 */
import { readFileSync, statSync } from 'node:fs';
import { constants } from 'node:crypto';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import { isOpenTlsKey, octal } from '../core/secret-files.js';
import type { TlsSettings } from '../core/settings.js';
import { EndpointError } from './endpoint.js';

/** Milliseconds between two looks. */
const lookEveryMs = 5000;

export interface TlsLog {
  info(message: string, fields: Readonly<Record<string, unknown>>): void;
  error(message: string, fields: Readonly<Record<string, unknown>>): void;
}

export class TlsFiles {
  /** Whether clients may show a certificate. */
  readonly asksForCertificates: boolean;
  readonly #settings: TlsSettings;
  readonly #log: TlsLog;
  readonly #timer: NodeJS.Timeout;
  readonly #onChange: ((context: SecureContextOptions) => void)[] = [];
  #context: SecureContextOptions;
  #lastError = '';

  /** Reads the files. Throws an EndpointError that says what is wrong with them. */
  constructor(settings: TlsSettings, log: TlsLog) {
    this.#settings = settings;
    this.#log = log;
    this.asksForCertificates = settings.clientCaFile !== '';
    try {
      this.#context = readContext(settings);
    } catch (error) {
      const message = `The files of tls cannot be used: ${messageOf(error)}. Correct them or their paths; busyd make-cert makes such files for a start.`;
      throw new EndpointError(message, { cause: error });
    }
    this.#timer = setInterval(() => this.look(), lookEveryMs).unref();
  }

  context(): SecureContextOptions {
    return this.#context;
  }

  onChange(listener: (context: SecureContextOptions) => void): void {
    this.#onChange.push(listener);
  }

  /** Takes over what has changed. */
  look(): void {
    try {
      const next = readContext(this.#settings);
      this.#lastError = '';
      if (isSame(next, this.#context)) return;
      this.#context = next;
      for (const listener of this.#onChange) listener(next);
      this.#log.info('new certificates are in use', { cert: this.#settings.certFile });
    } catch (error) {
      const message = messageOf(error);
      if (message === this.#lastError) return;
      this.#lastError = message;
      this.#log.error('the files of tls cannot be used, the old ones go on', { error: message });
    }
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}

function readContext({ certFile, keyFile, clientCaFile }: TlsSettings): SecureContextOptions {
  refuseOpenKey(keyFile);
  const context = {
    cert: readFileSync(certFile),
    key: readFileSync(keyFile),
    ...(clientCaFile !== '' && { ca: readFileSync(clientCaFile) }),
    minVersion: 'TLSv1.2',
    // A session that is taken up again would be trusted as it was before the files changed.
    secureOptions: constants.SSL_OP_NO_TICKET,
  } as const;
  // Throws when they do not belong together.
  createSecureContext(context);
  return context;
}

/** A key that others may read proves nothing any more. */
function refuseOpenKey(keyFile: string): void {
  const { mode } = statSync(keyFile);
  if (isOpenTlsKey(mode))
    throw new Error(
      `others may read the key ${keyFile} (mode ${octal(mode)}); chmod 600 keeps it to its owner`,
    );
}

function isSame(a: SecureContextOptions, b: SecureContextOptions): boolean {
  return (['cert', 'key', 'ca'] as const).every((name) => isDeepStrictEqual(a[name], b[name]));
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
