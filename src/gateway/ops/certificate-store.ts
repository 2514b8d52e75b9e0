/**
 * The certificates of a route that terminates TLS: chosen by server name, read again when their files change.
 *
 * Files are looked at by polling (fs.watchFile): a Kubernetes Secret changes by the swap of a symbolic link two levels
 * above, which events of the file system do not tell of. What cannot be used is reported, and what was there stays.
 */
import { randomBytes } from 'node:crypto';
import { type StatsListener, unwatchFile, watchFile } from 'node:fs';
import { createSecureContext, type SecureContext, type SecureContextOptions } from 'node:tls';
import { isDeepStrictEqual } from 'node:util';
import { GatewayError } from '../errors.js';
import type { CertificateFiles, TerminateMode } from '../plan.js';
import { type CertificatePair, expiryOf, keyName, readAuthorities, readPair } from './certificate-files.js';

/** Between two looks at a file: a certificate is replaced weeks before its end, and a stat costs microseconds. */
const POLL_MS = 5_000;

/** One file of a certificate, or of authorities, was read: at the start and at every change. */
export interface CertificateNews {
  /** The path of the certificate, or of the authorities. */
  file: string;
  /** ms since 1970; undefined for authorities, and where there is an error. */
  expiresAt: number | undefined;
  /** Why clients may refuse it: it has expired, its chain is in disorder. */
  warnings: readonly string[];
  /** Why it cannot be used. What was there before goes on being used. */
  error: Error | undefined;
}

export interface CertificateStoreOptions {
  /** Called when what was read is in force. */
  onNews?: ((news: CertificateNews) => void) | undefined;
  /** Between two looks at the files, ms. */
  pollMs?: number;
  /** Of sessions under a certificate and authorities (PEM), at most 32 characters. Default: random. */
  sessionIdContextOf?: ((cert: string, authorities: string | undefined) => string | undefined) | undefined;
}

/** A certificate in use. */
export interface StoredCertificate {
  /** PEM. */
  readonly cert: string;
  /** Of client certificates, PEM. */
  readonly authorities: string | undefined;
  readonly context: SecureContext;
}

type Loaded = CertificatePair & StoredCertificate;

/** What a store is made of. */
export type StoredMode = Pick<TerminateMode, 'certificates' | 'clientCertificate' | 'minVersion'>;

export class CertificateStore {
  readonly #mode: StoredMode;
  readonly #onNews: (news: CertificateNews) => void;
  readonly #pollMs: number;
  readonly #sessionIdContextOf: CertificateStoreOptions['sessionIdContextOf'];
  readonly #listener: StatsListener = () => this.#readAgain();
  /** What was reported of a file, so that trying again does not say it again. */
  readonly #faults = new Map<string, string>();
  #later: NodeJS.Timeout | undefined;
  /** In the order of the plan. */
  #loaded: readonly Loaded[] = [];
  #authorities: string | undefined;

  /**
   * Reads all files, synchronously, and watches them until `close`.
   * @throws GatewayError ERR_GATEWAY_CERTIFICATE, which names the file
   */
  constructor(
    mode: StoredMode,
    { onNews = () => {}, pollMs = POLL_MS, sessionIdContextOf }: CertificateStoreOptions = {},
  ) {
    this.#mode = mode;
    this.#onNews = onNews;
    this.#pollMs = pollMs;
    this.#sessionIdContextOf = sessionIdContextOf;
    this.#read();
    for (const file of this.#files()) watchFile(file, { interval: pollMs, persistent: false }, this.#listener);
    // What changes between the reading above and the watcher's first look is found now.
    this.#readLater();
  }

  /**
   * The certificate for a server name (lower case), with a context of its own: its session tickets are good for no other,
   * so that a session of one name or policy is not resumed under another (CVE-2025-23419). Exact names come before
   * wildcards; the first certificate is for everyone else.
   */
  certificateFor(serverName: string | undefined): StoredCertificate {
    const [first] = this.#loaded;
    if (first === undefined) throw new GatewayError('ERR_GATEWAY_CERTIFICATE', 'the route has none');
    if (serverName === undefined) return first;
    return this.#named(serverName) ?? first;
  }

  /** Of the first certificate, as node:tls takes it, for a server's own context. */
  get defaults(): SecureContextOptions {
    const [first] = this.#loaded;
    return { cert: first?.cert, ...first?.key, ca: this.#authorities, minVersion: this.#mode.minVersion };
  }

  /** Stops watching. Contexts that were given out stay usable. */
  close(): void {
    clearTimeout(this.#later);
    for (const file of this.#files()) unwatchFile(file, this.#listener);
  }

  #named(serverName: string): Loaded | undefined {
    let byWildcard: Loaded | undefined;
    for (const loaded of this.#loaded) {
      const subject = loaded.leaf.checkHost(serverName);
      if (subject?.toLowerCase() === serverName) return loaded;
      if (subject !== undefined) byWildcard ??= loaded;
    }
    return byWildcard;
  }

  /** What cannot be used is read again, changed or not: it may have been half written, or descriptors were wanting. */
  #readAgain(): void {
    clearTimeout(this.#later);
    this.#read();
    if (this.#faults.size > 0) this.#readLater();
  }

  #readLater(): void {
    this.#later = setTimeout(() => this.#readAgain(), this.#pollMs).unref();
  }

  /** One change is often two files, each with its event: what is the same as before is not news. */
  #read(): void {
    const news: CertificateNews[] = [];
    const authorities = this.#readAuthorities(news);
    const loaded = this.#mode.certificates.map((files, index) =>
      this.#readOne(files, { before: this.#loaded[index], authorities, news }),
    );
    this.#authorities = authorities;
    this.#loaded = loaded;
    for (const each of news) this.#onNews(each);
  }

  #readAuthorities(news: CertificateNews[]): string | undefined {
    const { clientCertificate } = this.#mode;
    if (clientCertificate.mode === 'none') return undefined;
    const { ca } = clientCertificate;
    try {
      const authorities = readAuthorities(ca);
      this.#faults.delete(ca);
      if (authorities !== this.#authorities) news.push(newsOf(ca));
      return authorities;
    } catch (error) {
      this.#fail(ca, `${ca} ${(error as Error).message}`, { keeps: this.#authorities !== undefined, news });
      return this.#authorities;
    }
  }

  /** What was there before, where the files cannot be used or nothing has changed. */
  #readOne(
    files: CertificateFiles,
    {
      before,
      authorities,
      news,
    }: { before: Loaded | undefined; authorities: string | undefined; news: CertificateNews[] },
  ): Loaded {
    const { pair = before, errors, warnings } = readPair(files);
    const [wrong] = errors;
    if (wrong === undefined) this.#faults.delete(files.cert);
    else
      this.#fail(files.cert, `${wrong.part === 'key' ? keyName(files.key) : files.cert} ${wrong.message}`, {
        keeps: before !== undefined,
        news,
      });
    if (pair === undefined) throw new GatewayError('ERR_GATEWAY_CERTIFICATE', files.cert);
    const isNew = pair.cert !== before?.cert || !isDeepStrictEqual(pair.key, before.key);
    if (isNew)
      news.push(
        newsOf(files.cert, { expiresAt: expiryOf(pair.leaf), warnings: warnings.map(({ message }) => message) }),
      );
    if (before && !isNew && authorities === this.#authorities) return before;
    return { ...pair, authorities, context: this.#contextOf(pair, authorities) };
  }

  #contextOf({ cert, key }: CertificatePair, ca: string | undefined): SecureContext {
    return createSecureContext({
      cert,
      ...key,
      ca,
      minVersion: this.#mode.minVersion,
      // Without one OpenSSL resumes no session of a client that showed a certificate.
      sessionIdContext: this.#sessionIdContextOf?.(cert, ca) ?? randomBytes(16).toString('hex'),
    });
  }

  /** At the start it is the end. */
  #fail(file: string, detail: string, { keeps, news }: { keeps: boolean; news: CertificateNews[] }): void {
    const error = new GatewayError('ERR_GATEWAY_CERTIFICATE', detail);
    if (!keeps) throw error;
    if (this.#faults.get(file) !== detail) news.push(newsOf(file, { error }));
    this.#faults.set(file, detail);
  }

  #files(): Set<string> {
    const { certificates, clientCertificate } = this.#mode;
    const authorities = clientCertificate.mode === 'none' ? [] : [clientCertificate.ca];
    return new Set([
      ...certificates.flatMap(({ cert, key }) => (typeof key === 'string' ? [cert, key] : [cert])),
      ...authorities,
    ]);
  }
}

function newsOf(file: string, { expiresAt, warnings = [], error }: Partial<CertificateNews> = {}): CertificateNews {
  return { file, expiresAt, warnings, error };
}
