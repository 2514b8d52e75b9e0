/** A connection to a server, encrypted as sslmode and sslnegotiation say, up to where StartupMessage goes. */
import type { Duplex } from 'node:stream';
import { groupAskedFor, type Negotiated, withGroupFirst } from '../../../key-share.js';
import { startTls, type TlsOptions, type Transport } from '../../../transport.js';
import type { PgHost, PgTarget } from '../conninfo/target.js';
import { FrontendEncoder } from '../encoder.js';
import {
  type Answer,
  type Attempt,
  type Dial,
  dial,
  type Failed,
  firstAttempt,
  type Handshake,
  type NegotiationState,
  onAnswer,
  onAnswerLost,
  onConnected,
  onDialFailed,
  onTls,
  onTlsFailed,
  type Ready,
} from '../negotiation.js';
import { type PgTlsOptions, type TlsPlan, tlsOptionsFor } from '../tls-options.js';

/** For a timeline: the transport's stream is there, SSLRequest is answered, TLS is established. */
export type LinkStep = 'connected' | 'answered' | 'secured';

export interface LinkOptions {
  transport: Transport;
  target: PgTarget;
  host: PgHost;
  /** In memory, over the files that the target names. */
  tls?: PgTlsOptions | undefined;
  signal?: AbortSignal | undefined;
  /** The group that servers asked for last, by "host:port": offered first, it saves a HelloRetryRequest. */
  groups?: GroupMemory | undefined;
  /** Called as each step is done; again from the start where a second connection is tried. */
  onProgress?: ((step: LinkStep) => void) | undefined;
}

export interface Link {
  readonly stream: Duplex;
  /** How it was made: for a CancelRequest, which goes over another one of the same kind. */
  readonly attempt: Attempt;
  /** `local`: a Unix socket, where nothing leaves the machine. */
  readonly encryption: 'plain' | 'local' | 'tls';
  /** Whether the certificate and the name in it were checked (sslmode verify-full): it is the server that is meant. */
  readonly verified: boolean;
  /** The server's certificate, DER, for channel binding. */
  readonly certificate: () => Buffer | undefined;
  /** What to open instead if the server refuses the login here (ErrorResponse before AuthenticationOk, but 57P03). */
  readonly otherwise: Attempt | undefined;
}

export interface GroupMemory {
  get(server: string): string | undefined;
  set(server: string, group: string): unknown;
}

/** What TLS streams have that a Duplex need not. */
interface TlsLike extends Partial<Negotiated> {
  alpnProtocol?: string | false | null;
  authorized?: boolean;
  getPeerCertificate?(): { raw?: Buffer };
  setKeepAlive?(enable: boolean, initialDelayMs?: number): void;
}

/**
 * The first connection to make to this host.
 * @throws PgError ERR_PG_BAD_OPTION
 */
export function attemptFor({ transport, target, host }: LinkOptions): Attempt {
  const { sslmode, sslnegotiation } = target;
  return firstAttempt({
    sslmode,
    sslnegotiation,
    secureTransport: transport.secure === true,
    local: 'path' in host.address,
  });
}

/**
 * Makes the connection, and a second one where the first one's TLS fails and sslmode lets it be without.
 * Whatever goes wrong, no stream is left behind.
 *
 * @throws PgError, errors of TCP, DNS and TLS as Node has them, the signal's reason
 */
export async function openLink(options: LinkOptions, attempt = attemptFor(options)): Promise<Link> {
  let next = dial(attempt);
  for (;;) {
    const opener = new LinkOpener(options, next);
    const outcome = await opener.open();
    if (!('name' in outcome)) return outcome;
    options.signal?.throwIfAborted();
    if (outcome.name === 'failed') throw outcome.error;
    next = outcome;
  }
}

const SSL_REQUEST = new FrontendEncoder().write({ name: 'SSLRequest' }).take();

/** One connection: the machine of `negotiation.ts` with a stream under it. */
class LinkOpener {
  readonly #options: LinkOptions;
  readonly #dial: Dial;
  readonly #plan: TlsPlan | undefined;
  #stream: Duplex | undefined;

  constructor(options: LinkOptions, dial: Dial) {
    const { target, host, tls } = options;
    const { encryption, sslmode } = dial.attempt;
    this.#options = options;
    this.#dial = dial;
    if (encryption !== 'plain' && encryption !== 'local') this.#plan = tlsOptionsFor(target, host, sslmode, tls);
  }

  /** A link, or what follows from that there is none; then the stream is gone. */
  async open(): Promise<Link | Dial | Failed> {
    try {
      const outcome = await this.#negotiate();
      if (outcome.name === 'ready') return this.#link(outcome);
      this.#discard();
      return outcome;
    } catch (error) {
      this.#discard();
      throw error;
    }
  }

  async #negotiate(): Promise<Ready | Dial | Failed> {
    let state: NegotiationState = await this.#connect();
    if (state.name === 'answer') state = await this.#ask(state);
    if (state.name === 'handshake') state = await this.#secure(state);
    return state;
  }

  async #connect(): Promise<Answer | Handshake | Ready | Failed> {
    const { transport, host, signal, target } = this.#options;
    const tls = this.#isSecure ? { tls: this.#tlsOptions } : {};
    try {
      this.#stream = await transport(host.address, { signal, ...tls });
    } catch (error) {
      return onDialFailed(this.#dial, error as Error);
    }
    const { enabled, idleMs } = target.keepalives;
    (this.#stream as TlsLike).setKeepAlive?.(enabled, idleMs);
    this.#report('connected');
    return onConnected(this.#dial);
  }

  /** SSLRequest, and what comes back. */
  async #ask(state: Answer): Promise<Handshake | Ready | Failed> {
    const stream = this.#stream as Duplex;
    try {
      const bytes = firstBytes(stream, this.#options.signal);
      stream.write(SSL_REQUEST);
      const answer = await bytes;
      this.#report('answered');
      return onAnswer(state, answer);
    } catch (error) {
      return onAnswerLost(state, error as Error);
    }
  }

  async #secure(state: Handshake): Promise<Ready | Dial | Failed> {
    const { signal } = this.#options;
    try {
      if (!this.#isSecure) this.#stream = await startTls(this.#stream as Duplex, this.#tlsOptions, signal);
    } catch (error) {
      return onTlsFailed(state, error as Error);
    }
    this.#report('secured');
    this.#learnGroup(this.#stream as TlsLike);
    return onTls(state, (this.#stream as TlsLike).alpnProtocol);
  }

  get #server(): string {
    return `${this.#options.host.name}:${this.#options.host.port}`;
  }

  get #tlsOptions(): TlsOptions {
    return withGroupFirst(this.#plan?.options ?? {}, this.#options.groups?.get(this.#server));
  }

  #learnGroup({ getProtocol }: TlsLike): void {
    const group = getProtocol && groupAskedFor(this.#stream as Duplex & Negotiated);
    if (group) this.#options.groups?.set(this.#server, group);
  }

  /** Whether the transport does the TLS. */
  get #isSecure(): boolean {
    return this.#dial.attempt.encryption === 'secure';
  }

  #link({ encryption, otherwise }: Ready): Link {
    const stream = this.#stream as Duplex;
    const tls = stream as TlsLike;
    return {
      stream,
      attempt: this.#dial.attempt,
      encryption,
      verified: this.#plan?.verified === true && tls.authorized === true,
      certificate: () => tls.getPeerCertificate?.().raw,
      otherwise,
    };
  }

  /** Also the stream under a TLS that was not established. */
  #discard(): void {
    this.#stream?.on('error', () => {});
    this.#stream?.destroy();
  }

  #report(step: LinkStep): void {
    this.#options.onProgress?.(step);
  }
}

/** What comes first, as much as there is of it. Rejects when the stream ends, and with the signal's reason. */
function firstBytes(stream: Duplex, signal: AbortSignal | undefined): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      for (const [event, listener] of Object.entries(listeners)) stream.off(event, listener);
      signal?.removeEventListener('abort', onAbort);
      act();
    };
    const onAbort = () => settle(() => reject(signal?.reason));
    const listeners = {
      readable: () => {
        const bytes: Buffer | null = stream.read();
        if (bytes) settle(() => resolve(bytes));
      },
      error: (error: Error) => settle(() => reject(error)),
      end: () => settle(() => reject(new Error('the server ended the connection'))),
      close: () => settle(() => reject(new Error('the connection was closed'))),
    };
    for (const [event, listener] of Object.entries(listeners)) stream.on(event, listener);
    if (signal?.aborted) onAbort();
    else signal?.addEventListener('abort', onAbort, { once: true });
  });
}
