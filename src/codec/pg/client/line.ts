/** A connection as messages both ways: framing, one write for each turn of the event loop, a reader that can be held. */
import type { Duplex } from 'node:stream';
import { BackendDecoder } from '../decoder.js';
import { FrontendEncoder } from '../encoder.js';
import { PgError } from '../errors.js';
import type { PgLimits } from '../limits.js';
import type { BackendMessage, FrontendMessage } from '../messages.js';

type Consumer = (message: BackendMessage) => void;

export class Line {
  /** Called once, when the connection is over; with nothing more to come, and nothing more that can be sent. */
  onEnd: (error: Error) => void = () => {};
  readonly #stream: Duplex;
  readonly #decoder: BackendDecoder;
  readonly #encoder = new FrontendEncoder();
  #consumer: Consumer | undefined;
  #rejectWaiting: ((error: Error) => void) | undefined;
  #ended: Error | undefined;
  #held = false;
  #pumping = false;
  #flushDue = false;
  /** Bytes that may still be sent; what is beyond them is withheld. */
  #allowance = Number.POSITIVE_INFINITY;
  #withheld: Buffer[] = [];

  constructor(stream: Duplex, limits: PgLimits) {
    this.#stream = stream;
    this.#decoder = new BackendDecoder({ limits });
    stream.on('data', (chunk: Buffer) => {
      this.#decoder.push(chunk);
      this.#pump();
    });
    stream.on('error', (error: Error) => this.#end(lost(error)));
    stream.on('end', () => this.#end(lost()));
    stream.on('close', () => this.#end(lost()));
    if (stream.destroyed) this.#end(lost(stream.errored ?? undefined));
  }

  /** The error that ended it. */
  get ended(): Error | undefined {
    return this.#ended;
  }

  /** The next message, for who takes them one by one. Rejects when the connection ends. */
  receive(): Promise<BackendMessage> {
    return new Promise((resolve, reject) => {
      if (this.#ended) {
        reject(this.#ended);
        return;
      }
      this.#rejectWaiting = reject;
      this.#consumer = (message) => {
        this.#consumer = undefined;
        this.#rejectWaiting = undefined;
        resolve(message);
      };
      this.#pump();
    });
  }

  /** What `promise` becomes, of who receives nothing meanwhile. Rejects when the connection is ended before that. */
  whileOpen<T>(promise: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      const settle = (act: () => void) => {
        this.#rejectWaiting = undefined;
        act();
      };
      this.#rejectWaiting = reject;
      promise.then(
        (value) => settle(() => resolve(value)),
        (error) => settle(() => reject(error)),
      );
      if (this.#ended) reject(this.#ended);
    });
  }

  /** From here on every message goes to `consumer`, as it comes. */
  listen(consumer: Consumer): void {
    this.#consumer = consumer;
    this.#pump();
  }

  /** Messages after login may be long. */
  loginDone(): void {
    this.#decoder.loginDone();
  }

  /** No more messages until `release`: who takes them has enough. */
  hold(): void {
    this.#held = true;
  }

  release(): void {
    if (!this.#held) return;
    this.#held = false;
    this.#pump();
  }

  /**
   * Goes out at the end of this turn, in one write with what else is written until then. All of the messages or, where
   * one cannot be encoded and this throws, none.
   */
  write(...messages: FrontendMessage[]): void {
    this.#encoder.writeAll(messages);
    if (this.#flushDue) return;
    this.#flushDue = true;
    process.nextTick(() => this.#flush());
  }

  /** Of what is written from here on, no more than `bytes` are sent until `sendAll`. */
  sendAtMost(bytes: number): void {
    this.#allowance = this.#encoder.length + bytes;
  }

  sendAll(): void {
    this.#allowance = Number.POSITIVE_INFINITY;
    for (const bytes of this.#withheld.splice(0)) this.#send(bytes);
  }

  /** Calls `then` once what was written has left this process's buffers far enough to write more. */
  whenDrained(then: () => void): void {
    this.#flush();
    if (this.#ended || !this.#stream.writableNeedDrain) then();
    else this.#stream.once('drain', then);
  }

  /** Sends what is written and ends the sending side; the peer's end is then awaited by the caller. */
  finish(): void {
    this.#flush();
    this.#stream.end();
  }

  destroy(error: Error): void {
    this.#end(error);
  }

  #flush(): void {
    if (!this.#flushDue) return;
    this.#flushDue = false;
    this.#send(this.#encoder.take());
  }

  #send(bytes: Buffer): void {
    const sent = bytes.subarray(0, this.#allowance);
    this.#allowance -= sent.length;
    if (sent.length < bytes.length) this.#withheld.push(bytes.subarray(sent.length));
    if (sent.length > 0 && !this.#ended && this.#stream.writable) this.#stream.write(sent);
  }

  #pump(): void {
    if (this.#pumping) return;
    this.#pumping = true;
    try {
      while (this.#consumer && !this.#held && !this.#ended) {
        const message = this.#decoder.next();
        if (message === undefined) break;
        this.#consumer(message);
      }
    } catch (error) {
      this.#end(error instanceof PgError ? error : lost(error as Error));
    } finally {
      this.#pumping = false;
    }
    this.#meter();
  }

  /** Reads on only while somebody takes messages, so that a slow taker slows the server down. */
  #meter(): void {
    const wanted = this.#consumer !== undefined && !this.#held;
    if (wanted === !this.#stream.isPaused()) return;
    if (wanted) this.#stream.resume();
    else this.#stream.pause();
  }

  #end(error: Error): void {
    if (this.#ended) return;
    this.#ended = error;
    this.#stream.destroy();
    this.#rejectWaiting?.(error);
    this.onEnd(error);
  }
}

function lost(cause?: Error): PgError {
  return new PgError('ERR_PG_CONNECTION_LOST', cause?.message, cause && { cause });
}
