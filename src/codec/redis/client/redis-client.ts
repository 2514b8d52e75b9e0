/**
 * A Redis client that wastes no round trip: the login and the first commands go out in one flight.
 *
 *     const client = await RedisClient.connect('rediss://user:password@cache.example', { transport });
 *     await client.command('SET', 'greeting', 'hello');
 *     client.subscribe('news').subscribe(({ payload }) => console.log(payload));
 *     await client.close();
 *
 *     RedisClient ─► Link (connects again) ─► Session (one connection: Login, replies in order) ─► Line (bytes)
 *                └─► Subscriptions
 *
 * In a cluster it is a client of one node: MOVED and ASK reach the caller as errors.
 */
import { filter, map, type Observable, Subject } from 'rxjs';
import { onAbort } from '../../../abort.js';
import { RedisError } from '../errors.js';
import type { Argument } from '../request-encoder.js';
import type { Push, Reply } from '../values.js';
import { type CallOptions, CommandCall, TransactionCall } from './call.js';
import type { Command } from './exchange.js';
import { Link, type LinkState } from './link.js';
import { type RedisClientOptions, type RedisConfig, redisConfig } from './options.js';
import { checkCommand, nameOf } from './refused-commands.js';
import { type Message, type SubscribeOptions, type SubscriptionKind, Subscriptions } from './subscriptions.js';
import type { WatchEffect } from './watch.js';

export interface ConnectOptions extends RedisClientOptions {
  /** Ends the attempt; the promise is rejected with the signal's reason. */
  signal?: AbortSignal | undefined;
}

const WATCH_EFFECTS: Readonly<Record<string, WatchEffect>> = { WATCH: 'hold', UNWATCH: 'drop' };

export class RedisClient {
  /**
   * Resolves when the client is connected and logged in for the first time; rejects with the error that it closed for
   * before that. Nobody needs to wait for it, or to handle it.
   */
  readonly ready: Promise<void>;
  /** The present state first. Completes when the client is closed. */
  readonly state$: Observable<LinkState>;
  /** What each connection, and each attempt at one, ended with. It goes on by itself unless it is closed. */
  readonly errors$: Observable<Error>;
  /**
   * What the server sends unasked over RESP3, messages of pub/sub excepted: `invalidate` (CLIENT TRACKING) and others.
   * Strings in it are Buffers, as keys may be any bytes.
   */
  readonly pushes$: Observable<Push>;
  readonly #config: RedisConfig;
  readonly #link: Link;
  readonly #subscriptions = new Subscriptions();
  readonly #pushes = new Subject<Push>();
  /** For subscriptions, where the server speaks RESP2. */
  #sideLink: Link | undefined;

  /**
   * Starts to connect. Commands may be issued at once: they go out with the login.
   *
   * @param target a URL, or options alone
   * @param options for a URL: over what it says
   * @throws RedisError ERR_REDIS_BAD_OPTION
   */
  static open(target: string | RedisClientOptions, options?: RedisClientOptions): RedisClient {
    return new RedisClient(redisConfig(target, options));
  }

  /** `open`, and waits until it is ready. Where that fails the client is closed. */
  static async connect(target: string | RedisClientOptions, options: ConnectOptions = {}): Promise<RedisClient> {
    const { signal, ...rest } = options;
    signal?.throwIfAborted();
    const client = RedisClient.open(target, rest);
    const stopListening = signal && onAbort(signal, () => client.destroy());
    try {
      await client.ready;
      return client;
    } catch (error) {
      throw signal?.aborted ? signal.reason : error;
    } finally {
      stopListening?.();
    }
  }

  private constructor(config: RedisConfig) {
    this.#config = config;
    this.#link = new Link(config, 'commands');
    this.state$ = this.#link.state$.asObservable();
    this.errors$ = this.#link.errors$.asObservable();
    this.pushes$ = this.#pushes.asObservable();
    this.ready = readiness(this.#link);
    this.#link.pushes$.pipe(filter((push) => !this.#subscriptions.onPush(push))).subscribe(this.#pushes);
    this.#link.state$.subscribe((state) => this.#onState(state));
    this.#subscriptions.onNeeded = () => this.#openSideLink();
  }

  get state(): LinkState {
    return this.#link.state;
  }

  /**
   * A command: its reply. Rejects with RedisServerError where the server answers with an error, with RedisError
   * ERR_REDIS_CONNECTION_LOST where no answer came: it is never sent twice, and may have been executed unless the error
   * is `retryable`.
   *
   * Commands issued in one turn of the event loop go out in one write. Buffers must not change until the reply is there.
   */
  command<T extends Reply = Reply>(...args: Argument[]): Promise<T> {
    return this.send<T>(args);
  }

  /** As `command`, with options. */
  send<T extends Reply = Reply>(args: Command, options: CallOptions = {}): Promise<T> {
    return this.#call(() => {
      checkCommand(args);
      return new CommandCall(args, this.#withDefaults(options), WATCH_EFFECTS[nameOf(args)]);
    }) as Promise<T>;
  }

  /** Commands in one flight: their replies, or in their place the errors that `command` would have rejected with. */
  async pipeline(commands: readonly Command[], options: CallOptions = {}): Promise<(Reply | Error)[]> {
    const settled = await Promise.allSettled(commands.map((command) => this.send(command, options)));
    return settled.map((each) => (each.status === 'fulfilled' ? each.value : each.reason));
  }

  /**
   * MULTI, the commands and EXEC in one flight: the replies, errors of the server among them in their place; null where
   * a key of an earlier WATCH has changed, or may have because the connection was lost since.
   *
   * Rejects with RedisServerError EXECABORT where the server refused one of the commands (`cause`), having run none.
   */
  transaction(commands: readonly Command[], options: CallOptions = {}): Promise<Reply[] | null> {
    return this.#call(() => {
      for (const command of commands) checkCommand(command);
      return new TransactionCall(commands, this.#withDefaults(options));
    });
  }

  /**
   * Messages of a channel, from when somebody subscribes to the observable until the last one unsubscribes. What is
   * published while the connection is lost is not received; `onActive` tells of each new beginning. Errors where the
   * server refuses it; completes when the client is closed.
   */
  subscribe(channel: string, options?: SubscribeOptions): Observable<Message>;
  subscribe(channel: string, options: SubscribeOptions & { blobs: 'buffer' }): Observable<Message<Buffer>>;
  subscribe(channel: string, options?: MessageOptions): Observable<Message<string | Buffer>> {
    return this.#messages('subscribe', channel, options);
  }

  /** As `subscribe`, of all channels that match a pattern (PSUBSCRIBE). */
  psubscribe(pattern: string, options?: SubscribeOptions): Observable<Message>;
  psubscribe(pattern: string, options: SubscribeOptions & { blobs: 'buffer' }): Observable<Message<Buffer>>;
  psubscribe(pattern: string, options?: MessageOptions): Observable<Message<string | Buffer>> {
    return this.#messages('psubscribe', pattern, options);
  }

  /** As `subscribe`, of a shard channel (SSUBSCRIBE, Redis 7). */
  ssubscribe(channel: string, options?: SubscribeOptions): Observable<Message>;
  ssubscribe(channel: string, options: SubscribeOptions & { blobs: 'buffer' }): Observable<Message<Buffer>>;
  ssubscribe(channel: string, options?: MessageOptions): Observable<Message<string | Buffer>> {
    return this.#messages('ssubscribe', channel, options);
  }

  /**
   * Takes no more commands, waits for the replies that are due, and ends the connection; after `closeTimeoutMs` without
   * waiting. Resolves when it is closed; never rejects. Again is no error.
   */
  close(): Promise<void> {
    this.#subscriptions.end();
    this.#sideLink?.destroy();
    this.#link.close();
    return new Promise((resolve) => this.#link.state$.subscribe({ complete: resolve }));
  }

  /** Closes at once: what waits for a reply is rejected with ERR_REDIS_CLOSED. */
  destroy(): void {
    this.#link.destroy();
  }

  #call<T>(make: () => { promise: Promise<T> } & Parameters<Link['add']>[0]): Promise<T> {
    try {
      const call = make();
      this.#link.add(call);
      return call.promise;
    } catch (error) {
      return Promise.reject(error);
    }
  }

  #withDefaults(options: CallOptions): CallOptions {
    return { ...options, timeoutMs: options.timeoutMs ?? this.#config.commandTimeoutMs };
  }

  #messages(kind: SubscriptionKind, name: string, options: MessageOptions = {}): Observable<Message<string | Buffer>> {
    const messages = this.#subscriptions.observe(kind, name, options);
    if (options.blobs === 'buffer') return messages;
    return messages.pipe(map(({ payload, ...message }) => ({ ...message, payload: payload.toString() })));
  }

  #onState(state: LinkState): void {
    switch (state.name) {
      case 'ready':
        if (state.protocol === 3) this.#subscribeOver(this.#link);
        else if (this.#subscriptions.size > 0) this.#openSideLink();
        break;
      case 'waiting':
        if (!this.#sideLink) this.#subscriptions.detach();
        break;
      case 'closed':
        this.#subscriptions.end(state.error);
        this.#sideLink?.destroy();
        break;
      case 'connecting':
        break;
    }
  }

  #subscribeOver(link: Link): void {
    if (link === this.#link) {
      this.#sideLink?.destroy();
      this.#sideLink = undefined;
    }
    this.#subscriptions.attach((exchange) => link.sendNow(exchange));
  }

  /** Over RESP2 a connection with a subscription can do nothing else. */
  #openSideLink(): void {
    const { state } = this.#link;
    if (this.#sideLink || state.name !== 'ready' || state.protocol === 3) return;
    const { reconnectAttempts } = this.#config;
    const config: RedisConfig = {
      ...this.#config,
      protocol: 2,
      speculate: 'never',
      connectAttempts: reconnectAttempts,
    };
    const link = new Link(config, 'subscriptions');
    this.#sideLink = link;
    link.pushes$.subscribe((push) => this.#subscriptions.onPush(push));
    link.state$.subscribe((sideState) => this.#onSideState(link, sideState));
  }

  #onSideState(link: Link, state: LinkState): void {
    if (link !== this.#sideLink) return;
    if (state.name === 'ready') this.#subscribeOver(link);
    if (state.name === 'waiting') this.#subscriptions.detach();
    if (state.name !== 'closed') return;
    this.#sideLink = undefined;
    this.#subscriptions.interrupt(state.error);
  }
}

type MessageOptions = SubscribeOptions & { blobs?: 'buffer' };

function readiness(link: Link): Promise<void> {
  const ready = new Promise<void>((resolve, reject) => {
    link.state$.subscribe((state) => {
      if (state.name === 'ready') resolve();
      if (state.name === 'closed') reject(state.error ?? new RedisError('ERR_REDIS_CLOSED'));
    });
  });
  ready.catch(() => {});
  return ready;
}
