/**
 * A TCP connection in the front: as few bytes are read as tell where it belongs, and it is passed on with them.
 *
 * A socket that is passed on must not read meanwhile: what it read would be lost. So the port's sockets begin paused
 * and with a highWaterMark of 0: each `read(0)` brings one chunk, and the socket stops by itself.
 */
import type { Socket } from 'node:net';
import type { Clock, Timer } from '../platform/clock.js';
import { type Destination, destinationOf } from './destination.js';
import type { ArrivalRefusal } from './events.js';
import type { Passed } from './worker-link.js';

export interface ArrivalHandlers {
  /** Where it belongs. It is no arrival any more. */
  onDestination(destination: Exclude<Destination, 'undecided'>, passed: Passed): void;
  /** It is closed. */
  onRefused(reason: ArrivalRefusal, error?: Error): void;
  /** Once, whatever became of it. */
  onDone(): void;
}

export class Arrival {
  readonly portId: number;
  readonly #socket: Socket;
  readonly #handlers: ArrivalHandlers;
  readonly #timer: Timer;
  /** When it came, on the clock. */
  readonly since: number;
  #head: Buffer = Buffer.alloc(0);
  #done = false;

  constructor(portId: number, socket: Socket, timeoutMs: number, clock: Clock, handlers: ArrivalHandlers) {
    this.portId = portId;
    this.#socket = socket;
    this.#handlers = handlers;
    this.since = clock.now();
    this.#timer = clock.after(timeoutMs, () => this.refuse('timeout'));
    socket.on('readable', this.#onReadable);
    socket.on('end', this.#onGone);
    socket.on('error', this.#onGone);
    socket.on('close', this.#onGone);
  }

  /** Closes the connection. */
  refuse(reason: ArrivalRefusal, error?: Error): void {
    if (!this.#leave()) return;
    this.#socket.on('error', ignoreError);
    this.#socket.destroy();
    this.#handlers.onRefused(reason, error);
  }

  readonly #onReadable = (): void => {
    const chunk = this.#socket.read() as Buffer | null;
    if (chunk === null) return;
    this.#head = this.#head.length === 0 ? chunk : Buffer.concat([this.#head, chunk]);
    const destination = destinationOf(this.#head);
    if (destination === 'undecided') {
      // Without this some sockets read nothing more.
      setImmediate(() => {
        if (!this.#done) this.#socket.read(0);
      });
      return;
    }
    this.#leave();
    this.#socket.on('error', ignoreError);
    this.#handlers.onDestination(destination, { portId: this.portId, head: this.#head, socket: this.#socket });
  };

  readonly #onGone = (error?: unknown): void => {
    this.refuse('peer-gone', error instanceof Error ? error : undefined);
  };

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

function ignoreError(): void {}
