/**
 * A TCP connection whose first bytes are awaited: reads as few as tell what it speaks, and hands it on with all of them
 * still to be read.
 */
import { TurboError } from '../errors.js';
import type { Clock, Timer } from '../platform/clock.js';
import type { TcpSocket } from '../platform/network.js';
import { detectFirstBytes, type FirstBytes } from '../wire/first-bytes.js';
import { decodeTombstone, encodeReply, type Tombstone } from '../wire/frame.js';
import type { RefuseReason, RejectReason } from './events.js';

/** Gives a claimed session its TCP connection, with the stream bytes that stood behind the tombstone. */
export type Bind = (socket: TcpSocket, head: Buffer) => void;

export interface UnroutedHandlers {
  /** Takes the session that the tombstone claims and returns how to bind it, or says why not. */
  onTombstone(tombstone: Tombstone): Bind | RejectReason;
  /** Another protocol than turbotls; false where it is not served. */
  onProtocol(protocol: Exclude<FirstBytes, 'tombstone'>, socket: TcpSocket): boolean;
  /** The connection was not routed and is closed. */
  onRefused(reason: RefuseReason, error?: Error): void;
  /** Once, whatever became of it. */
  onDone(): void;
}

export class Unrouted {
  readonly #socket: TcpSocket;
  readonly #handlers: UnroutedHandlers;
  readonly #timer: Timer;
  /** When it came, on the clock. */
  readonly since: number;
  #bytes: Buffer = Buffer.alloc(0);
  #rejected = false;
  #done = false;

  constructor(socket: TcpSocket, timeoutMs: number, clock: Clock, handlers: UnroutedHandlers) {
    this.#socket = socket;
    this.#handlers = handlers;
    this.since = clock.now();
    this.#timer = clock.after(timeoutMs, () => this.refuse('timeout', new TurboError('ERR_TURBO_FIRST_BYTES_TIMEOUT')));
    socket.on('readable', this.#onReadable);
    socket.on('end', this.#onGone);
    socket.on('error', this.#onGone);
    socket.on('close', this.#onGone);
  }

  /** Looks at what is there already: whoever hands a connection on may have looked at it and put its bytes back. */
  start(): void {
    this.#onReadable();
  }

  /** Closes the connection. */
  refuse(reason: RefuseReason, error?: Error): void {
    if (!this.#leave()) return;
    this.#socket.on('error', () => {});
    this.#socket.destroy();
    this.#handlers.onRefused(reason, error);
  }

  /** From Node 26 on `read` gives one chunk at a time, and says nothing of those behind it. */
  readonly #onReadable = (): void => {
    while (!this.#done) {
      const chunk = this.#socket.read() as Buffer | null;
      if (chunk === null) return;
      this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
      this.#route();
    }
  };

  readonly #onGone = (error?: unknown): void => {
    this.refuse('peer-gone', error instanceof Error ? error : undefined);
  };

  #route(): void {
    const detected = detectFirstBytes(this.#bytes);
    if (detected === 'undecided') return;
    if (detected === 'unknown') this.refuse('unknown-protocol', new TurboError('ERR_TURBO_FIRST_BYTES'));
    else if (detected === 'tombstone') this.#routeTombstone();
    else this.#handOver(detected);
  }

  #handOver(protocol: Exclude<FirstBytes, 'tombstone'>): void {
    if (!this.#leave()) return;
    this.#socket.unshift(this.#bytes);
    if (this.#handlers.onProtocol(protocol, this.#socket)) return;
    this.#socket.on('error', () => {});
    this.#socket.destroy();
    this.#handlers.onRefused('unserved-protocol', new TurboError('ERR_TURBO_FIRST_BYTES', protocol));
  }

  #routeTombstone(): void {
    let decoded: ReturnType<typeof decodeTombstone>;
    try {
      decoded = decodeTombstone(this.#bytes);
    } catch (error) {
      this.refuse('bad-tombstone', error as Error);
      return;
    }
    if (!decoded) return;
    if (this.#rejected) {
      this.refuse('second-tombstone');
      return;
    }
    const rest = this.#bytes.subarray(decoded.length);
    const claim = this.#handlers.onTombstone(decoded.tombstone);
    if (typeof claim !== 'string') {
      this.#leave();
      claim(this.#socket, rest);
      return;
    }
    // The connection starts afresh: its next bytes are first bytes again.
    this.#rejected = true;
    this.#socket.write(encodeReply({ accepted: false, reason: claim }));
    this.#bytes = rest;
    if (rest.length > 0) this.#route();
  }

  #leave(): boolean {
    if (this.#done) return false;
    this.#done = true;
    this.#timer.cancel();
    this.#socket.off('readable', this.#onReadable);
    this.#socket.off('end', this.#onGone);
    this.#socket.off('error', this.#onGone);
    this.#socket.off('close', this.#onGone);
    this.#handlers.onDone();
    return true;
  }
}
