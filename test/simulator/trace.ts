/** Questions that tests ask of a recorded trace. */
import type { TraceEntry } from './link.js';

/** What a server address has received from a client address and sent to it so far, over UDP. */
export interface Exchange {
  readonly client: string;
  readonly timeMs: number;
  readonly bytesIn: number;
  readonly bytesOut: number;
  readonly datagramsIn: number;
  readonly datagramsOut: number;
}

/**
 * After each datagram that `server` (`addr:port`) sends, the sums with that client up to there: in is what has arrived,
 * out is what was sent, whatever became of it. Anti-amplification holds if it holds for each element.
 */
export function* exchanges(trace: readonly TraceEntry[], server: string): Generator<Exchange> {
  const sums = new Map<string, { bytesIn: number; bytesOut: number; datagramsIn: number; datagramsOut: number }>();
  const sumOf = (client: string) => {
    const sum = sums.get(client) ?? { bytesIn: 0, bytesOut: 0, datagramsIn: 0, datagramsOut: 0 };
    sums.set(client, sum);
    return sum;
  };
  for (const { protocol, event, from, to, bytes, timeMs } of trace) {
    if (protocol !== 'udp') continue;
    if (event === 'arrived' && to === server) {
      const sum = sumOf(from);
      sum.bytesIn += bytes;
      sum.datagramsIn++;
    } else if (event === 'sent' && from === server) {
      const sum = sumOf(to);
      sum.bytesOut += bytes;
      sum.datagramsOut++;
      yield { client: to, timeMs, ...sum };
    }
  }
}
