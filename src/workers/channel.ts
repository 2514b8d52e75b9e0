/**
 * Messages between two processes, over the IPC channel that Node gives a process and its child. Each is protobuf: as
 * bytes where the channel takes them ('advanced' serialization), else as base64. What is not ours passes by.
 *
 * Which of the two it is shows in what arrives: the first message is sent as bytes, and the other serialization, JSON,
 * makes an object of them.
 */
import type { SendHandle } from 'node:child_process';
import { Socket } from 'node:net';

/** What is used of a ChildProcess, and of the process itself in a child. */
export interface IpcEnd {
  readonly connected: boolean;
  send?(
    message: unknown,
    handle: SendHandle | undefined,
    options: { keepOpen?: boolean },
    callback: (error: Error | null) => void,
  ): boolean;
  on(event: 'message', listener: (message: unknown, handle: unknown) => void): unknown;
  on(event: 'disconnect' | 'exit', listener: () => void): unknown;
  off(event: 'message', listener: (message: unknown, handle: unknown) => void): unknown;
  off(event: 'disconnect' | 'exit', listener: () => void): unknown;
}

export interface ChannelHandlers {
  /** @param socket what went along, if anything did */
  onMessage(bytes: Buffer, socket: Socket | undefined): void;
  /** The other process is gone, or has left. Once. */
  onGone(): void;
}

/** The property that tells our messages from others on the same channel. */
const PROPERTY = 'turbotls.worker.v1';

export class Channel {
  readonly #end: IpcEnd;
  readonly #handlers: ChannelHandlers;
  #asText = false;
  #open = true;
  /** Messages that the system has not taken yet, and their bytes. */
  #waiting = { messages: 0, bytes: 0 };

  constructor(end: IpcEnd, handlers: ChannelHandlers) {
    this.#end = end;
    this.#handlers = handlers;
    end.on('message', this.#onMessage);
    // Node tells of no 'disconnect' where a process dies while a socket is on its way to it.
    end.on('disconnect', this.#onGone);
    end.on('exit', this.#onGone);
  }

  get isOpen(): boolean {
    return this.#open && this.#end.connected;
  }

  get waiting(): Readonly<{ messages: number; bytes: number }> {
    return this.#waiting;
  }

  /**
   * Sends a message, and a socket along with it, which stays open here until it is destroyed.
   * @param onSent the system has taken it; never called where the channel ends before
   */
  send(bytes: Uint8Array, socket?: Socket, onSent: () => void = () => {}): void {
    if (!this.isOpen) return;
    const { length } = bytes;
    this.#waiting.messages++;
    this.#waiting.bytes += length;
    const body = this.#asText ? asBuffer(bytes).toString('base64') : bytes;
    // With keepOpen it is known at each time who has to close the descriptor: Node forgets one on its way to a process
    // that dies.
    this.#end.send?.({ [PROPERTY]: body }, socket, { keepOpen: true }, (error) => {
      this.#waiting.messages--;
      this.#waiting.bytes -= length;
      if (!error) onSent();
    });
  }

  /** Hears and says nothing more. The process's channel stays. */
  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#end.off('message', this.#onMessage);
    this.#end.off('disconnect', this.#onGone);
    this.#end.off('exit', this.#onGone);
  }

  readonly #onMessage = (message: unknown, handle: unknown): void => {
    const body = (message as Record<string, unknown> | null)?.[PROPERTY];
    if (body === undefined) return;
    const bytes = this.#read(body);
    const socket = handle instanceof Socket ? handle : undefined;
    if (bytes) this.#handlers.onMessage(bytes, socket);
    else socket?.destroy();
  };

  #read(body: unknown): Buffer | undefined {
    if (body instanceof Uint8Array) return asBuffer(body);
    this.#asText = true;
    if (typeof body === 'string') return Buffer.from(body, 'base64');
    // What JSON makes of a Buffer.
    const { data } = body as { data?: unknown };
    return Array.isArray(data) ? Buffer.from(data as number[]) : undefined;
  }

  readonly #onGone = (): void => {
    this.close();
    this.#handlers.onGone();
  };
}

function asBuffer(bytes: Uint8Array): Buffer {
  return Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
