/** The way from the proxy to its remote: three kinds of it, and the order of several remotes. */
import type { Duplex } from 'node:stream';
import { firstValueFrom } from 'rxjs';
import { filter } from 'rxjs/operators';
import { turbotls } from '#proto/turbotls.js';
import { onAbort } from '../../abort.js';
import { connect, type TurboConnectionOptions } from '../../client/connect.js';
import type { Timeline, TurboInfo } from '../../client/connection.js';
import { dialTcp } from '../../client/dial.js';
import type { FirstContact, PathMemory } from '../../client/path-memory.js';
import type { Limits } from '../../limits.js';
import { type Clock, systemClock } from '../../platform/clock.js';
import { type Network, nodeNetwork } from '../../platform/network.js';
import { type HostAddress, untilEvent, withServerName } from '../../transport.js';
import { GatewayError } from '../errors.js';
import type { Carrier } from '../events.js';
import type { OriginateMode } from './plan.js';
import { TunnelIO } from './tunnel-io.js';

const { HandshakeState } = turbotls.v1;

/** A remote that is connected. */
export interface Remote {
  stream: Duplex;
  /** What carries the first flights, as far as it is known; certain once bytes have come. */
  readonly carrier: Carrier;
  timeline: Readonly<Timeline> | undefined;
  /** Where the proxy makes the TLS session: the name that it sent, and what was agreed to. */
  session: { serverName: string | undefined; alpn: string | undefined } | undefined;
}

/** How TurboTLS is done; what is undefined is as `connect` has it. */
export interface RemoteOptions {
  firstContact?: FirstContact | undefined;
  memory?: PathMemory | undefined;
  limits?: Partial<Limits> | undefined;
  network?: Network | undefined;
  clock?: Clock | undefined;
}

/** A way to dial: rejects with a `NotConnected` where TCP did not come about, with anything else where it did. */
export type DialRemote = (target: HostAddress, signal: AbortSignal) => Promise<Remote>;

/** TCP did not connect: another remote may. */
export class NotConnected extends Error {
  override readonly cause: Error;

  constructor(cause: Error) {
    super(cause.message);
    this.cause = cause;
  }
}

/** Of the connection to the remote: what is silent for so long is asked whether it lives, ms. */
const KEEP_ALIVE_MS = 60_000;
const TCP_OPTIONS = { noDelay: true, keepAlive: true, keepAliveInitialDelay: KEEP_ALIVE_MS } as const;

/** A tunnel for somebody else's TLS, whose first bytes are `head`: over UDP while TCP connects. */
export function tunnel(head: Buffer, options: RemoteOptions): DialRemote {
  return async (target, signal) => {
    const io = new TunnelIO({ ...options, tcp: { ...target, ...TCP_OPTIONS } });
    let failure: Error | undefined;
    io.onFailure = (error) => {
      failure = error;
      io.destroy(error);
    };
    io.on('error', ignore);
    const forget = onAbort(signal, () => io.destroy());
    io.write(head);
    const state = await firstValueFrom(io.state$.pipe(filter((now) => now !== HandshakeState.RACING)));
    forget();
    if (state !== HandshakeState.GRACE) throw new NotConnected(failure ?? (signal.reason as Error));
    return remoteOf(io, io);
  };
}

/** TLS of the proxy's own. */
export function originate(mode: OriginateMode, options: RemoteOptions): DialRemote {
  return async (target, signal) => {
    const tls = tlsOptions(mode, target, options);
    let connected = false;
    try {
      const socket = await untilEvent('secureConnect', signal, () =>
        connect(tls).once('connect', () => {
          connected = true;
        }),
      );
      socket.on('error', ignore);
      const session = { serverName: tls.servername, alpn: socket.alpnProtocol || undefined };
      return remoteOf(socket, socket.turbo, session);
    } catch (error) {
      throw connected ? error : new NotConnected(error as Error);
    }
  };
}

/** TCP and nothing else, whose first bytes are `head`. */
export function plain(head: Buffer, { network = nodeNetwork }: RemoteOptions): DialRemote {
  return async (target, signal) => {
    try {
      const socket = await untilEvent('connect', signal, () => dialTcp(network, { ...target, ...TCP_OPTIONS }));
      socket.on('error', ignore);
      socket.write(head);
      return remoteOf(socket);
    } catch (error) {
      throw new NotConnected(error as Error);
    }
  };
}

/** The remotes of a proxy: tried in order, those that failed lately last. */
export class Remotes {
  readonly #targets: readonly HostAddress[];
  readonly #options: RemotesOptions;
  readonly #failedUntil = new Map<HostAddress, number>();

  constructor(targets: readonly HostAddress[], options: RemotesOptions) {
    this.#targets = targets;
    this.#options = options;
  }

  /**
   * The first that connects.
   * @throws GatewayError ERR_GATEWAY_UNREACHABLE where none does, the signal's reason, or the error of TLS
   */
  async dial(dial: DialRemote, signal: AbortSignal): Promise<{ remote: Remote; target: HostAddress }> {
    const order = this.#inOrder();
    for (const [at, target] of order.entries()) {
      try {
        const remote = await this.#inTime(target, signal, dial);
        this.#failedUntil.delete(target);
        return { remote, target };
      } catch (error) {
        signal.throwIfAborted();
        if (!(error instanceof NotConnected)) throw error;
        this.#failedUntil.set(target, this.#clock.now() + this.#options.holdOffMs);
        const next = order[at + 1];
        this.#options.onUnreachable(target, error.cause, next);
        if (next === undefined) throw unreachable(order, error.cause);
      }
    }
    throw new GatewayError('ERR_GATEWAY_UNREACHABLE', 'there is none');
  }

  get #clock(): Clock {
    return this.#options.clock ?? systemClock;
  }

  #inOrder(): HostAddress[] {
    const now = this.#clock.now();
    const rank = (target: HostAddress) => Number((this.#failedUntil.get(target) ?? 0) > now);
    return [...this.#targets].sort((a, b) => rank(a) - rank(b)); // stable: the order of the plan otherwise
  }

  async #inTime(target: HostAddress, signal: AbortSignal, dial: DialRemote): Promise<Remote> {
    const { connectTimeoutMs } = this.#options;
    const attempt = new AbortController();
    const forget = onAbort(signal, () => attempt.abort(signal.reason));
    const late = () =>
      attempt.abort(new GatewayError('ERR_GATEWAY_UNREACHABLE', `no answer in ${connectTimeoutMs} ms`));
    const timer = this.#clock.after(connectTimeoutMs, late);
    try {
      return await dial(target, attempt.signal);
    } finally {
      timer.cancel();
      forget();
    }
  }
}

export interface RemotesOptions {
  connectTimeoutMs: number;
  holdOffMs: number;
  onUnreachable: (target: HostAddress, error: Error, next: HostAddress | undefined) => void;
  clock?: Clock | undefined;
}

function remoteOf(stream: Duplex, turbo?: TurboInfo, session?: Remote['session']): Remote {
  // The connection forgets it when it ends.
  let carrier: Carrier = 'tcp';
  turbo?.state$.subscribe(() => {
    if (turbo.carrier === 'udp') carrier = 'turbo';
  });
  return {
    stream,
    get carrier() {
      return carrier;
    },
    timeline: turbo?.timeline,
    session,
  };
}

/** ALPN of PostgreSQL ("SSL Session Encryption"). */
const ALPN_POSTGRES = 'postgresql';

function tlsOptions(mode: OriginateMode, target: HostAddress, options: RemoteOptions): TurboConnectionOptions {
  const { serverName, alpn = mode.postgres ? [ALPN_POSTGRES] : [], ca, cert, key, verify } = mode;
  return withServerName({
    ...TCP_OPTIONS,
    ...target,
    ...(serverName === undefined ? {} : { servername: serverName }),
    ...(alpn.length === 0 ? {} : { ALPNProtocols: [...alpn] }),
    ...(ca === undefined ? {} : { ca }),
    ...(cert === undefined ? {} : { cert }),
    ...(key === undefined ? {} : { key }),
    rejectUnauthorized: verify,
    allowHalfOpen: true,
    turbo: options,
  });
}

function unreachable(targets: readonly HostAddress[], cause: Error): GatewayError {
  const names = targets.map(({ host, port }) => `${host}:${port}`).join(', ');
  return new GatewayError('ERR_GATEWAY_UNREACHABLE', names, { cause, retryable: true });
}

function ignore(): void {}
