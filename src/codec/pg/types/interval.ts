/** interval in IntervalStyle postgres ("Interval Output"): `1 year 2 mons -3 days +04:05:06.789`. */
import { parseInfinity } from './date.js';

const TIME = /^([+-]?)(\d{1,12}):(\d\d):(\d\d)(?:\.(\d{1,6}))?$/;
const AMOUNT = /^[+-]?\d{1,12}$/;

const units = new Map<string, 'years' | 'months' | 'days'>([
  ['year', 'years'],
  ['years', 'years'],
  ['mon', 'months'],
  ['mons', 'months'],
  ['day', 'days'],
  ['days', 'days'],
]);

/** In the order of ISO 8601 and of the properties. */
const dateUnits = [
  ['years', 'Y'],
  ['months', 'M'],
  ['days', 'D'],
] as const;
const timeUnits = [
  ['hours', 'H'],
  ['minutes', 'M'],
  ['seconds', 'S'],
] as const;

type IntervalParts = Partial<
  Record<'years' | 'months' | 'days' | 'hours' | 'minutes' | 'seconds' | 'milliseconds', number>
>;

/** An interval. A part that is 0 is no property, so that `00:00:00` is an object without any. */
export class PostgresInterval implements IntervalParts {
  declare years?: number;
  declare months?: number;
  declare days?: number;
  declare hours?: number;
  declare minutes?: number;
  declare seconds?: number;
  /** With a fraction: PostgreSQL has microseconds. */
  declare milliseconds?: number;

  constructor(parts: IntervalParts) {
    Object.assign(this, parts);
  }

  /** The text that a query parameter takes: `6.789 seconds 5 minutes 1 years`; `0` for none. */
  toPostgres(): string {
    const parts: string[] = [];
    if (this.seconds !== undefined || this.milliseconds) parts.push(`${secondsOf(this)} seconds`);
    for (const unit of ['minutes', 'hours', 'days', 'months', 'years'] as const) {
      if (this[unit] !== undefined) parts.push(`${this[unit]} ${unit}`);
    }
    return parts.join(' ') || '0';
  }

  /** ISO 8601 with all parts: `P1Y0M0DT0H0M6.789S`. */
  toISOString(): string {
    const date = dateUnits.map(([unit, letter]) => `${this[unit] ?? 0}${letter}`);
    const time = timeUnits.map(
      ([unit, letter]) => `${unit === 'seconds' ? secondsOf(this) : (this[unit] ?? 0)}${letter}`,
    );
    return `P${date.join('')}T${time.join('')}`;
  }

  toISO(): string {
    return this.toISOString();
  }
}

/**
 * A PostgresInterval. ±Infinity for `infinity` and `-infinity` (PostgreSQL 17). What another IntervalStyle gives stays
 * text.
 */
export function parseInterval(text: string): PostgresInterval | number | string {
  const parts = partsOf(text.split(' '));
  return parts ? new PostgresInterval(parts) : (parseInfinity(text) ?? text);
}

/** undefined for words that are not of the style. */
function partsOf(words: readonly string[]): IntervalParts | undefined {
  const parts: IntervalParts = {};
  for (let at = 0; at < words.length; at += 2) {
    const word = words[at] as string;
    const unit = units.get(words[at + 1] ?? '');
    if (unit && AMOUNT.test(word)) {
      setPart(parts, unit, Number(word));
    } else if (at !== words.length - 1 || !setTime(parts, word)) {
      return undefined;
    }
  }
  return parts;
}

function setTime(parts: IntervalParts, text: string): boolean {
  const match = TIME.exec(text);
  if (!match) return false;
  const [, sign, hours, minutes, seconds, fraction = ''] = match;
  const direction = sign === '-' ? -1 : 1;
  setPart(parts, 'hours', direction * Number(hours));
  setPart(parts, 'minutes', direction * Number(minutes));
  setPart(parts, 'seconds', direction * Number(seconds));
  setPart(parts, 'milliseconds', (direction * Number(fraction.padEnd(6, '0'))) / 1000);
  return true;
}

function setPart(parts: IntervalParts, part: keyof IntervalParts, value: number): void {
  if (value !== 0) parts[part] = value;
}

/** Seconds with their fraction, to microseconds and without zeros at the end. */
function secondsOf({ seconds = 0, milliseconds = 0 }: IntervalParts): number {
  return Number((seconds + milliseconds / 1000).toFixed(6));
}
