import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';

/** By how much the kernel may be late to wake a thread; 50 µs otherwise. */
const TIMER_SLACK_NS = 1;

/**
 * Lets this thread, and those that it starts, go before all others of the machine when there is something to do for them.
 * Where it is refused, as in a user namespace, they may be late; the check of the link would tell.
 */
export function beInTime(): void {
  try {
    writeFileSync('/proc/self/timerslack_ns', String(TIMER_SLACK_NS));
  } catch {
    // a kernel without
  }
  spawnSync('chrt', ['--fifo', '--pid', '1', String(process.pid)]);
}
