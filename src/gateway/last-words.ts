/** Ends a connection that is not served. */
import type { Duplex } from 'node:stream';
import { LINGER_MS } from './bounds.js';

/**
 * Says `bytes` and closes. What the client still says is read and dropped for a while: bytes that nobody reads would turn
 * the end into a reset, which can overtake what was said.
 */
export function sayAndClose(stream: Duplex, bytes: Buffer): void {
  stream.on('error', ignore);
  if (stream.destroyed) return;
  closeSoon(stream);
  stream.end(bytes);
  stream.resume();
}

/** Destroys it a while from now, if it is not closed by then. */
export function closeSoon(stream: Duplex): void {
  if (stream.closed) return;
  const timer = setTimeout(() => stream.destroy(), LINGER_MS);
  timer.unref();
  stream.once('close', () => clearTimeout(timer));
}

function ignore(): void {}
