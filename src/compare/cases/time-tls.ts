/** One TLS connection, timed: to the first byte of an answer, or until TLS is there. */
import type { TLSSocket } from 'node:tls';
import { onAbort } from '../../abort.js';
import type { TurboSocket } from '../../client/connect.js';
import type { Sample } from '../model.js';
import { Stopwatch } from './stopwatch.js';
import { watchTls } from './watch-tls.js';

export interface TlsTrial {
  dial(): TLSSocket | TurboSocket;
  /** Undefined: until TLS is there. */
  request: string | undefined;
  signal: AbortSignal;
  /** When TLS is there; what it throws is the trial's failure. */
  onSecure?(socket: TLSSocket | TurboSocket): void;
}

/** Rejects with what went wrong. The connection is over when it settles. */
export async function timeTls({ dial, request, signal, onSecure }: TlsTrial): Promise<Sample> {
  signal.throwIfAborted();
  const stopwatch = new Stopwatch();
  const socket = dial();
  watchTls(socket, stopwatch);
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  try {
    const sample = await new Promise<Sample>((resolve, reject) => {
      socket.on('error', reject); // also the second one, after the end
      socket.once('close', () => reject(new Error('the server closed the connection before it answered')));
      socket.once('data', () => resolve(stopwatch.sample()));
      socket.once('secureConnect', () => {
        const sample = stopwatch.sample();
        try {
          onSecure?.(socket);
        } catch (error) {
          reject(error);
          return;
        }
        if (request !== undefined) socket.write(request);
        else whenBound(socket, () => resolve(sample));
      });
      const stopListening = onAbort(signal, () => reject(signal.reason));
      socket.once('close', stopListening);
    });
    socket.end(() => socket.destroy());
    return sample;
  } catch (error) {
    socket.destroy();
    throw error;
  } finally {
    await closed;
  }
}

/** In `fast` TLS is done before the server has said that it has the session, and a lost one is a failure. */
function whenBound(socket: TLSSocket | TurboSocket, done: () => void): void {
  const turbo = 'turbo' in socket ? socket.turbo : undefined;
  if (turbo === undefined) {
    done();
    return;
  }
  turbo.state$.subscribe(() => {
    const { carrier, timeline } = turbo;
    if (carrier === 'tcp' || (carrier === 'udp' && timeline.replied !== undefined)) done();
  });
}
