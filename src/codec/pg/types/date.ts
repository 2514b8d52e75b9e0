/** date, timestamp and timestamptz in DateStyle ISO ("Date/Time Output"), to milliseconds: what is finer is cut off. */

const DATE = /^(\d{1,7})-(\d\d)-(\d\d)(?: (\d\d):(\d\d):(\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d(?::?\d\d){0,2})?)?( BC)?$/;

/** As JavaScript counts: year 0 is 1 BC, month 0 is January. */
interface Fields {
  year: number;
  month: number;
  day: number;
  hours: number;
  minutes: number;
  seconds: number;
  ms: number;
}

/** The Gregorian calendar repeats itself after 400 years. */
const CYCLE_YEARS = 400;
const CYCLE_MS = 146_097 * 86_400_000;

/**
 * A Date, in local time where the text has no offset; an invalid one where the year is past those of JavaScript
 * (275760). ±Infinity for `infinity` and `-infinity`. What another DateStyle gives stays text.
 */
export function parseDate(text: string): Date | number | string {
  const match = DATE.exec(text);
  if (!match) return parseInfinity(text) ?? text;
  const [, year, month, day, hours = 0, minutes = 0, seconds = 0, fraction = '', zone, bc] = match;
  const fields: Fields = {
    year: bc ? 1 - Number(year) : Number(year),
    month: Number(month) - 1,
    day: Number(day),
    hours: Number(hours),
    minutes: Number(minutes),
    seconds: Number(seconds),
    ms: Math.trunc(Number(`0.${fraction}`) * 1000),
  };
  return zone === undefined ? localDate(fields) : new Date(utcTime(fields) - offsetMs(zone));
}

/** ±Infinity where the text says so, as dates, timestamps and intervals can be. */
export function parseInfinity(text: string): number | undefined {
  if (text === 'infinity') return Infinity;
  if (text === '-infinity') return -Infinity;
  return undefined;
}

/** Local time with its offset, which timestamptz takes and timestamp and date leave out: `2024-02-29T12:00:00.000+01:00`. */
export function formatDate(date: Date): string {
  const year = date.getFullYear();
  const month = date.getMonth();
  const day = date.getDate();
  const hours = date.getHours();
  const minutes = date.getMinutes();
  const seconds = date.getSeconds();
  const ms = date.getMilliseconds();
  const offset = utcTime({ year, month, day, hours, minutes, seconds, ms }) - date.getTime();
  const dateText = `${pad(year > 0 ? year : 1 - year, 4)}-${pad(month + 1)}-${pad(day)}`;
  const timeText = `${pad(hours)}:${pad(minutes)}:${pad(seconds)}.${pad(ms, 3)}`;
  return `${dateText}T${timeText}${formatOffset(offset / 1000)}${year > 0 ? '' : ' BC'}`;
}

function localDate({ year, month, day, hours, minutes, seconds, ms }: Fields): Date {
  const date = new Date(year, month, day, hours, minutes, seconds, ms);
  // The constructor takes the years 0 to 99 for 1900 to 1999.
  if (year >= 0 && year <= 99) {
    date.setFullYear(year, month, day);
    date.setHours(hours, minutes, seconds, ms);
  }
  return date;
}

/** ms since 1970 of fields in UTC; past what a Date holds too. Computed in the years 2000 to 2399, which are all plain. */
function utcTime({ year, month, day, hours, minutes, seconds, ms }: Fields): number {
  const cycles = Math.floor(year / CYCLE_YEARS) - 5;
  return Date.UTC(year - cycles * CYCLE_YEARS, month, day, hours, minutes, seconds, ms) + cycles * CYCLE_MS;
}

/** `+05:30`, `-07`, `+00:19:32` (local mean times have seconds) or `Z`, in ms. */
function offsetMs(zone: string): number {
  if (zone === '+00' || zone === 'Z') return 0;
  const digits = zone.slice(1).replaceAll(':', '');
  const seconds = (Number(digits.slice(0, 2)) * 60 + Number(digits.slice(2, 4))) * 60 + Number(digits.slice(4));
  return (zone.startsWith('-') ? -seconds : seconds) * 1000;
}

function formatOffset(seconds: number): string {
  const size = Math.abs(seconds);
  const text = `${seconds < 0 ? '-' : '+'}${pad(Math.floor(size / 3600))}:${pad(Math.floor(size / 60) % 60)}`;
  return size % 60 === 0 ? text : `${text}:${pad(size % 60)}`;
}

function pad(value: number, length = 2): string {
  return String(value).padStart(length, '0');
}
