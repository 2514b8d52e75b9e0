/**
 * One client of a local proxy, from its first byte to its last:
 *
 *     its wish is read ─► a remote is dialled ─► what comes before the login is passed on ─► bytes are relayed
 */
import type { Socket } from 'node:net';
import { BackendEncoder } from '../../codec/pg/encoder.js';
import { GatewayError, type GatewayErrorCode } from '../errors.js';
import { sayAndClose } from '../last-words.js';
import { messageOf } from '../message-of.js';
import { relay, withoutLateReset } from '../relay.js';
import type { ProxyEvent, ProxyRefusal } from './events.js';
import { type Intent, type IntentOptions, readIntent } from './intent.js';
import type { Remote, Remotes } from './remote.js';
import { readLoginOffer } from './sasl-filter.js';

export interface SessionOptions extends IntentOptions {
  remotes: Remotes;
}

/** SQLSTATE (PostgreSQL, appendix A): connection_failure, unless there is one that says more. */
const CONNECTION_FAILURE = '08006';
const SQLSTATES: Partial<Record<ProxyRefusal, string>> = {
  'tls-required': '28000', // invalid_authorization_specification, as for a line of pg_hba.conf that is missing
  unreachable: '57P03', // cannot_connect_now: libpq and others go on to their next host
};

/** Serves one client until its connection is over; never rejects. `abort` ends it: the proxy's, for closing, and its own. */
export function serveClient(socket: Socket, options: SessionOptions, abort: AbortController): Promise<SessionEnd> {
  return new Session(socket, options, abort).run();
}

/** How a client's connection ended. */
export type SessionEnd = ProxyEvent & { type: 'refused' | 'connection-end' };

type Reached = Awaited<ReturnType<Remotes['dial']>> & { connectMs: number };

class Session {
  readonly #socket: Socket;
  readonly #options: SessionOptions;
  readonly #abort: AbortController;
  readonly #startedAt = performance.now();
  #intent: Intent | undefined;
  #reached: Reached | undefined;

  constructor(socket: Socket, options: SessionOptions, abort: AbortController) {
    this.#socket = socket;
    this.#options = options;
    this.#abort = abort;
  }

  async run(): Promise<SessionEnd> {
    this.#socket.on('error', ignore); // 'close' follows, and the relay has a listener of its own
    const onGone = () => this.#abort.abort(new GatewayError('ERR_GATEWAY_CLIENT_GONE'));
    this.#socket.once('close', onGone);
    try {
      const intent = await this.#readIntent();
      const helloMs = performance.now() - this.#startedAt;
      const reached = await this.#reach(intent);
      const offered = await this.#begin(intent, reached.remote);
      this.#socket.off('close', onGone);
      return await this.#relay(intent, reached, helloMs, offered);
    } catch (thrown) {
      this.#socket.off('close', onGone);
      return this.#refuse(thrown as Error);
    }
  }

  async #readIntent(): Promise<Intent> {
    const { signal } = this.#abort;
    const timer = setTimeout(
      () => this.#abort.abort(new GatewayError('ERR_GATEWAY_TIMEOUT', SILENT)),
      this.#options.limits.firstBytesTimeoutMs,
    );
    try {
      this.#intent = await readIntent(this.#socket, this.#options, signal);
      return this.#intent;
    } catch (error) {
      if (error instanceof GatewayError) throw error;
      throw new GatewayError('ERR_GATEWAY_CLIENT_GONE', undefined, { cause: error });
    } finally {
      clearTimeout(timer);
    }
  }

  async #reach({ dial }: Intent): Promise<Reached> {
    const dialledAt = performance.now();
    const dialled = await this.#options.remotes.dial(dial, this.#abort.signal);
    this.#reached = { ...dialled, connectMs: performance.now() - dialledAt };
    return this.#reached;
  }

  /** What goes first, each way; the bytes that went to the client. */
  async #begin({ head, headSent, login }: Intent, { stream }: Remote): Promise<number> {
    if (!headSent && head.length > 0) stream.write(head);
    if (!login) return 0;
    const timer = setTimeout(
      () => this.#abort.abort(new GatewayError('ERR_GATEWAY_REMOTE', 'no answer to the StartupMessage')),
      this.#options.limits.connectTimeoutMs,
    );
    try {
      const offer = await readLoginOffer(stream, this.#options.limits.firstBytes, this.#abort.signal);
      if (offer.length > 0) this.#socket.write(offer);
      return offer.length;
    } catch (error) {
      const left = error instanceof GatewayError && error.code === 'ERR_GATEWAY_CLIENT_GONE';
      throw left ? new GatewayError('ERR_GATEWAY_REMOTE', 'it closed the connection') : error;
    } finally {
      clearTimeout(timer);
    }
  }

  async #relay(intent: Intent, reached: Reached, helloMs: number, offered: number): Promise<SessionEnd> {
    const { remote, target, connectMs } = reached;
    const { idleTimeoutMs } = this.#options.limits;
    const relayed = await relay(this.#socket, remote.stream, { idleTimeoutMs, signal: this.#abort.signal });
    const end = withoutLateReset(relayed, this.#socket);
    const agreed = remote.session?.alpn;
    return {
      type: 'connection-end',
      client: this.#options.client,
      target,
      carrier: remote.carrier,
      protocol: intent.protocol,
      serverName: remote.session?.serverName ?? intent.hello?.serverName,
      alpn: agreed === undefined ? (intent.hello?.alpn ?? []) : [agreed],
      timings: { helloMs, connectMs, totalMs: performance.now() - this.#startedAt, turbo: remote.timeline },
      up: end.up + intent.head.length,
      down: end.down + offered,
      reason: end.reason,
      error: end.error,
    };
  }

  #refuse(thrown: Error): SessionEnd {
    const { signal } = this.#abort;
    const error = signal.aborted ? (signal.reason as Error) : thrown;
    this.#reached?.remote.stream.destroy();
    this.#takeLeave(error);
    return { type: 'refused', reason: refusalOf(error), client: this.#options.client, error };
  }

  /** A PostgreSQL client that has no TLS yet can be told why. */
  #takeLeave(error: Error): void {
    const reason = refusalOf(error);
    if (reason === 'tls-required' || this.#intent?.login) {
      sayAndClose(this.#socket, errorResponse(SQLSTATES[reason] ?? CONNECTION_FAILURE, messageOf(error)));
    } else {
      this.#socket.destroy();
    }
  }
}

const SILENT = 'it said nothing; a protocol in which the server speaks first (MySQL) needs the proxy with --tls';

const REFUSALS: Partial<Record<GatewayErrorCode, ProxyRefusal>> = {
  ERR_GATEWAY_CLIENT_GONE: 'client-gone',
  ERR_GATEWAY_TIMEOUT: 'timeout',
  ERR_GATEWAY_PROXY_PROTOCOL: 'protocol',
  ERR_GATEWAY_TLS_REQUIRED: 'tls-required',
  ERR_GATEWAY_UNREACHABLE: 'unreachable',
  ERR_GATEWAY_CLOSED: 'closing',
};

function refusalOf(error: Error): ProxyRefusal {
  return (error instanceof GatewayError && REFUSALS[error.code]) || 'remote-failed';
}

function errorResponse(sqlState: string, text: string): Buffer {
  const fields = { S: 'FATAL', V: 'FATAL', C: sqlState, M: text };
  return new BackendEncoder().write({ name: 'ErrorResponse', fields }).take();
}

function ignore(): void {}
