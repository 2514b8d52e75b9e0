/** What ends a query before its answer does: the caller's signal, or its time. */
import { onAbort } from '../../../abort.js';
import { PgError } from '../errors.js';

export class Cancellation {
  onCancel: (reason: Error) => void = () => {};
  readonly #timer: NodeJS.Timeout | undefined;
  readonly #forget: (() => void) | undefined;

  /** @param timeoutMs 0: none */
  constructor(signal: AbortSignal | undefined, timeoutMs: number) {
    this.#forget = signal && onAbort(signal, () => this.#cancel(signal.reason));
    if (timeoutMs > 0) {
      const error = new PgError('ERR_PG_QUERY_TIMEOUT', `${timeoutMs} ms (timeoutMs)`);
      this.#timer = setTimeout(() => this.#cancel(error), timeoutMs);
    }
  }

  /** The query is over: there is nothing left to cancel. */
  done(): void {
    clearTimeout(this.#timer);
    this.#forget?.();
  }

  #cancel(reason: Error): void {
    this.done();
    this.onCancel(reason);
  }
}
