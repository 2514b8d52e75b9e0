/**
 * Time, as everything here sees it: one monotonic reading and one kind of timer. The default is the machine's; tests
 * put virtual time in its place.
 */
import { Observable } from 'rxjs';

export interface Timer {
  /** Ends the timer; harmless after it fired. */
  cancel(): void;
}

export interface Clock {
  /** Monotonic milliseconds, with a fraction. Not the time of day: steps of the wall clock do not move it. */
  now(): number;
  /** Calls `callback` once after `delayMs`. Timers do not keep the process alive: sockets do. */
  after(delayMs: number, callback: () => void): Timer;
}

export const systemClock: Clock = {
  now: () => performance.now(),
  after(delayMs, callback) {
    const timeout = setTimeout(callback, delayMs);
    timeout.unref();
    return { cancel: () => clearTimeout(timeout) };
  },
};

/** A timer as an observable: emits once after `delayMs`, then completes; unsubscribing ends the timer. */
export function after(clock: Clock, delayMs: number): Observable<void> {
  return new Observable((subscriber) => {
    const timer = clock.after(delayMs, () => {
      subscriber.next();
      subscriber.complete();
    });
    return () => timer.cancel();
  });
}
