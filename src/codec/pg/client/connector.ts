/** From a target to a session: hosts in turn, TLS as negotiated, the login and its guesses. */
import type { Duplex } from 'node:stream';
import { tcpTransport } from '../../../transport.js';
import { Authenticator, type PgPassword } from '../auth/authenticator.js';
import { guessFor, type HabitOf } from '../auth/login-habits.js';
import type { LinkSecurity, LoginGuess, LoginMethod } from '../auth/rules.js';
import { resolveConninfo } from '../conninfo/conninfo.js';
import { hostsInOrder } from '../conninfo/hosts.js';
import type { Conninfo } from '../conninfo/parameters.js';
import type { PgHost, PgTarget, ProtocolVersion } from '../conninfo/target.js';
import { FrontendEncoder } from '../encoder.js';
import { PgError, PgServerError } from '../errors.js';
import type { PgLimits } from '../limits.js';
import type { FrontendMessage } from '../messages.js';
import type { Attempt } from '../negotiation.js';
import type { Exchange, ExchangeQueue } from './exchange.js';
import { Line } from './line.js';
import { type Link, type LinkOptions, openLink } from './link.js';
import { type BackendKey, logIn, type WrongGuess } from './login.js';
import { type PgMemory, sharedMemory } from './memory.js';
import type { PgClientOptions } from './options.js';
import { type Asides, Session } from './session.js';
import { passesOf, satisfies, type WantedAttrs } from './session-attrs.js';

/** When each step of connecting was done, ms since `open`; of the last attempt, where there were several. */
export interface PgTimeline {
  /** The transport has connected. */
  connected?: number;
  /** The server has answered SSLRequest. */
  answered?: number;
  /** TLS is established; with a secure transport at the same time as `connected`. */
  secured?: number;
  /** AuthenticationOk. */
  authenticated?: number;
  /** The first ReadyForQuery. */
  ready?: number;
  /** Connections that were made: more than one where a guess was wrong, a host did not answer, TLS was refused. */
  attempts: number;
}

/** Int32s of the protocol versions; `latest` is the newest that this codec speaks. */
const versions: Readonly<Record<ProtocolVersion, number>> = { '3.0': 0x3_0000, '3.2': 0x3_0002, latest: 0x3_0002 };

/** SQLSTATE cannot_connect_now: the server starts or stops; another host may serve. */
const cannotConnectNow = '57P03';

export class Connector {
  readonly timeline: PgTimeline = { attempts: 0 };
  /** The connection that is being logged in to, or is. */
  session: Session | undefined;
  readonly #target: PgTarget;
  readonly #options: PgClientOptions;
  readonly #limits: PgLimits;
  readonly #queue: ExchangeQueue;
  readonly #asides: Asides;
  readonly #memory: PgMemory;
  readonly #over = new AbortController();
  readonly #begin = performance.now();

  /** @throws PgError ERR_PG_BAD_OPTION */
  constructor(
    target: string | Conninfo | undefined,
    options: PgClientOptions,
    limits: PgLimits,
    queue: ExchangeQueue,
    asides: Asides,
  ) {
    const warn = options.onWarning ?? ((text: string) => process.emitWarning(text, 'PgWarning'));
    this.#target = resolveConninfo(target, { env: options.env, warn });
    this.#options = options;
    this.#limits = limits;
    this.#queue = queue;
    this.#asides = asides;
    this.#memory = options.memory ?? sharedMemory();
  }

  /** @throws PgError, PgServerError, and errors of TCP, DNS and TLS */
  async connect(): Promise<Session> {
    const failures: unknown[] = [];
    for (const wanted of passesOf(this.#target.targetSessionAttrs)) {
      for (const host of hostsInOrder(this.#target)) {
        try {
          return await this.#connectTo(host, wanted);
        } catch (error) {
          if (this.#over.signal.aborted) throw this.#over.signal.reason;
          if (isFinal(error)) throw error;
          failures.push(error);
        }
      }
    }
    throw failures.length === 1 ? failures[0] : noHost(this.#target.hosts, failures);
  }

  /** Whether `exchange` was sent and its answer is not complete. */
  sent(exchange: Exchange): boolean {
    return this.session?.has(exchange) ?? false;
  }

  /** Ends the attempt, or the connection. */
  destroy(reason: Error): void {
    this.#over.abort(reason);
    this.session?.destroy(reason);
  }

  /** One host, within connect_timeout. */
  async #connectTo(host: PgHost, wanted: WantedAttrs): Promise<Session> {
    const { connectTimeoutMs } = this.#target;
    const timeout = new AbortController();
    const detail = `${host.name}:${host.port}, ${connectTimeoutMs} ms`;
    const late = new PgError('ERR_PG_CONNECT_TIMEOUT', detail, { retryable: true });
    const timer = connectTimeoutMs > 0 ? setTimeout(() => timeout.abort(late), connectTimeoutMs) : undefined;
    const signal = AbortSignal.any([this.#over.signal, timeout.signal]);
    const onAbort = () => this.session?.destroy(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    const password = askedOnce(this.#options.password ?? host.password);
    try {
      const session = await this.#logInAt({ host, signal, password, pipelining: wanted === 'any' });
      return await this.#checked(session, wanted, host);
    } catch (error) {
      throw signal.aborted ? signal.reason : error;
    } finally {
      clearTimeout(timer);
      signal.removeEventListener('abort', onAbort);
    }
  }

  /** As often as a guess is wrong, or TLS, or its absence, is refused, and there is another way. */
  async #logInAt(visit: Visit): Promise<Session> {
    let link: Link = await this.#open(visit);
    let speculation: Speculation = this.#options.speculate === false ? 'none' : 'habit';
    let first: PgServerError | undefined;
    for (;;) {
      try {
        const outcome = await this.#logInOver(link, visit, speculation);
        if (outcome instanceof Session) return outcome;
        speculation = speculation === 'habit' && outcome.method ? { told: outcome.method } : 'none';
        link = await this.#open(visit, link.attempt);
      } catch (error) {
        if (!(error instanceof LoginRefused)) throw error;
        if (!link.otherwise || error.cause.code === cannotConnectNow) throw withFirst(error.cause, first);
        first ??= error.cause;
        link = await this.#open(visit, link.otherwise);
      }
    }
  }

  async #open({ host, signal }: Visit, attempt?: Attempt): Promise<Link> {
    this.timeline.attempts++;
    return openLink(
      {
        ...this.#linkOptions(host),
        signal,
        onProgress: (step) => this.#mark(step),
      },
      attempt,
    );
  }

  #linkOptions(host: PgHost): LinkOptions {
    const { transport = tcpTransport(), tls } = this.#options;
    return { transport, target: this.#target, host, tls, groups: this.#memory.groups };
  }

  async #logInOver(link: Link, visit: Visit, speculation: Speculation): Promise<Session | WrongGuess> {
    const { host, signal, password, pipelining } = visit;
    const { habits } = this.#memory;
    const { user, dbname, minProtocolVersion, maxProtocolVersion, startup } = this.#target;
    const server = `${host.name}:${host.port}`;
    const habitOf: HabitOf = { server, user, dbname, link };
    const authenticator = this.#authenticator(password, server, link);
    const line = new Line(link.stream, this.#limits);
    let key: BackendKey | undefined;
    let authenticated = false;
    const session = new Session(line, this.#queue, this.#asides, () => this.#cancel(host, link, key), this.#limits);
    this.session = session;
    if (signal.aborted) session.destroy(signal.reason);
    try {
      const outcome = await logIn({
        line,
        authenticator,
        guess: speculation === 'none' ? undefined : this.#guess(password, habitOf, speculation),
        parameters: new Map(Object.entries(startup)),
        version: versions[maxProtocolVersion],
        minVersion: versions[minProtocolVersion],
        onPipeline: () => {
          if (pipelining && speculation !== 'none') session.startSending();
        },
        onParameter: (parameter, value) => session.report(parameter, value),
        onNotice: (fields) => this.#asides.notice(fields),
        onAuthenticated: () => {
          authenticated = true;
          this.#mark('authenticated');
        },
      });
      if (outcome.type === 'wrong-guess') {
        if (outcome.method) habits.learn(habitOf, outcome.method);
        else habits.forget(habitOf);
        session.giveUp(new PgError('ERR_PG_CONNECTION_LOST', 'to log in anew'), 'never');
        return outcome;
      }
      key = outcome.key;
      habits.learn(habitOf, outcome.method);
      this.#mark('ready');
      session.open(outcome.status);
      if (pipelining) session.startSending();
      return session;
    } catch (error) {
      if (!authenticator.guessConfirmed) habits.forget(habitOf);
      const executed = error instanceof PgServerError ? 'never' : 'perhaps';
      session.giveUp(error as Error, executed);
      throw error instanceof PgServerError && !authenticated ? new LoginRefused(error) : error;
    }
  }

  #authenticator(password: PgPassword | undefined, serverKey: string, link: LinkSecurity): Authenticator {
    const { user, channelBinding, requireAuth } = this.#target;
    return new Authenticator({
      user,
      password,
      channelBinding,
      requireAuth,
      link,
      allowCleartext: this.#options.allowCleartext === true,
      salted: this.#memory.salted,
      limits: this.#limits,
      serverKey,
    });
  }

  #guess(
    password: PgPassword | undefined,
    habitOf: HabitOf,
    speculation: Exclude<Speculation, 'none'>,
  ): LoginGuess | undefined {
    const { channelBinding, requireAuth } = this.#target;
    return guessFor({
      requireAuth,
      channelBinding,
      link: habitOf.link,
      hasPassword: password !== undefined,
      habit: speculation === 'habit' ? this.#memory.habits.get(habitOf) : speculation.told,
    });
  }

  async #checked(session: Session, wanted: WantedAttrs, host: PgHost): Promise<Session> {
    if (await satisfies(session, wanted)) {
      session.startSending();
      return session;
    }
    const detail = `${host.name}:${host.port} is not ${wanted}`;
    const error = new PgError('ERR_PG_SESSION_ATTRS', detail, { retryable: true });
    session.destroy(error);
    throw error;
  }

  /** CancelRequest, over a connection of its own that is encrypted as the session's is. */
  async #cancel(host: PgHost, link: Link, key: BackendKey | undefined): Promise<void> {
    if (!key) return;
    // AbortSignal.timeout() is lost to the garbage collector where only AbortSignal.any() refers to it (Node 20).
    const timeout = new AbortController();
    const late = new PgError('ERR_PG_CONNECT_TIMEOUT', `CancelRequest, ${this.#limits.cancelTimeoutMs} ms`);
    const timer = setTimeout(() => timeout.abort(late), this.#limits.cancelTimeoutMs);
    const signal = AbortSignal.any([this.#over.signal, timeout.signal]);
    try {
      // Never in the clear where the session is not: the key must not be seen.
      const attempt = link.encryption === 'tls' ? { ...link.attempt, otherwise: undefined } : link.attempt;
      const { stream } = await openLink({ ...this.#linkOptions(host), signal }, attempt);
      await untilTaken(stream, { name: 'CancelRequest', ...key }, signal);
    } finally {
      clearTimeout(timer);
    }
  }

  #mark(step: 'connected' | 'answered' | 'secured' | 'authenticated' | 'ready'): void {
    this.timeline[step] = performance.now() - this.#begin;
  }
}

/** The server answers a CancelRequest by ending the connection. */
function untilTaken(stream: Duplex, request: FrontendMessage, signal: AbortSignal): Promise<void> {
  return new Promise<void>((resolve) => {
    const onAbort = () => stream.destroy();
    stream.once('close', () => {
      signal.removeEventListener('abort', onAbort);
      resolve();
    });
    stream.on('error', () => {}); // it ends either way; the server tells nothing
    stream.once('end', () => stream.destroy());
    signal.addEventListener('abort', onAbort, { once: true });
    stream.resume();
    // Not ended from this side: PgBouncer forgets the request of who goes away before it is passed on.
    stream.write(new FrontendEncoder().write(request).take());
  });
}

/** One host on one pass. */
interface Visit {
  host: PgHost;
  signal: AbortSignal;
  password: PgPassword | undefined;
  /** Whether queries may be sent before it is known what kind of server it is. */
  pipelining: boolean;
}

/** What is sent before the server has asked for it. */
type Speculation =
  | 'none'
  /** What the server asked for last time, else what servers ask for by default. */
  | 'habit'
  /** What the server asked for just now, when the first guess was wrong. */
  | { told: LoginMethod };

/** A function is asked once for all the connections that one login takes. */
function askedOnce(password: PgPassword | undefined): PgPassword | undefined {
  if (typeof password !== 'function') return password;
  let answer: Promise<string> | undefined;
  return () => {
    answer ??= (async () => password())();
    return answer;
  };
}

/** ErrorResponse before AuthenticationOk: with other encryption, where sslmode lets it be, the server may let us in. */
class LoginRefused extends Error {
  override readonly cause: PgServerError;

  constructor(cause: PgServerError) {
    super(cause.message);
    this.cause = cause;
  }
}

/** The error of the last way, which is explained by that of the first. */
function withFirst(error: PgServerError, first: PgServerError | undefined): PgServerError {
  return first ? Object.assign(error, { cause: first }) : error;
}

/**
 * Whether another host is no better: a server, or this side, has refused. As in libpq, the next one is for hosts that
 * cannot be reached, are starting, or are of the wrong kind; a certificate that fails is never passed over.
 */
function isFinal(error: unknown): boolean {
  if (error instanceof PgServerError) return error.code !== cannotConnectNow;
  return !unreachable.has((error as NodeJS.ErrnoException).code ?? '');
}

const unreachable: ReadonlySet<string> = new Set([
  'ERR_PG_CONNECTION_LOST',
  'ERR_PG_CONNECT_TIMEOUT',
  'ERR_PG_SESSION_ATTRS',
  'EACCES',
  'EADDRNOTAVAIL',
  'EAI_AGAIN',
  'ECONNREFUSED',
  'ECONNRESET',
  'EHOSTDOWN',
  'EHOSTUNREACH',
  'ENETDOWN',
  'ENETUNREACH',
  'ENOENT', // of a Unix socket
  'ENOTFOUND',
  'EPIPE',
  'ERR_TURBO_SESSION_LOST',
  'ETIMEDOUT',
]);

function noHost(hosts: readonly PgHost[], failures: unknown[]): PgError {
  const reasons = failures.map((error) => (error instanceof Error ? error.message : String(error)));
  const names = hosts.map(({ name, port }) => `${name}:${port}`).join(', ');
  const detail = `${names}: ${[...new Set(reasons)].join('; ')}`;
  const cause = new AggregateError(failures, detail);
  return new PgError('ERR_PG_NO_HOST', detail, { cause, retryable: true });
}
