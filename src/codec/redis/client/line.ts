/** A connection as commands one way and replies the other: one write for each turn of the event loop, and backpressure. */
import type { Duplex } from 'node:stream';
import type { RedisLimits } from '../limits.js';
import { ReplyDecoder } from '../reply-decoder.js';
import { RequestEncoder } from '../request-encoder.js';
import type { Blobs, Push, Reply } from '../values.js';
import type { Command } from './exchange.js';

/** Commands are encoded up to so many bytes at a time; the others wait as they are, and are known to be unsent. */
const WRITE_BYTES = 256 * 1024;

export interface LineEvents {
  /** What strings of the next reply are to be; asked before each. */
  blobs(): Blobs;
  onValue(value: Reply | Push): void;
  /** There is room: more can be written. */
  onDrain(): void;
  /** Once. Nothing comes or goes any more. `error` is undefined where the peer simply ended it. */
  onEnd(error: Error | undefined): void;
}

export class Line {
  readonly #stream: Duplex;
  readonly #events: LineEvents;
  readonly #decoder: ReplyDecoder;
  readonly #encoder: RequestEncoder;
  /** Encoded and not written, ahead of what the encoder holds. */
  #chunks: Buffer[] = [];
  #bytes = 0;
  #ended = false;

  constructor(stream: Duplex, limits: RedisLimits, events: LineEvents) {
    this.#stream = stream;
    this.#events = events;
    // Pushes as bytes: whoever wants text can make it, not the other way round.
    this.#decoder = new ReplyDecoder({ limits, pushBlobs: 'buffer' });
    this.#encoder = new RequestEncoder({ limits });
    stream.on('error', (error: Error) => this.#end(error));
    stream.on('end', () => this.#end(undefined));
    stream.on('close', () => this.#end(undefined));
    stream.on('drain', () => this.#events.onDrain());
    stream.on('data', (chunk: Buffer) => this.#onData(chunk));
    if (stream.destroyed) process.nextTick(() => this.#end(stream.errored ?? undefined));
  }

  /** Whether more can be encoded now. */
  get hasRoom(): boolean {
    return this.#bytes + this.#encoder.bytes < WRITE_BYTES && !this.#stream.writableNeedDrain;
  }

  /**
   * All of the commands or, where one cannot be encoded, none. They go out with `flush`.
   * @throws RedisError ERR_REDIS_BAD_VALUE, ERR_REDIS_TOO_LONG
   */
  encode(commands: readonly Command[]): void {
    if (commands.length > 1) this.#collect();
    try {
      for (const command of commands) this.#encoder.add(command);
    } catch (error) {
      // One command is added whole or not at all.
      if (commands.length > 1) this.#encoder.take();
      throw error;
    }
  }

  /** Writes what is encoded, in one. */
  flush(): void {
    this.#collect();
    const chunks = this.#chunks;
    if (chunks.length === 0 || this.#ended) return;
    this.#chunks = [];
    this.#bytes = 0;
    this.#stream.cork();
    for (const chunk of chunks) this.#stream.write(chunk);
    this.#stream.uncork();
  }

  /** Ends the sending side; the peer then ends the other. */
  finish(): void {
    this.flush();
    this.#stream.end();
  }

  destroy(error?: Error): void {
    this.#end(error);
  }

  #collect(): void {
    this.#bytes += this.#encoder.bytes;
    this.#chunks.push(...this.#encoder.take());
  }

  #onData(chunk: Buffer): void {
    if (this.#ended) return;
    this.#decoder.push(chunk);
    try {
      while (!this.#ended) {
        this.#decoder.setBlobs(this.#events.blobs());
        const value = this.#decoder.next();
        if (value === undefined) return;
        this.#events.onValue(value);
      }
    } catch (error) {
      this.#end(error as Error);
    }
  }

  #end(error: Error | undefined): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#stream.destroy();
    this.#events.onEnd(error);
  }
}
