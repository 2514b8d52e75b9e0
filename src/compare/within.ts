/** A limit of time for a step. */
import { onAbort } from '../abort.js';

/**
 * What `step` gives. After `ms`, or with `signal`, its own signal is aborted and nobody waits for it any longer.
 *
 * @param why the message of the error after `ms`
 */
export async function within<T>(
  ms: number,
  signal: AbortSignal | undefined,
  why: string,
  step: (limit: AbortSignal) => Promise<T>,
): Promise<T> {
  signal?.throwIfAborted();
  const limit = new AbortController();
  const timer = setTimeout(() => limit.abort(new Error(why)), ms);
  const stopListening = signal && onAbort(signal, () => limit.abort(signal.reason));
  const aborted = new Promise<never>((_resolve, reject) => onAbort(limit.signal, () => reject(limit.signal.reason)));
  try {
    const running = step(limit.signal);
    running.catch(() => {}); // it may fail after the limit
    return await Promise.race([running, aborted]);
  } finally {
    clearTimeout(timer);
    stopListening?.();
  }
}
