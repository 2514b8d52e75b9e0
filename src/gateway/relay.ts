/**
 * The data plane: bytes between two streams, both ways, each as fast as its receiver takes them, until both are over.
 *
 *     client ──data──> backend       end of one direction: end of the same direction on the other side
 *     client <──data── backend       failure of one side: failure (RST, where it is TCP) of the other
 */
import { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { TLSSocket } from 'node:tls';
import { onAbort } from '../abort.js';

export interface RelayOptions {
  /** Nothing in either direction for so long ends it, ms; 0: never. */
  idleTimeoutMs: number;
  /** Ends it at once. */
  signal: AbortSignal;
}

export interface RelayEnd {
  /** Bytes from the client to the backend. */
  up: number;
  /** Bytes from the backend to the client. */
  down: number;
  /**
   * `client`, `backend`: who ended its direction first, after which all went its way. `…-error`: whose connection
   * failed or was cut off before its end; something of it may be missing.
   */
  reason: 'client' | 'backend' | 'client-error' | 'backend-error' | 'idle' | 'aborted';
  /** Of a `…-error`, where there was one. */
  error?: Error;
}

/**
 * How long the side that is left may take to end as well, ms. What it says then is read and dropped: a connection that
 * is closed with bytes unread is reset, and a reset destroys what the peer has not read yet.
 */
export const LINGER_MS = 5_000;
/**
 * How long a peer that is behind may take to catch up before it is reset, ms. A RST that overtakes bytes for which there
 * was no room is lost: Linux takes it for one of an attacker, and asks back once in 500 ms only.
 */
export const RESET_DELAY_MS = 1_000;
/** A drain that took longer, ms, was of full buffers of the kernel's: the peer is behind. Else it takes a tick. */
const SLOW_MS = 5;

/** Takes over both streams; resolves once both are closed. Never rejects, and no 'error' of either is thrown. */
export function relay(client: Duplex, backend: Duplex, options: RelayOptions): Promise<RelayEnd> {
  return new Promise((resolve) => new Relay(client, backend, options, resolve).start());
}

/**
 * The same, where the client had ended already. Many servers close when they are told that it is over, and leave unread
 * how TLS ends: that resets the connection, and nothing is missing.
 */
export function withoutLateReset(end: RelayEnd, client: Duplex): RelayEnd {
  return end.reason === 'backend-error' && client.readableEnded ? { ...end, reason: 'client' } : end;
}

type SideName = 'client' | 'backend';

class Relay {
  readonly #client: Side;
  readonly #backend: Side;
  readonly #signal: AbortSignal;
  readonly #resolve: (end: RelayEnd) => void;
  readonly #idle: NodeJS.Timeout | undefined;
  #linger: NodeJS.Timeout | undefined;
  /** Takes the signal's listener back. */
  #forget: () => void = () => {};
  /** Who ended its direction first. */
  #first: SideName | undefined;
  /** What cut it off. */
  #failure: Pick<RelayEnd, 'reason' | 'error'> | undefined;

  constructor(client: Duplex, backend: Duplex, options: RelayOptions, resolve: (end: RelayEnd) => void) {
    const { idleTimeoutMs, signal } = options;
    const onActivity = () => void this.#idle?.refresh();
    this.#client = new Side('client', client, onActivity);
    this.#backend = new Side('backend', backend, onActivity);
    this.#signal = signal;
    this.#resolve = resolve;
    if (idleTimeoutMs > 0) this.#idle = setTimeout(() => this.#giveUp('idle'), idleTimeoutMs).unref();
  }

  start(): void {
    const sides = [this.#client, this.#backend];
    for (const side of sides) {
      side.listen({
        onEnd: () => this.#onEnd(side),
        onError: (error) => this.#onError(side, error),
        onClose: () => this.#onClose(side),
      });
    }
    this.#forget = onAbort(this.#signal, () => this.#giveUp('aborted'));
    if (this.#signal.aborted) this.#giveUp('aborted');
    for (const side of sides) side.catchUp();
    if (this.#failure) return;
    for (const side of sides) side.start(this.#other(side));
  }

  #other(side: Side): Side {
    return side === this.#client ? this.#backend : this.#client;
  }

  #onEnd(side: Side): void {
    this.#first ??= side.name;
    this.#other(side).stream.end();
  }

  /** Who has ended and then fails wants to hear no more; all that it had to say is there. */
  #onError(side: Side, error: Error): void {
    if (!side.ended) this.#fail(side, error);
    // TLS leaves it to its user.
    side.stream.destroy();
  }

  #onClose(side: Side): void {
    const other = this.#other(side);
    if (side.ended) this.#leave(other);
    else this.#fail(side, side.stream.errored ?? undefined);
    if (other.closed) this.#finish();
  }

  #fail(side: Side, error: Error | undefined): void {
    this.#failure ??= { reason: `${side.name}-error`, ...(error && { error }) };
    const other = this.#other(side);
    other.discard();
    if (!other.isBehind) other.reset();
    this.#lingerWith(other, RESET_DELAY_MS);
  }

  /** Nobody hears this side any more. What it still has to get, it gets. */
  #leave(side: Side): void {
    if (side.ended || side.closed) return;
    side.discard();
    if (side.stream.writableFinished) this.#lingerWith(side, LINGER_MS);
    else side.stream.once('finish', () => this.#lingerWith(side, LINGER_MS));
  }

  #lingerWith(side: Side, delayMs: number): void {
    this.#linger ??= setTimeout(() => side.resetNow(), delayMs).unref();
  }

  #giveUp(reason: 'idle' | 'aborted'): void {
    this.#failure ??= { reason };
    this.#client.stream.destroy();
    this.#backend.stream.destroy();
  }

  #finish(): void {
    clearTimeout(this.#idle);
    clearTimeout(this.#linger);
    this.#forget();
    const cause = this.#failure ?? { reason: this.#first as SideName };
    this.#resolve({ up: this.#client.bytes, down: this.#backend.bytes, ...cause });
  }
}

interface SideHandlers {
  /** It has said all. */
  onEnd(): void;
  onError(error: Error): void;
  /** The last that is heard. */
  onClose(): void;
}

const EMPTY = Buffer.alloc(0);

/** One of the two streams: what it gives is written to the other one. */
class Side {
  readonly name: SideName;
  readonly stream: Duplex;
  /** Bytes that it gave and that were passed on. */
  bytes = 0;
  ended = false;
  closed = false;
  readonly #onActivity: () => void;
  #handlers: SideHandlers | undefined;
  #other: Side | undefined;
  #fullSince = 0;
  #behindUntil = 0;

  constructor(name: SideName, stream: Duplex, onActivity: () => void) {
    this.name = name;
    this.stream = stream;
    this.#onActivity = onActivity;
  }

  listen(handlers: SideHandlers): void {
    this.#handlers = handlers;
    // Each direction ends by itself. Node's own way to end the other one would cut off what is under way there.
    this.stream.allowHalfOpen = true;
    this.stream.on('end', this.#listeners.end);
    this.stream.on('close', this.#listeners.close);
    // Stays: a stream may fail once more when it is closed.
    this.stream.on('error', (error: Error) => this.#handlers?.onError(error));
  }

  /** For what had happened before anybody listened. */
  catchUp(): void {
    if (this.stream.readableEnded) this.#listeners.end();
    if (this.stream.closed) this.#listeners.close();
  }

  /** From here on what it gives goes to the other one. */
  start(other: Side): void {
    this.#other = other;
    this.stream.on('data', this.#listeners.data);
    this.stream.on('drain', this.#listeners.drain);
    this.stream.resume();
  }

  /** From the other one. @returns whether there is room for more */
  take(chunk: Buffer): boolean {
    const hasRoom = this.stream.write(chunk);
    if (!hasRoom) this.#fullSince = performance.now();
    return hasRoom;
  }

  /** What it still says is read, and goes nowhere. */
  discard(): void {
    this.stream.off('data', this.#listeners.data);
    this.stream.resume();
  }

  /** Whether its peer is, or was a moment ago, slower than what it is sent. */
  get isBehind(): boolean {
    return this.stream.writableNeedDrain || performance.now() < this.#behindUntil;
  }

  /** Cuts it off, behind what was written before. */
  reset(): void {
    if (this.stream.writable) this.stream.write(EMPTY, () => this.resetNow());
    else this.resetNow();
  }

  /** RST where there is TCP; TLS has no other way to say it than an end without close_notify. */
  resetNow(): void {
    const { stream } = this;
    if (stream.destroyed) return;
    try {
      if (stream instanceof Socket && !(stream instanceof TLSSocket)) stream.resetAndDestroy();
      else stream.destroy();
    } catch {
      // A Unix socket knows no RST.
      stream.destroy();
    }
  }

  readonly #listeners = {
    data: (chunk: Buffer): void => {
      this.bytes += chunk.length;
      this.#onActivity();
      if (!this.#other?.take(chunk)) this.stream.pause();
    },
    drain: (): void => {
      const now = performance.now();
      if (now > this.#fullSince + SLOW_MS) this.#behindUntil = now + RESET_DELAY_MS;
      this.#onActivity();
      this.#other?.stream.resume();
    },
    end: (): void => {
      this.ended = true;
      this.#handlers?.onEnd();
    },
    close: (): void => {
      const handlers = this.#handlers;
      this.#handlers = undefined;
      this.closed = true;
      for (const [event, listener] of Object.entries(this.#listeners)) this.stream.off(event, listener);
      handlers?.onClose();
    },
  };
}
