/** The phases of a TLS connection, from the events of its socket. */
import type { TLSSocket } from 'node:tls';
import type { TurboSocket } from '../../client/connect.js';
import type { Stopwatch } from './stopwatch.js';

/** When TLS is done, turbo has decided what carried the flights. */
export function watchTls(socket: TLSSocket | TurboSocket, stopwatch: Stopwatch): void {
  socket.once('connect', () => stopwatch.reached('tcp'));
  socket.once('secureConnect', () => {
    stopwatch.reached('secure');
    const turbo = 'turbo' in socket ? socket.turbo : undefined;
    stopwatch.carrier = turbo === undefined ? 'tcp' : turbo.carrier;
    const udpAnswered = turbo?.timeline.udpAnswered;
    if (udpAnswered !== undefined) stopwatch.reached('udp', udpAnswered);
  });
}
