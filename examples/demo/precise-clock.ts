/** A clock for the simulated link: the machine's timers are up to two milliseconds late, a link is not. */
import { type Clock, systemClock } from 'turbotls/experimental';

/** How early the machine's timer is set; what remains is spent in turns of the event loop. */
const EARLY_MS = 2;

export const preciseClock: Clock = {
  now: systemClock.now,
  after(delayMs, callback) {
    const due = systemClock.now() + delayMs;
    let isCancelled = false;
    const poll = () => {
      if (isCancelled) return;
      if (systemClock.now() < due) setImmediate(poll);
      else callback();
    };
    const timer = systemClock.after(delayMs - EARLY_MS, poll);
    return {
      cancel() {
        isCancelled = true;
        timer.cancel();
      },
    };
  },
};
