/** One logged-in connection: sends exchanges from the queue, many in one flight, and hands each its answer. */
import { PgError, PgServerError } from '../errors.js';
import type { PgLimits } from '../limits.js';
import type { BackendMessage, FrontendMessage, NoticeFields, TransactionStatus } from '../messages.js';
import type { Exchange, ExchangeLine, ExchangeQueue } from './exchange.js';
import type { Line } from './line.js';

export interface PgNotification {
  channel: string;
  payload: string;
  /** Of the backend that notified. */
  processId: number;
}

/** What the server says without being asked. */
export interface Asides {
  notice(fields: NoticeFields): void;
  notification(notification: PgNotification): void;
}

/** Sends a CancelRequest for whatever the server is at; resolves when the server has taken notice of it. */
export type SendCancel = () => Promise<void>;

/** Behind anything else ReadyForQuery is not what the query waits for. */
const lastOfAnswer: ReadonlySet<BackendMessage['name']> = new Set([
  'CommandComplete',
  'EmptyQueryResponse',
  'CloseComplete',
  'ErrorResponse',
]);

export class Session implements ExchangeLine {
  /** ParameterStatus: what the server reports of itself. */
  readonly parameters = new Map<string, string>();
  readonly statements = new Set<string>();
  /** Called once, when the connection is over. */
  onEnd: (error: Error) => void = () => {};
  /** Called whenever the last answer that was awaited is complete, and nothing more is to be sent. */
  onIdle: () => void = () => {};
  /** Whether exchanges may be sent: before the login is done already, where that is safe. */
  #sending = false;
  /** Whether the server is ready for queries. */
  #open = false;
  #status: TransactionStatus = 'I';
  #sent: Exchange[] = [];
  /** Whether what came last may be the last of an answer, but for ReadyForQuery. */
  #answered = false;
  #cancelling = false;
  #reportedBytes = 0;
  readonly #doomed = new WeakSet<Exchange>();
  readonly #line: Line;
  readonly #queue: ExchangeQueue;
  readonly #asides: Asides;
  readonly #sendCancel: SendCancel;
  readonly #limits: PgLimits;
  #ended: Error | undefined;
  /** What the server said last with severity FATAL, so that the loss of the connection can be explained by it. */
  #fatal: PgServerError | undefined;

  constructor(line: Line, queue: ExchangeQueue, asides: Asides, sendCancel: SendCancel, limits: PgLimits) {
    this.#line = line;
    this.#queue = queue;
    this.#asides = asides;
    this.#sendCancel = sendCancel;
    this.#limits = limits;
  }

  get status(): TransactionStatus {
    return this.#status;
  }

  /** Why the connection is over, once it is: it may have ended before anybody could set `onEnd`. */
  get ended(): Error | undefined {
    return this.#ended;
  }

  get sentBehind(): number {
    return this.#sent.length - 1;
  }

  /** Whether answers are awaited. */
  get busy(): boolean {
    return this.#sent.length > 0;
  }

  /** From here on exchanges are sent, though the server may not have said yet that we are in. */
  startSending(): void {
    if (this.#sending) return;
    this.#sending = true;
    if (!this.#open) this.#line.sendAtMost(this.#limits.loginAheadBytes);
    this.#queue.onAdded = () => this.#advance();
    this.#advance();
  }

  /** The server is ready for queries. */
  open(status: TransactionStatus): void {
    this.#open = true;
    this.#status = status;
    this.#line.sendAll();
    this.#line.onEnd = (error) => this.#end(error);
    for (const exchange of this.#sent) exchange.started?.(this);
    this.#cancelDoomed();
    this.#line.listen((message) => this.#on(message));
    if (this.#line.ended) this.#end(this.#line.ended);
  }

  /** Sends an exchange ahead of the queue. */
  ask(exchange: Exchange): void {
    if (this.#ended) exchange.fail(this.#ended);
    else this.#send(exchange);
  }

  /** The login failed. What was sent goes back to the queue where the server never executed it, else it fails. */
  giveUp(error: Error, executed: 'never' | 'perhaps'): void {
    this.#stopSending();
    const sent = this.#sent.splice(0);
    if (executed === 'never') this.#queue.giveBack(sent);
    else for (const exchange of sent) exchange.fail(error);
    this.#line.destroy(error);
  }

  write(...messages: FrontendMessage[]): void {
    this.#line.write(...messages);
  }

  hold(): void {
    this.#line.hold();
  }

  release(): void {
    this.#line.release();
  }

  whenDrained(then: () => void): void {
    this.#line.whenDrained(then);
  }

  destroy(error: Error): void {
    this.#line.destroy(error);
  }

  /** Terminate, and the end of what we send. */
  terminate(): void {
    this.write({ name: 'Terminate' });
    this.#line.finish();
  }

  /** Whether `exchange` was sent, and its answer is not complete. */
  has(exchange: Exchange): boolean {
    return this.#sent.includes(exchange);
  }

  /** Cancels `exchange` once it is what the server is at. */
  cancel(exchange: Exchange): void {
    this.#doomed.add(exchange);
    this.#cancelDoomed();
  }

  /** Cancels what the server is at. Nothing is sent until that is done: it must not hit another query. */
  async cancelRunning(): Promise<void> {
    if (!this.#open || this.#cancelling) return;
    this.#cancelling = true;
    try {
      await this.#sendCancel();
    } finally {
      this.#cancelling = false;
      this.#advance();
    }
  }

  #cancelDoomed(): void {
    const [running] = this.#sent;
    if (!this.#open || !running || !this.#doomed.delete(running)) return;
    // The query goes on where its cancellation fails; its caller has been told already.
    this.cancelRunning().catch(() => {});
  }

  get #maySend(): boolean {
    if (!this.#sending || this.#cancelling) return false;
    return !this.#sent.at(-1)?.alone && this.#sent.length < this.#limits.pipelinedQueries;
  }

  #advance(): void {
    while (this.#maySend) {
      const exchange = this.#queue.take();
      if (!exchange) return;
      this.#send(exchange);
    }
  }

  #send(exchange: Exchange): void {
    try {
      this.write(...exchange.messages(this));
    } catch (error) {
      // A value that cannot be sent. Nothing of it was written.
      exchange.fail(error as Error);
      return;
    }
    this.#sent.push(exchange);
    if (this.#open) exchange.started?.(this);
  }

  #on(message: BackendMessage): void {
    switch (message.name) {
      case 'ParameterStatus':
        this.report(message.parameter, message.value);
        return;
      case 'NoticeResponse':
        this.#asides.notice(message.fields);
        return;
      case 'NotificationResponse':
        this.#asides.notification(message);
        return;
      case 'ReadyForQuery':
        this.#onReady(message.status);
        return;
      default:
        this.#onAnswer(message);
    }
  }

  /**
   * Keeps what the server reports of itself.
   * @throws PgError ERR_PG_PROTOCOL where that is more than anybody has to report
   */
  report(parameter: string, value: string): void {
    const before = this.parameters.get(parameter);
    this.#reportedBytes += Buffer.byteLength(value);
    this.#reportedBytes += before === undefined ? Buffer.byteLength(parameter) : -Buffer.byteLength(before);
    if (this.#reportedBytes > this.#limits.parameterBytes) {
      throw new PgError('ERR_PG_PROTOCOL', `ParameterStatus: more than ${this.#limits.parameterBytes} bytes of them`);
    }
    this.parameters.set(parameter, value);
  }

  #onAnswer(message: BackendMessage): void {
    this.#answered = lastOfAnswer.has(message.name);
    if (message.name === 'ErrorResponse' && message.fields.V !== 'ERROR')
      this.#fatal = new PgServerError(message.fields);
    const exchange = this.#sent[0];
    if (exchange) exchange.on(message, this);
    else if (!this.#fatal) throw new PgError('ERR_PG_PROTOCOL', `${message.name} that answers no query`);
  }

  #onReady(status: TransactionStatus): void {
    if (!this.busy || !this.#answered) throw new PgError('ERR_PG_PROTOCOL', 'ReadyForQuery that ends no answer');
    const exchange = this.#sent.shift() as Exchange;
    this.#answered = false;
    this.#fatal = undefined; // it was not
    this.#status = status;
    exchange.end();
    this.#cancelDoomed();
    this.#advance();
    if (!this.busy) this.onIdle();
  }

  #end(error: Error): void {
    this.#stopSending();
    const reason = this.#explained(error);
    this.#ended = reason;
    for (const exchange of this.#sent.splice(0)) exchange.fail(reason);
    this.onEnd(reason);
  }

  #stopSending(): void {
    if (this.#sending) this.#queue.onAdded = () => {};
    this.#sending = false;
  }

  /** The server usually says why it ends a connection, in an ErrorResponse before that. */
  #explained(error: Error): Error {
    const fatal = this.#fatal;
    if (!fatal || !(error instanceof PgError) || error.code !== 'ERR_PG_CONNECTION_LOST') return error;
    return new PgError('ERR_PG_CONNECTION_LOST', `${fatal.message} (${fatal.code})`, { cause: fatal });
  }
}
