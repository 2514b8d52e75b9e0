/** Values of parameters, checked. An error names the parameter, where it came from, and what it may be. */
import { PgError } from '../errors.js';
import type { Keyword } from './parameters.js';
import type { Settings } from './settings.js';

const INT32_MAX = 0x7fff_ffff;

/** One of a few words. Empty is none of them, as in libpq: a setting that was meant must not vanish. */
export function oneOf<Value extends string>(
  settings: Settings,
  keyword: Keyword,
  allowed: readonly Value[],
): Value | undefined {
  const setting = settings.get(keyword);
  if (setting === undefined) return undefined;
  const value = allowed.find((one) => one === setting.value);
  if (value === undefined) throw badValue(settings, keyword, `one of ${allowed.join(', ')}`);
  return value;
}

export function flag(settings: Settings, keyword: Keyword): boolean | undefined {
  const text = settings.text(keyword);
  if (text === undefined) return undefined;
  if (text !== '0' && text !== '1') throw badValue(settings, keyword, '0 or 1');
  return text === '1';
}

/** A whole number that a C int holds. */
export function integer(settings: Settings, keyword: Keyword): number | undefined {
  const text = settings.text(keyword);
  if (text === undefined) return undefined;
  const value = wholeNumber(text);
  if (value === undefined) throw badValue(settings, keyword, 'a whole number');
  return value;
}

/** As libpq's pqParseIntParam: space around is let pass. Undefined if it is no such number. */
export function wholeNumber(text: string): number | undefined {
  if (!/^\s*[+-]?\d+\s*$/.test(text)) return undefined;
  const value = Number(text);
  return Math.abs(value) <= INT32_MAX ? value : undefined;
}

export function badValue(settings: Settings, keyword: Keyword, expected: string): PgError {
  const { value = '', origin = '' } = settings.get(keyword) ?? {};
  const shown = JSON.stringify(value.slice(0, 40));
  return new PgError('ERR_PG_BAD_OPTION', `${keyword} (${origin}) must be ${expected}, not ${shown}`);
}
