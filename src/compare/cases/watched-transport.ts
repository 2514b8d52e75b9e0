/** The transports of our own clients, telling when each step was reached. */
import { connect as connectTls } from 'node:tls';
import type { PathMemory } from '../../client/path-memory.js';
import { turboTransport } from '../../client/turbo-transport.js';
import { secureTransport, type Transport, untilEvent, withServerName } from '../../transport.js';
import type { Prepared } from '../case.js';
import type { Stopwatch } from './stopwatch.js';

/** `tlsTransport`, whose streams are out of sight until TLS is there. */
export function watchedTls(watch: Stopwatch): Transport {
  return secureTransport(async (address, { signal, tls } = {}) => {
    const stream = await untilEvent('secureConnect', signal, () => {
      const socket = connectTls(withServerName({ noDelay: true, ...tls, ...address }));
      return socket.once('connect', () => watch.reached('tcp'));
    });
    watch.reached('secure');
    watch.carrier = 'tcp';
    return stream;
  });
}

/** @param memory what is known of the path */
export function watchedTurbo(watch: Stopwatch, memory: PathMemory): Transport {
  const dial = turboTransport({ turbo: { memory } });
  return secureTransport(async (address, options) => {
    const dialledAt = watch.elapsedMs;
    const stream = await dial(address, options);
    watch.reached('secure');
    const { carrier, timeline: { udpAnswered, tcpConnected } = {} } = stream.turbo ?? {};
    if (udpAnswered !== undefined) watch.reached('udp', dialledAt + udpAnswered);
    if (tcpConnected !== undefined) watch.reached('tcp', dialledAt + tcpConnected);
    watch.carrier = carrier;
    return stream;
  });
}

/** How long the first contact may take, ms. */
const CONTACT_TIMEOUT_MS = 10_000;

/** One connection that is not measured. What it fails for, those that are measured will tell. */
export async function contactFirst({ once }: Prepared, signal: AbortSignal): Promise<void> {
  const limited = AbortSignal.any([signal, AbortSignal.timeout(CONTACT_TIMEOUT_MS)]);
  await once(limited).catch(() => signal.throwIfAborted());
}
