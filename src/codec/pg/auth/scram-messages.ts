/** The server's messages of SCRAM, parsed strictly. (RFC 5802 section 7, "Formal Syntax".) */
import { PgError } from '../errors.js';
import type { PgLimits } from '../limits.js';

/** `server-first-message` */
export interface ServerFirst {
  /** Ours, and the server's behind it. */
  nonce: string;
  salt: Buffer;
  iterations: number;
}

/** SHA-256's length, which the server's signature has. */
const SIGNATURE_BYTES = 32;
/** `printable`: no comma. */
const PRINTABLE = /^[\x21-\x2b\x2d-\x7e]+$/;
/** `attr-val` with a `value` of at least one character; the bytes are taken for Latin-1, so UTF-8 passes. */
const ATTRIBUTE = /^([A-Za-z])=([^\0]+)$/;
/** `posit-number` */
const POSITIVE = /^[1-9][0-9]*$/;
/** What RFC 5802 section 5.1 has defined: none of these can be an extension, `m` least of all. */
const DEFINED_ATTRIBUTES = new Set('anmrcsipve');
const ERROR_VALUE_MAX = 64;

function malformed(detail: string): PgError {
  return new PgError('ERR_PG_SCRAM', detail);
}

/** The values of the attributes that a message has to begin with, in this order; optional extensions may follow. */
function attributes(message: Buffer, names: string, { scramMessageBytes }: ScramLimits): string[] {
  if (message.length > scramMessageBytes) {
    throw malformed(`a message of ${message.length} bytes, more than the limit of ${scramMessageBytes}`);
  }
  const found = message.toString('latin1').split(',').map(attribute);
  const [first] = found;
  if (first?.name === 'e') throw malformed(`the server refused it${quoted(first.value)}`);
  const values = [...names].map((name, index) => {
    if (found[index]?.name !== name) throw malformed(`attribute ${name} is missing or not in its place`);
    return found[index].value;
  });
  for (const { name } of found.slice(names.length)) {
    if (DEFINED_ATTRIBUTES.has(name)) throw malformed(`attribute ${name} is not in its place`);
  }
  return values;
}

function attribute(text: string): { name: string; value: string } {
  const [, name, value] = ATTRIBUTE.exec(text) ?? [];
  if (name === undefined || value === undefined) throw malformed('the message is not a list of attributes');
  if (name === 'm') throw malformed('the server wants an extension that is not known');
  return { name, value };
}

/** `server-error-value`, where it is harmless to show. */
function quoted(value: string): string {
  return PRINTABLE.test(value) && value.length <= ERROR_VALUE_MAX ? ` (${value})` : '';
}

function base64(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64');
  // Node skips what is not base64; what it has skipped is missing here.
  return bytes.toString('base64') === text ? bytes : undefined;
}

export type ScramLimits = Pick<PgLimits, 'scramIterations' | 'scramMessageBytes'>;

/** @throws PgError ERR_PG_SCRAM */
export function parseServerFirst(message: Buffer, clientNonce: string, limits: ScramLimits): ServerFirst {
  const [nonce, encodedSalt, count] = attributes(message, 'rsi', limits) as [string, string, string];
  if (!PRINTABLE.test(nonce)) throw malformed('the nonce is not printable');
  if (!nonce.startsWith(clientNonce) || nonce.length === clientNonce.length) {
    throw malformed("the nonce does not extend the client's");
  }
  const salt = base64(encodedSalt);
  if (!salt) throw malformed('the salt is not base64');
  if (!POSITIVE.test(count)) throw malformed('the iteration count is not a positive number');
  const iterations = Number(count);
  if (iterations > limits.scramIterations) {
    throw malformed(`the server asks for more iterations than the limit of ${limits.scramIterations}`);
  }
  return { nonce, salt, iterations };
}

/**
 * The server's signature out of `server-final-message`.
 * @throws PgError ERR_PG_SCRAM
 */
export function parseServerFinal(message: Buffer, limits: ScramLimits): Buffer {
  const [verifier] = attributes(message, 'v', limits) as [string];
  const signature = base64(verifier);
  if (signature?.length !== SIGNATURE_BYTES) throw malformed("the server's signature is not base64 of 32 bytes");
  return signature;
}
