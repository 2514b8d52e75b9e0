/** What PostgreSQL says before its session: the client's messages without a type, and answers to them. */
import { BackendEncoder, FrontendDecoder, type StartupPhaseMessage } from '../codec/pg/index.js';
import { detectFirstBytes } from '../wire/first-bytes.js';
import type { Head } from './read-head.js';
import { Refusal } from './stop.js';

export type CancelRequest = Extract<StartupPhaseMessage, { name: 'CancelRequest' }>;

/** Of SSLRequest and GSSENCRequest (Message Formats). */
const REQUEST_LENGTH = 8;

/** To a client that does without TLS; libpq shows both lines. */
export const TLS_MANDATORY = fatal(
  '28000', // invalid_authorization_specification, as for a line of pg_hba.conf that is missing
  'TLS is mandatory here, and this connection does not use it',
  'Set sslmode to verify-full, or at least to require.',
);

export const BACKEND_UNREACHABLE = fatal(
  '57P03', // cannot_connect_now: libpq and others go on to their next host
  'the database server behind this gateway cannot be reached',
);

/** SSLRequest and GSSENCRequest: which of them it is, is known already. */
export function parseRequest(bytes: Buffer): Head<undefined> | 'incomplete' {
  return bytes.length < REQUEST_LENGTH ? 'incomplete' : { value: undefined, length: REQUEST_LENGTH };
}

/** @throws Refusal where the bytes are none, or more follow */
export function parseCancelRequest(bytes: Buffer): Head<CancelRequest> | 'incomplete' {
  const decoder = new FrontendDecoder();
  try {
    decoder.push(bytes);
    const message = decoder.next();
    if (message === undefined) return 'incomplete';
    if (message.name === 'CancelRequest' && decoder.buffered === 0) return { value: message, length: bytes.length };
  } catch (error) {
    throw new Refusal('cancel-request-invalid', { cause: error });
  }
  throw new Refusal('cancel-request-invalid');
}

/** Which message comes first; all of it stays. */
export function parseFirstMessage(bytes: Buffer): Head<'CancelRequest' | 'other'> | 'incomplete' {
  const first = detectFirstBytes(bytes);
  if (first === 'undecided') return 'incomplete';
  return { value: first === 'pg-cancel-request' ? 'CancelRequest' : 'other', length: 0 };
}

function fatal(C: string, M: string, H?: string): Buffer {
  const fields = { S: 'FATAL', V: 'FATAL', C, M, ...(H !== undefined && { H }) };
  return new BackendEncoder().write({ name: 'ErrorResponse', fields }).take();
}
