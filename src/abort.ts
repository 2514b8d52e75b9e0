/** Signals that callers hand in. */
import { setMaxListeners } from 'node:events';

/**
 * Calls `listener` once, when `signal` is aborted. A signal may be for any number of things at a time: Node is told so,
 * which takes more than ten listeners for a leak (before version 24).
 *
 * @returns what takes it back
 */
export function onAbort(signal: AbortSignal, listener: () => void): () => void {
  setMaxListeners(0, signal);
  signal.addEventListener('abort', listener, { once: true });
  return () => signal.removeEventListener('abort', listener);
}
