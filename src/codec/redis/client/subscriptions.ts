/** Channels that are subscribed to: one subscription for each, however many listen, made again on each new connection. */
import { Observable, Subject } from 'rxjs';
import { RedisError, RedisServerError } from '../errors.js';
import type { Push, Reply } from '../values.js';
import type { Command, Exchange } from './exchange.js';

/** A message of pub/sub. */
export interface Message<Payload = string> {
  channel: string;
  /** Of psubscribe: which of the patterns matched. */
  pattern: string | undefined;
  payload: Payload;
}

export interface SubscribeOptions {
  /** Called each time that the server has confirmed it: what is published from then on is received. */
  onActive?: (() => void) | undefined;
}

export type SubscriptionKind = 'subscribe' | 'psubscribe' | 'ssubscribe';

const KIND_OF_MESSAGE: Readonly<Record<string, SubscriptionKind>> = {
  message: 'subscribe',
  pmessage: 'psubscribe',
  smessage: 'ssubscribe',
};

const END_OF: Readonly<Record<SubscriptionKind, string>> = {
  subscribe: 'unsubscribe',
  psubscribe: 'punsubscribe',
  ssubscribe: 'sunsubscribe',
};

/** Kinds of pushes that say how a subscription stands. */
const CONFIRMATIONS = new Set([...Object.keys(END_OF), ...Object.values(END_OF)]);

interface Subscription {
  readonly kind: SubscriptionKind;
  readonly name: string;
  readonly messages: Subject<Message<Buffer>>;
  readonly activated: Subject<void>;
  listeners: number;
  active: boolean;
}

type Send = (exchange: Exchange) => void;

export class Subscriptions {
  /** Called when there is a subscription and no connection for it. */
  onNeeded: () => void = () => {};
  readonly #subscriptions = new Map<string, Subscription>();
  #send: Send | undefined;
  #closed = false;

  get size(): number {
    return this.#subscriptions.size;
  }

  /** Subscribes when it is subscribed to; the last to unsubscribe ends it. Errors where the server refuses it. */
  observe(kind: SubscriptionKind, name: string, { onActive }: SubscribeOptions): Observable<Message<Buffer>> {
    const wellFormed = Buffer.from(name).toString(); // as the server will repeat it
    return new Observable((subscriber) => {
      if (this.#closed) {
        subscriber.error(new RedisError('ERR_REDIS_CLOSED'));
        return undefined;
      }
      const subscription = this.#enter(kind, wellFormed);
      const listening = subscription.messages.subscribe(subscriber);
      if (onActive) listening.add(subscription.activated.subscribe(onActive));
      if (subscription.active) onActive?.();
      return () => {
        listening.unsubscribe();
        this.#leave(subscription);
      };
    });
  }

  /** There is a connection for subscriptions. */
  attach(send: Send): void {
    this.#send = send;
    for (const subscription of this.#subscriptions.values()) this.#begin(subscription);
  }

  /** It is gone. */
  detach(): void {
    this.#send = undefined;
    for (const subscription of this.#subscriptions.values()) subscription.active = false;
  }

  /** @returns whether the push belongs here */
  onPush({ kind, data }: Push): boolean {
    const ofMessage = KIND_OF_MESSAGE[kind];
    if (ofMessage !== undefined) this.#onMessage(ofMessage, data);
    else if (kind === 'sunsubscribe') this.#onEndedByServer(String(data[0]));
    return ofMessage !== undefined || CONFIRMATIONS.has(kind);
  }

  /** Nothing comes any more, and nothing more can be subscribed to. */
  end(error?: Error): void {
    this.#closed = true;
    this.interrupt(error);
  }

  /** All that there are end here. */
  interrupt(error?: Error): void {
    this.detach();
    const left = [...this.#subscriptions.values()];
    this.#subscriptions.clear();
    for (const { messages } of left) {
      if (error) messages.error(error);
      else messages.complete();
    }
  }

  #enter(kind: SubscriptionKind, name: string): Subscription {
    const key = keyOf(kind, name);
    const known = this.#subscriptions.get(key);
    if (known) {
      known.listeners++;
      return known;
    }
    const made: Subscription = {
      kind,
      name,
      messages: new Subject(),
      activated: new Subject(),
      listeners: 1,
      active: false,
    };
    this.#subscriptions.set(key, made);
    if (this.#send) this.#begin(made);
    else this.onNeeded();
    return made;
  }

  #leave(subscription: Subscription): void {
    subscription.listeners--;
    if (subscription.listeners > 0 || !this.#remove(subscription)) return;
    this.#send?.(new Change(END_OF[subscription.kind], subscription.name, () => {}));
  }

  /** Whether it was still there. */
  #remove(subscription: Subscription): boolean {
    const key = keyOf(subscription.kind, subscription.name);
    return this.#subscriptions.get(key) === subscription && this.#subscriptions.delete(key);
  }

  #begin(subscription: Subscription): void {
    const onReply = (reply: Reply) => {
      if (!(reply instanceof RedisServerError)) {
        subscription.active = true;
        subscription.activated.next();
      } else if (this.#remove(subscription)) {
        subscription.messages.error(reply);
      }
    };
    this.#send?.(new Change(subscription.kind, subscription.name, onReply));
  }

  #onMessage(kind: SubscriptionKind, data: Reply[]): void {
    const [name, ...rest] = data;
    const [channel, payload] = kind === 'psubscribe' ? rest : [name, ...rest];
    const subscription = this.#subscriptions.get(keyOf(kind, String(name)));
    subscription?.messages.next({
      channel: String(channel),
      pattern: kind === 'psubscribe' ? String(name) : undefined,
      payload: Buffer.isBuffer(payload) ? payload : Buffer.from(String(payload)),
    });
  }

  /** A cluster moved the channel's slot elsewhere. */
  #onEndedByServer(channel: string): void {
    const subscription = this.#subscriptions.get(keyOf('ssubscribe', channel));
    if (!subscription?.active || !this.#remove(subscription)) return;
    subscription.messages.error(new RedisError('ERR_REDIS_CONNECTION_LOST', 'the server ended the subscription'));
  }
}

/** (P|S)(UN)SUBSCRIBE. Lost with its connection it is nothing: the next one is told all subscriptions. */
class Change implements Exchange {
  readonly commands: readonly Command[];
  readonly blobs = 'string';
  readonly #verb: string;
  readonly #name: string;
  readonly #onReply: (reply: Reply) => void;

  constructor(verb: string, name: string, onReply: (reply: Reply) => void) {
    this.commands = [[verb.toUpperCase(), name]];
    this.#verb = verb;
    this.#name = name;
    this.#onReply = onReply;
  }

  take(reply: Reply): void {
    this.#onReply(reply);
  }

  isAnsweredBy({ kind, data }: Push): boolean {
    return kind === this.#verb && String(data[0]) === this.#name;
  }

  fail(): void {}
}

function keyOf(kind: SubscriptionKind, name: string): string {
  return `${kind} ${name}`;
}
