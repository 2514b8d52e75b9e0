/**
 * What a local client opens its connection with. PostgreSQL's requests for encryption are answered on the way, here and
 * not by the remote: that is the round trip that they cost no more.
 *
 *   GSSENCRequest ─► 'N'      SSLRequest ─► 'S' (transparent) or 'N' (originating)      and then one of `Opening`
 */
import type { Duplex } from 'node:stream';
import { type ClientHello, readClientHello } from '../../wire/client-hello.js';
import { detectFirstBytes } from '../../wire/first-bytes.js';
import { type Head, readHead } from '../read-head.js';

/** `head` is all that was read: it goes to the remote first. */
export type Opening =
  /** TLS; `hello` is undefined where it cannot be read: to refuse it is the server's. */
  | { kind: 'tls'; head: Buffer; hello: ClientHello | undefined }
  /** PostgreSQL in plaintext: its StartupMessage, or the beginning of it. */
  | { kind: 'startup'; head: Buffer }
  /** PostgreSQL's CancelRequest, in plaintext. */
  | { kind: 'cancel'; head: Buffer }
  /** Anything else. */
  | { kind: 'unknown'; head: Buffer };

type Request = 'ssl' | 'gss';

type Step = Opening | { kind: 'request'; request: Request };

export interface OpeningOptions {
  /** The answer to SSLRequest. */
  ssl: 'S' | 'N';
  /** Bytes of a ClientHello that are waited for. */
  limit: number;
  signal: AbortSignal;
}

/** SSLRequest and GSSENCRequest (PostgreSQL, "Message Formats"). */
const REQUEST_LENGTH = 8;

/**
 * @returns the opening, and whether an SSLRequest was answered before it
 * @throws GatewayError ERR_GATEWAY_CLIENT_GONE, the client's error, or the signal's reason
 */
export async function readOpening(
  client: Duplex,
  { ssl, limit, signal }: OpeningOptions,
): Promise<{ opening: Opening; negotiated: boolean }> {
  const asked = new Set<Request>();
  for (;;) {
    const step = await readHead(client, (bytes) => parseStep(bytes, limit), signal);
    if (step.kind !== 'request') return { opening: step, negotiated: asked.has('ssl') };
    const { request } = step;
    // Nobody asks twice; it would be a loop.
    if (asked.has(request)) return { opening: { kind: 'unknown', head: EMPTY }, negotiated: true };
    asked.add(request);
    client.write(request === 'ssl' ? ssl : 'N');
  }
}

const EMPTY: Buffer = Buffer.alloc(0);

function parseStep(bytes: Buffer, limit: number): Head<Step> | 'incomplete' {
  const protocol = detectFirstBytes(bytes);
  switch (protocol) {
    case 'undecided':
      return 'incomplete';
    case 'pg-ssl-request':
    case 'pg-gssenc-request':
      // What stands behind it is not encrypted, though the client may take it to be so (CVE-2021-23214).
      if (bytes.length > REQUEST_LENGTH) return whole('unknown', bytes);
      return {
        value: { kind: 'request', request: protocol === 'pg-ssl-request' ? 'ssl' : 'gss' },
        length: bytes.length,
      };
    case 'tls': {
      const hello = readClientHello(bytes, limit);
      if (hello === 'incomplete') return hello;
      const known = typeof hello === 'string' ? undefined : hello;
      return { value: { kind: 'tls', head: bytes, hello: known }, length: bytes.length };
    }
    case 'pg-startup':
      return whole('startup', bytes);
    case 'pg-cancel-request':
      return whole('cancel', bytes);
    default:
      return whole('unknown', bytes);
  }
}

function whole(kind: Exclude<Opening['kind'], 'tls'>, bytes: Buffer): Head<Opening> {
  return { value: { kind, head: bytes }, length: bytes.length };
}
