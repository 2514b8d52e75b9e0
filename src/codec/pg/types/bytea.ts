/** bytea in both of bytea_output's formats ("Binary Data Types"): hex, `\xdeadbeef`, and escape, `abc\000\\`. */
import { malformed } from './malformed.js';

const BACKSLASH = 0x5c;
const OCTAL = /^[0-3][0-7]{2}$/;

/** @throws PgError ERR_PG_BAD_TEXT where an escape is not one that PostgreSQL writes */
export function parseBytea(text: string): Buffer {
  return text.startsWith('\\x') ? Buffer.from(text.slice(2), 'hex') : parseEscaped(text);
}

function parseEscaped(text: string): Buffer {
  const bytes = Buffer.alloc(text.length);
  let length = 0;
  for (let at = 0; at < text.length; at++) {
    let byte = text.charCodeAt(at);
    if (byte === BACKSLASH && text.charCodeAt(at + 1) === BACKSLASH) {
      at += 1;
    } else if (byte === BACKSLASH) {
      byte = octal(text.slice(at + 1, at + 4));
      at += 3;
    }
    bytes[length++] = byte;
  }
  return bytes.subarray(0, length);
}

function octal(digits: string): number {
  if (!OCTAL.test(digits)) throw malformed('bytea');
  return Number.parseInt(digits, 8);
}
