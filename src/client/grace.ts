/** The grace: how long TCP, once connected, waits for the server's flight over UDP (design, section 1). */
import { merge, type Observable, of, race } from 'rxjs';
import { filter, switchMap, take } from 'rxjs/operators';
import { after, type Clock } from '../platform/clock.js';
import type { UdpCarrier } from './udp-carrier.js';

export interface Graces {
  /** The longest silence, ms: each datagram that brings the flight forward renews it. 0: UDP is not waited for. */
  silenceMs: number;
  /** The longest wait in all, ms. */
  wholeMs: number;
}

/** Emits once, when waiting should end: the flight is whole, the grace ran out, or UDP has failed. */
export function graceOver(
  udp: UdpCarrier | undefined,
  { silenceMs, wholeMs }: Graces,
  clock: Clock,
): Observable<unknown> {
  if (!udp || udp.settled || silenceMs === 0) return of(undefined);
  const silence$ = merge(of(undefined), udp.progress$).pipe(switchMap(() => after(clock, silenceMs)));
  const settled$ = udp.progress$.pipe(filter(() => udp.settled));
  return race(silence$, settled$, after(clock, wholeMs)).pipe(take(1));
}
