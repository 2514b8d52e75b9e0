/** The first bytes of a stream, as few as tell what is asked; the others stay for whoever reads next. */
import type { Duplex } from 'node:stream';
import { onAbort } from '../abort.js';
import { GatewayError } from './errors.js';

/** Not aborted by anyone. */
const NEVER = new AbortController().signal;

export interface Head<T> {
  value: T;
  /** Bytes that are used up. */
  length: number;
}

/**
 * Reads until `parse` knows, which is given all bytes so far. What it did not take goes back into the stream, in the same
 * tick in which it was read.
 *
 * @throws GatewayError ERR_GATEWAY_CLIENT_GONE where the stream ends before, the stream's error, the signal's reason, and
 *   what `parse` throws
 */
export function readHead<T>(
  stream: Duplex,
  parse: (bytes: Buffer) => Head<T> | 'incomplete',
  signal: AbortSignal = NEVER,
): Promise<T> {
  return new Promise((resolve, reject) => {
    let bytes: Buffer = Buffer.alloc(0);
    const leave = () => {
      stream.off('readable', onReadable);
      stream.off('end', onGone);
      stream.off('close', onGone);
      stream.off('error', onError);
      forget();
    };
    const onReadable = () => {
      // From Node 26 on `read` gives one chunk at a time, and says nothing of those behind it.
      for (let chunk = stream.read() as Buffer | null; chunk !== null; chunk = stream.read() as Buffer | null) {
        bytes = bytes.length === 0 ? chunk : Buffer.concat([bytes, chunk]);
        try {
          const head = parse(bytes);
          if (head === 'incomplete') continue;
          leave();
          if (head.length < bytes.length) stream.unshift(bytes.subarray(head.length));
          resolve(head.value);
        } catch (error) {
          leave();
          reject(error);
        }
        return;
      }
    };
    const onError = (error: Error) => {
      leave();
      reject(error);
    };
    const onGone = () => onError(new GatewayError('ERR_GATEWAY_CLIENT_GONE'));
    const forget = onAbort(signal, () => onError(signal.reason));
    if (signal.aborted) {
      onError(signal.reason);
      return;
    }
    if (stream.destroyed || stream.readableEnded) {
      onGone();
      return;
    }
    stream.on('readable', onReadable);
    stream.on('end', onGone);
    stream.on('close', onGone);
    stream.on('error', onError);
    onReadable();
  });
}
