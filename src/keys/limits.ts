/** Limits of keys that are elsewhere. */
import { TurboError } from '../errors.js';
import { changedLimits } from '../limit-units.js';

export interface KeyLimits {
  /** Until a key has been found and has signed once, at the start and with a new certificate, ms. */
  checkMs: number;
  /**
   * One answer of the process that holds the key, ms. Node signs in its event loop: for so long at most every connection
   * of the process stands still, once; then the key counts as lost.
   */
  answerMs: number;
}

export const DEFAULT_KEY_LIMITS: Readonly<KeyLimits> = { checkMs: 10_000, answerMs: 1_000 };

/** A token's PIN, bytes; SoftHSM takes 255. */
export const PIN_BYTES = 255;

/** @throws TurboError ERR_TURBO_BAD_OPTION */
export function changedKeyLimits(changes: Partial<KeyLimits>): Readonly<KeyLimits> {
  return changedLimits({
    defaults: DEFAULT_KEY_LIMITS,
    units: { checkMs: 'ms', answerMs: 'ms' },
    changes,
    prefix: 'limits',
    fail: (detail) => new TurboError('ERR_TURBO_BAD_OPTION', detail),
  });
}
