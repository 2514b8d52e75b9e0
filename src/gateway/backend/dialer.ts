/**
 * One connection to one backend, with all that comes before the first byte of the client's:
 *
 *     TCP ─► PROXY header ─► SSLRequest, 'S' ─► TLS
 *            (proxyProtocol)  (postgres, -tls)   (tls, postgres-tls)
 */
import { readFileSync } from 'node:fs';
import type { Duplex } from 'node:stream';
import { createSecureContext, type SecureContext } from 'node:tls';
import { onAbort } from '../../abort.js';
import { ALPN_PROTOCOL } from '../../codec/pg/negotiation.js';
import type { Clock } from '../../platform/clock.js';
import { type HostAddress, startTls, type TlsOptions, tcpTransport, withServerName } from '../../transport.js';
import { GatewayError } from '../errors.js';
import type { BackendPlan, BackendTls } from '../plan.js';
import { type ClientInfo, headerFor, LOCAL_HEADER } from './client-info.js';
import { requestTls } from './negotiate.js';

type DialerPlan = Omit<BackendPlan, 'targets' | 'balance' | 'health'>;

/** What a connection needs to know of the client that it is for. */
export interface Errand {
  readonly header: Buffer | undefined;
  readonly alpn: string | undefined;
}

/** Half-open, so that each direction ends by itself; kept alive, so that a backend that is gone is noticed. */
const connectTcp = tcpTransport({ allowHalfOpen: true, keepAlive: true, keepAliveInitialDelay: 30_000 });

export class BackendDialer {
  readonly #plan: DialerPlan;
  readonly #clock: Clock;
  readonly #secure: { tls: BackendTls; context: SecureContext } | undefined;

  /** Reads the files of `plan.tls`; throws what node:fs and node:tls throw. */
  constructor(plan: DialerPlan, clock: Clock) {
    this.#plan = plan;
    this.#clock = clock;
    if (plan.tls) this.#secure = { tls: plan.tls, context: contextOf(plan.tls) };
  }

  /** @throws TurboError ERR_TURBO_BAD_OPTION where the client has no address, and the backend is to be told it */
  errandFor(client: ClientInfo): Errand {
    return { header: this.#plan.proxyProtocol ? headerFor(client) : undefined, alpn: client.alpn };
  }

  /**
   * A stream that is ready for the client's first byte. Whatever goes wrong, nothing is left behind.
   * @throws GatewayError ERR_GATEWAY_BACKEND_TIMEOUT, PgError, errors of TCP, DNS and TLS, the signal's reason
   */
  dial(target: HostAddress, { header, alpn }: Errand, signal: AbortSignal): Promise<Duplex> {
    return this.#within(this.#plan.connectTimeoutMs, signal, async (attempt) => {
      const stream = await this.#reach(target, header, attempt);
      if (!this.#secure) return stream;
      return orDiscard(stream, startTls(stream, this.#tlsOptions(target, alpn), attempt));
    });
  }

  /** Whether the target is there, as far as that shows without TLS. */
  async probe(target: HostAddress, timeoutMs: number, signal: AbortSignal): Promise<void> {
    const header = this.#plan.proxyProtocol ? LOCAL_HEADER : undefined;
    const stream = await this.#within(timeoutMs, signal, (attempt) => this.#reach(target, header, attempt));
    discard(stream);
  }

  /** Up to where TLS or the client begins. */
  async #reach(target: HostAddress, header: Buffer | undefined, signal: AbortSignal): Promise<Duplex> {
    const stream = await connectTcp(target, { signal });
    if (header) stream.write(header);
    if (this.#plan.transport.startsWith('postgres')) await orDiscard(stream, requestTls(stream, signal));
    return stream;
  }

  #tlsOptions({ host }: HostAddress, agreed: string | undefined): TlsOptions {
    const { tls, context } = this.#secure as { tls: BackendTls; context: SecureContext };
    const protocols = this.#alpn(tls, agreed);
    return withServerName({
      host: tls.serverName ?? host,
      secureContext: context,
      rejectUnauthorized: tls.verify,
      ...(protocols.length > 0 && { ALPNProtocols: [...protocols] }),
    });
  }

  #alpn({ alpn: configured }: BackendTls, agreed: string | undefined): readonly string[] {
    if (configured.length > 0) return configured;
    if (agreed !== undefined) return [agreed];
    return this.#plan.transport === 'postgres-tls' ? [ALPN_PROTOCOL] : [];
  }

  /** What `run` makes, within a time limit of its own and as long as the caller wants it. */
  async #within<T>(timeoutMs: number, signal: AbortSignal, run: (signal: AbortSignal) => Promise<T>): Promise<T> {
    signal.throwIfAborted();
    const attempt = new AbortController();
    const forget = onAbort(signal, () => attempt.abort(signal.reason));
    const timer = this.#clock.after(timeoutMs, () => {
      attempt.abort(new GatewayError('ERR_GATEWAY_BACKEND_TIMEOUT', `${timeoutMs} ms`, { retryable: true }));
    });
    try {
      return await run(attempt.signal);
    } finally {
      timer.cancel();
      forget();
    }
  }
}

function contextOf({ ca, cert, key }: BackendTls): SecureContext {
  const read = (path: string | undefined) => (path === undefined ? undefined : readFileSync(path));
  return createSecureContext({ ca: read(ca), cert: read(cert), key: read(key), minVersion: 'TLSv1.2' });
}

/** What comes of a step; where it fails, the stream is gone. */
async function orDiscard<T>(stream: Duplex, step: Promise<T>): Promise<T> {
  try {
    return await step;
  } catch (error) {
    discard(stream);
    throw error;
  }
}

function discard(stream: Duplex): void {
  stream.on('error', () => {});
  stream.destroy();
}
