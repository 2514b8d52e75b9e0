/**
 * Inline commands: one line, words between blanks, for people with a terminal (RESP, "Inline commands"). Quoted as Redis
 * takes them (`sdssplitargs`): "…" with \n \r \t \b \a \" \\ \xHH, '…' with \'.
 */
import { RedisError } from './errors.js';

/** Between quotes: \xHH, another escape, or what stands for itself. */
const DOUBLE_QUOTED = /\\x([0-9a-f]{2})|\\(.)|([^"\\]+)/isy;
const SINGLE_QUOTED = /()\\(')|([^'\\]+|\\)/y;
/** Those of C's isspace: \s has more of them, which are parts of UTF-8 characters here. */
const BLANKS = /[ \t\n\v\f\r]*/y;
const PLAIN = /[^ \t\n\v\f\r"']+/y;

const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t', b: '\b', a: '\x07' };

/** @param line latin1, one char for each byte */
export function splitInline(line: string): Buffer[] {
  const words: Buffer[] = [];
  let at = lengthAt(BLANKS, line, 0);
  while (at < line.length) {
    const word = readWord(line, at);
    words.push(Buffer.from(word.text, 'latin1'));
    at = word.end + lengthAt(BLANKS, line, word.end);
  }
  return words;
}

/** Plain text, then maybe quoted text, which ends a word. */
function readWord(line: string, start: number): { text: string; end: number } {
  const end = start + lengthAt(PLAIN, line, start);
  const plain = line.slice(start, end);
  const quote = line[end];
  if (quote !== '"' && quote !== "'") return { text: plain, end };
  const quoted = readQuoted(line, end + 1, quote);
  if (quoted.end < line.length && lengthAt(BLANKS, line, quoted.end) === 0) throw unbalanced();
  return { text: plain + quoted.text, end: quoted.end };
}

function readQuoted(line: string, start: number, quote: '"' | "'"): { text: string; end: number } {
  const format = quote === '"' ? DOUBLE_QUOTED : SINGLE_QUOTED;
  let text = '';
  for (let at = start; ; at = format.lastIndex) {
    if (line[at] === quote) return { text, end: at + 1 };
    format.lastIndex = at;
    const [, code, escaped, itself] = format.exec(line) ?? [];
    if (code) text += String.fromCharCode(Number.parseInt(code, 16));
    else if (escaped !== undefined) text += ESCAPES[escaped] ?? escaped;
    else if (itself !== undefined) text += itself;
    else throw unbalanced();
  }
}

function lengthAt(format: RegExp, line: string, at: number): number {
  format.lastIndex = at;
  return format.exec(line)?.[0].length ?? 0;
}

function unbalanced(): RedisError {
  return new RedisError('ERR_REDIS_PROTOCOL', 'unbalanced quotes in an inline command');
}
