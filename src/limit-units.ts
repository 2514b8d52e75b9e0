/** What limits count, and how changes to them are checked: for `limits.ts` and those of the codecs. */
import { inspect } from 'node:util';

/** Bytes and counts are whole numbers; a time must fit a timer. */
export type LimitUnit = 'bytes' | 'count' | 'ms' | 'ratio';

/** Node's timers fire at once where they are asked for more. */
export const TIMER_MAX_MS = 2 ** 31 - 1;

/** What a value must be, by unit, and how that is said. */
const RULES: Readonly<Record<LimitUnit, { allows: (value: number) => boolean; text: string }>> = {
  bytes: { allows: (value) => Number.isSafeInteger(value) && value > 0, text: 'a whole number above 0' },
  count: { allows: (value) => Number.isSafeInteger(value) && value > 0, text: 'a whole number above 0' },
  ms: { allows: (value) => value > 0 && value <= TIMER_MAX_MS, text: `above 0, at most ${TIMER_MAX_MS} ms` },
  ratio: { allows: (value) => Number.isFinite(value) && value > 0, text: 'a number above 0' },
};

export interface LimitChanges<L> {
  defaults: Readonly<L>;
  units: Readonly<Record<keyof L, LimitUnit>>;
  changes: Partial<L>;
  /** What the option is called, for messages. */
  prefix: string;
  fail: (detail: string) => Error;
}

/** The defaults with `changes` over them; what is undefined there stays at its default. Throws what `fail` makes. */
export function changedLimits<L extends object>(input: LimitChanges<L>): Readonly<L> {
  const { defaults, units, changes, prefix, fail } = input;
  const limits: L = { ...defaults };
  for (const [name, value] of Object.entries(changes)) {
    if (!Object.hasOwn(defaults, name)) throw fail(`${prefix}.${name} is no limit of turbotls`);
    if (value === undefined) continue;
    const { allows, text } = RULES[units[name as keyof L]];
    if (typeof value !== 'number' || !allows(value)) {
      throw fail(`${prefix}.${name} must be ${text}, got ${inspect(value)}`);
    }
    limits[name as keyof L] = value as L[keyof L];
  }
  return Object.freeze(limits);
}
