/**
 * Messages between two processes, over the IPC channel that Node gives a process and its child. Each is protobuf in
 * base64: either of Node's serializations carries that, and JSON, the default, with a fifth less work for the front than
 * 'advanced' has with the bytes themselves. What is not ours passes by.
 */
import type { SendHandle } from 'node:child_process';
import { Socket } from 'node:net';
import { asBuffer } from './messages.js';

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
export const PROPERTY = 'turbotls.worker.v1';

export class Channel {
  readonly #end: IpcEnd;
  readonly #handlers: ChannelHandlers;
  #open = true;
  #waitingBytes = 0;

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

  /** Bytes of messages that the system has not taken yet. */
  get waitingBytes(): number {
    return this.#waitingBytes;
  }

  /**
   * Sends a message, and a socket along with it, which stays open here until it is destroyed.
   * @param onSent the system has taken it; never called where the channel ends before
   */
  send(bytes: Uint8Array, socket?: Socket, onSent: () => void = () => {}): void {
    if (!this.isOpen) return;
    const { length } = bytes;
    this.#waitingBytes += length;
    const body = asBuffer(bytes).toString('base64');
    // With keepOpen it is known at each time who has to close the descriptor: Node forgets one on its way to a process
    // that dies.
    this.#end.send?.({ [PROPERTY]: body }, socket, { keepOpen: true }, (error) => {
      this.#waitingBytes -= length;
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
    const socket = handle instanceof Socket ? handle : undefined;
    if (typeof body === 'string') this.#handlers.onMessage(Buffer.from(body, 'base64'), socket);
    else socket?.destroy();
  };

  readonly #onGone = (): void => {
    this.close();
    this.#handlers.onGone();
  };
}
