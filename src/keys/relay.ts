/**
 * Between the PKCS#11 module in this process and the process that holds the key, in a thread of its own:
 *
 *     event loop ─ engine ─ p11-kit-client.so ══ KeyRelay (thread) ══ p11-kit server ─ token
 *
 * Node signs in its event loop, and nothing in the loop can end a wait for a key process that has stopped. The relay can:
 * it bounds every answer, and it knows that the key process is gone before a handshake does.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { RelaySettings } from './relay-thread.js';

/** Until the thread runs, ms. */
const START_MS = 5_000;

export interface KeyRelayOptions {
  /** Socket of the key process. */
  server: string;
  answerMs: number;
  /** The key process is gone, or gave no answer in time: nothing in this process will reach it again. */
  onLost: (reason: string) => void;
}

export class KeyRelay {
  /** As p11-kit writes it. */
  readonly address: string;
  readonly #folder: string;
  readonly #thread: Worker;

  /** Can be connected to at once, by whom the event loop waits for too. */
  constructor({ server, answerMs, onLost }: KeyRelayOptions) {
    this.#folder = mkdtempSync(join(tmpdir(), 'turbotls-key-'));
    const path = join(this.#folder, 'socket');
    this.address = `unix:path=${path}`;
    const ready = new SharedArrayBuffer(4);
    const workerData: RelaySettings = { path, server, answerMs, ready };
    this.#thread = new Worker(new URL('./relay-thread.js', import.meta.url), { workerData, execArgv: [] });
    this.#thread.on('message', onLost);
    this.#thread.on('error', ({ message }) => onLost(message));
    this.#thread.unref();
    if (Atomics.wait(new Int32Array(ready), 0, 0, START_MS) !== 'timed-out') return;
    this.close();
    throw new Error(`the thread to the key process did not start within ${START_MS} ms`);
  }

  /** Nobody else can connect from here on. */
  hide(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }

  close(): void {
    this.hide();
    void this.#thread.terminate();
  }
}
