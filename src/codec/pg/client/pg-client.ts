/** A PostgreSQL connection for applications where connecting is the slow part. */
import { type Observable, Subject } from 'rxjs';
import { onAbort } from '../../../abort.js';
import type { Conninfo } from '../conninfo/parameters.js';
import { PgError } from '../errors.js';
import { type PgLimits, pgLimitsWith } from '../limits.js';
import type { NoticeFields, TransactionStatus } from '../messages.js';
import { type TextParser, TypeRegistry } from '../types/registry.js';
import { Connector, type PgTimeline } from './connector.js';
import { type Exchange, ExchangeQueue } from './exchange.js';
import { Notifications } from './notifications.js';
import type { PgClientOptions } from './options.js';
import { QueryScope, type ScopeContext } from './scope.js';
import type { PgNotification, Session } from './session.js';
import { beginStatement, inTransaction, type Transaction, type TransactionOptions } from './transaction.js';

/**
 * One connection. It does not reconnect: when it is lost, queries fail with ERR_PG_CONNECTION_LOST and `closed`
 * resolves with the reason.
 */
export class PgClient extends QueryScope {
  /** Resolves when the server is ready for queries. Queries need not wait for it: made before, they save a round trip. */
  readonly ready: Promise<void>;
  /** Resolves when the connection is over: with the error that ended it, or with undefined after `close`. */
  readonly closed: Promise<Error | undefined>;
  /** NoticeResponse. */
  readonly notices$: Observable<NoticeFields>;
  /** When each step of connecting was done, ms since `open`. */
  readonly timeline: PgTimeline;
  readonly #limits: PgLimits;
  readonly #connector: Connector;
  readonly #queue: ExchangeQueue;
  readonly #notices = new Subject<NoticeFields>();
  readonly #notifications: Notifications;
  #session: Session | undefined;
  #state: 'open' | 'closing' | 'closed' = 'open';
  #closeTimer: NodeJS.Timeout | undefined;
  #resolveClosed: (error: Error | undefined) => void = () => {};
  /** Takes the signal's listener back. */
  #forgetSignal: () => void = () => {};

  /**
   * Connects and waits until the server is ready.
   *
   * @param target a connection string or URL of libpq, or an object of its keywords; what it does not say comes from
   *   the environment (PGHOST, …), the password file and libpq's defaults
   * @throws PgError, PgServerError, and errors of TCP, DNS and TLS as Node has them
   */
  static async connect(target?: string | Conninfo, options: PgClientOptions = {}): Promise<PgClient> {
    const client = PgClient.open(target, options);
    await client.ready;
    return client;
  }

  /**
   * Begins to connect. Queries that are made right away travel with the last step of the login, where that is safe:
   * the first row comes a round trip earlier than after `connect`.
   *
   * @throws PgError ERR_PG_BAD_OPTION
   */
  static open(target?: string | Conninfo, options: PgClientOptions = {}): PgClient {
    return new PgClient(target, options);
  }

  private constructor(target: string | Conninfo | undefined, options: PgClientOptions) {
    const limits = pgLimitsWith(options.limits);
    const queue = new ExchangeQueue(limits.queuedQueries);
    const context = new ClientContext(options, limits);
    super(context);
    context.withdraw = (exchange) => this.#withdraw(exchange);
    context.cancel = (exchange) => this.#cancel(exchange);
    this.#limits = limits;
    this.#queue = queue;
    this.#notifications = new Notifications((query) => this.query(query));
    this.notices$ = this.#notices.asObservable();
    this.closed = new Promise((resolve) => {
      this.#resolveClosed = resolve;
    });
    this.#connector = new Connector(target, options, limits, queue, {
      notice: (fields) => this.#notices.next(fields),
      notification: ({ channel, payload, processId }) => this.#notifications.deliver({ channel, payload, processId }),
    });
    this.timeline = this.#connector.timeline;
    this.ready = this.#connect();
    this.ready.catch(() => {}); // whoever makes a query is told by that
    this.#endWith(options.signal);
  }

  /** In a transaction or not, as the last ReadyForQuery said. */
  get transactionStatus(): TransactionStatus {
    return this.#session?.status ?? 'I';
  }

  /** What the server reports of itself: server_version, TimeZone and so on; empty before it is ready. */
  get parameters(): ReadonlyMap<string, string> {
    return this.#session?.parameters ?? new Map();
  }

  /**
   * Runs `work` in a transaction that has the connection to itself, and commits it; rolls it back where `work` fails.
   * BEGIN travels with the first query.
   *
   * @throws what `work` throws; PgError ERR_PG_ROLLED_BACK where COMMIT found that a query had failed
   */
  async transaction<T>(work: (transaction: Transaction) => Promise<T>, options: TransactionOptions = {}): Promise<T> {
    const bounds = { begin: beginStatement(options), commit: 'COMMIT', rollback: 'ROLLBACK' };
    return this.turns.exclusive(() =>
      inTransaction(this.context, (exchange) => this.enqueue(exchange), bounds, 0, work),
    );
  }

  /** What is notified on `channel`, while somebody is subscribed: LISTEN and UNLISTEN go by themselves. */
  listen(channel: string): Observable<PgNotification> {
    return this.#notifications.of(channel);
  }

  /** Cancels what the server is at (CancelRequest, encrypted as this connection is). Resolves when it was delivered. */
  async cancel(): Promise<void> {
    await this.#session?.cancelRunning();
  }

  /** Waits for the answers to what has been asked, says goodbye (Terminate) and ends the connection. */
  async close(): Promise<void> {
    this.turns.run(() => {
      if (this.#state === 'open') this.#state = 'closing';
      this.#closeWhenIdle();
    });
    await this.closed;
  }

  /** Ends the connection at once. What was not answered fails with `reason`. */
  destroy(reason: Error = new PgError('ERR_PG_CLOSED', 'destroy() was called')): void {
    this.#end(reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  protected override enqueue(exchange: Exchange): void {
    if (this.#state === 'closing') exchange.fail(new PgError('ERR_PG_CLOSED'));
    else this.#queue.add(exchange);
  }

  #endWith(signal: AbortSignal | undefined): void {
    if (signal?.aborted) this.destroy(signal.reason);
    else if (signal) this.#forgetSignal = onAbort(signal, () => this.destroy(signal.reason));
  }

  async #connect(): Promise<void> {
    try {
      const session = await this.#connector.connect();
      if (session.ended) throw session.ended;
      this.#session = session;
      session.onEnd = (error) => this.#end(error);
      session.onIdle = () => this.#closeWhenIdle();
      this.#closeWhenIdle();
    } catch (error) {
      this.#end(error as Error);
      throw error;
    }
  }

  #withdraw(exchange: Exchange): boolean {
    if (this.#connector.sent(exchange)) return false;
    this.#queue.withdraw(exchange);
    return true;
  }

  #cancel(exchange: Exchange): void {
    if (!this.#withdraw(exchange)) this.#connector.session?.cancel(exchange);
  }

  #closeWhenIdle(): void {
    if (this.#state !== 'closing') return;
    const session = this.#session;
    if (!session && this.#queue.length === 0 && !this.#connector.session?.busy) this.#end(undefined);
    if (!session || session.busy || this.#queue.length > 0) return;
    session.onEnd = () => this.#end(undefined);
    session.terminate();
    this.#closeTimer = setTimeout(() => this.#end(undefined), this.#limits.closeTimeoutMs);
  }

  #end(error: Error | undefined): void {
    if (this.#state === 'closed') return;
    this.#state = 'closed';
    clearTimeout(this.#closeTimer);
    this.#forgetSignal();
    const reason = error ?? new PgError('ERR_PG_CLOSED');
    this.#connector.destroy(reason);
    this.#queue.close(reason);
    this.#notifications.close(error);
    this.#notices.complete();
    this.#resolveClosed(error);
  }
}

class ClientContext implements ScopeContext {
  readonly limits: PgLimits;
  readonly types: TypeRegistry;
  readonly parsers: Readonly<Record<number, TextParser>>;
  readonly queryTimeoutMs: number;
  withdraw: (exchange: Exchange) => boolean = () => true;
  cancel: (exchange: Exchange) => void = () => {};
  #statements = 0;

  constructor({ types = {}, queryTimeoutMs = 0 }: PgClientOptions, limits: PgLimits) {
    this.limits = limits;
    this.parsers = types;
    this.types = new TypeRegistry(types);
    this.queryTimeoutMs = queryTimeoutMs;
  }

  statementName(): string {
    this.#statements++;
    return `turbotls_${this.#statements}`;
  }
}
