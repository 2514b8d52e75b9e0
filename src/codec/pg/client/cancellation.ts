/** What ends a query before its answer does: the caller's signal, or its time. */
import { PgError } from '../errors.js';

export class Cancellation {
  onCancel: (reason: Error) => void = () => {};
  readonly #signal: AbortSignal | undefined;
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #onAbort = (): void => this.#cancel(this.#signal?.reason);

  /** @param timeoutMs 0: none */
  constructor(signal: AbortSignal | undefined, timeoutMs: number) {
    this.#signal = signal;
    signal?.addEventListener('abort', this.#onAbort, { once: true });
    if (timeoutMs > 0) {
      const error = new PgError('ERR_PG_QUERY_TIMEOUT', `${timeoutMs} ms (timeoutMs)`);
      this.#timer = setTimeout(() => this.#cancel(error), timeoutMs);
    }
  }

  /** The query is over: there is nothing left to cancel. */
  done(): void {
    clearTimeout(this.#timer);
    this.#signal?.removeEventListener('abort', this.#onAbort);
  }

  #cancel(reason: Error): void {
    this.done();
    this.onCancel(reason);
  }
}
