/** `host=… port='…'` ("Keyword/Value Connection Strings"), read as libpq's conninfo_parse reads it. */
import { PgError } from '../errors.js';
import { parameters } from './parameters.js';
import { Settings, unknownKeyword } from './settings.js';

const ORIGIN = 'the connection string';
const UNQUOTED_HINT = "; quote a password with spaces in it: password='…', with \\' and \\\\ for ' and \\ inside";

/** isspace() of C. */
const SPACE = /[ \t\n\v\f\r]/;

export function parseKeywordValue(text: string): Settings {
  const settings = new Settings();
  // From here on a word may be a piece of a password that should have been quoted: it is not repeated.
  let discreet = false;
  let at = skipSpace(text, 0);
  while (at < text.length) {
    const { keyword, next } = readKeyword(text, at, discreet);
    const value = readValue(text, skipSpace(text, next));
    setParameter(settings, keyword, value.value, discreet);
    discreet ||= /password$/.test(keyword) && !value.quoted;
    at = skipSpace(text, value.next);
  }
  return settings;
}

function setParameter(settings: Settings, keyword: string, value: string, discreet: boolean): void {
  if (keyword === 'requiressl') {
    settings.set('sslmode', value.startsWith('1') ? 'require' : 'prefer', ORIGIN);
    return;
  }
  if (!parameters.has(keyword)) {
    throw unknownKeyword(discreet ? undefined : keyword, ORIGIN, discreet ? UNQUOTED_HINT : '');
  }
  settings.set(keyword, value, ORIGIN);
}

function readKeyword(text: string, start: number, discreet: boolean): { keyword: string; next: number } {
  let end = start;
  while (end < text.length && text[end] !== '=' && !isSpace(text, end)) end++;
  const equals = skipSpace(text, end);
  if (text[equals] !== '=') {
    const where = discreet ? `at character ${start + 1}${UNQUOTED_HINT}` : `after ${quoted(text.slice(start, end))}`;
    throw new PgError('ERR_PG_BAD_OPTION', `"=" is missing in ${ORIGIN} ${where}`);
  }
  return { keyword: text.slice(start, end), next: equals + 1 };
}

interface Value {
  readonly value: string;
  readonly quoted: boolean;
  readonly next: number;
}

function readValue(text: string, start: number): Value {
  return text[start] === "'" ? readQuoted(text, start + 1) : readUnquoted(text, start);
}

function readUnquoted(text: string, start: number): Value {
  let value = '';
  let at = start;
  while (at < text.length && !isSpace(text, at)) {
    if (text[at] === '\\') at++;
    value += text[at++] ?? '';
  }
  return { value, quoted: false, next: at };
}

function readQuoted(text: string, start: number): Value {
  let value = '';
  let at = start;
  while (at < text.length && text[at] !== "'") {
    if (text[at] === '\\') at++;
    value += text[at++] ?? '';
  }
  if (at >= text.length) throw new PgError('ERR_PG_BAD_OPTION', `a quoted value does not end in ${ORIGIN}`);
  return { value, quoted: true, next: at + 1 };
}

function skipSpace(text: string, start: number): number {
  let at = start;
  while (isSpace(text, at)) at++;
  return at;
}

function isSpace(text: string, at: number): boolean {
  const letter = text[at];
  return letter !== undefined && SPACE.test(letter);
}

function quoted(word: string): string {
  return JSON.stringify(word.slice(0, 40));
}
