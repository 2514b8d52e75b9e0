/** A session between its first datagram and its tombstone. */
import type { Limits } from '../limits.js';
import { FutureTcpLink } from '../server/future-tcp-link.js';
import { ServerIO } from '../server/server-io.js';
import { SEQUENCE_MAX } from '../wire/constants.js';
import { DatagramStream } from '../wire/datagram-stream.js';
import { detectFirstBytes } from '../wire/first-bytes.js';
import { makeInstance } from '../wire/identity.js';
import { CreditLedger } from './credit-ledger.js';

/** A TLS record's header: type, version, length (RFC 8446, section 5.1). */
const RECORD_HEADER_LENGTH = 5;
/** What a session's own objects take, about. */
const SESSION_BYTES = 4096;

export interface SessionOptions {
  connectionId: Buffer;
  address: string;
  port: number;
  /** On the clock. */
  openedAt: number;
  expiresAt: number;
  limits: Readonly<Limits>;
  /** TLS has written: datagrams may be cut. */
  onKept: (session: Session) => void;
}

export class Session {
  readonly connectionId: Buffer;
  readonly address: string;
  readonly port: number;
  readonly openedAt: number;
  readonly expiresAt: number;
  readonly instance = makeInstance();
  readonly credit = new CreditLedger();
  readonly inbound: DatagramStream;
  readonly link: FutureTcpLink;
  readonly #tlsBytes: number;
  /** Made when the first record, the ClientHello, is complete. */
  io: ServerIO | undefined;
  /** When TLS got its ClientHello, on the clock; undefined again when it has answered. */
  handshakeBeganAt: number | undefined;
  /** The last datagram of the flight that the client has, with all before it. */
  acknowledged = 0;
  /** The flight was sent once more. */
  repeated = false;
  /** A tombstone has taken the session out of the table. */
  claimed = false;

  constructor(options: SessionOptions) {
    const { limits } = options;
    this.connectionId = options.connectionId;
    this.address = options.address;
    this.port = options.port;
    this.openedAt = options.openedAt;
    this.expiresAt = options.expiresAt;
    this.#tlsBytes = limits.sessionTlsBytes;
    const datagrams = Math.min(limits.flightDatagrams, SEQUENCE_MAX);
    this.inbound = new DatagramStream({ bytes: limits.flightBytes, datagrams });
    this.link = new FutureTcpLink(limits, () => options.onKept(this));
  }

  /** Bytes that the session costs while it waits. */
  get bytes(): number {
    return SESSION_BYTES + this.inbound.bytes + this.link.flight.bytes + (this.io ? this.#tlsBytes : 0);
  }

  /** Whether `chunks`, the front of the stream, hold the first record, begin it, or are no TLS handshake at all. */
  static firstRecord(chunks: readonly Buffer[]): 'complete' | 'incomplete' | 'none' {
    const bytes = chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks);
    const detected = detectFirstBytes(bytes);
    if (detected !== 'tls') return detected === 'undecided' ? 'incomplete' : 'none';
    if (bytes.length < RECORD_HEADER_LENGTH) return 'incomplete';
    const length = bytes.readUInt16BE(3);
    if (length === 0) return 'none';
    return bytes.length < RECORD_HEADER_LENGTH + length ? 'incomplete' : 'complete';
  }

  /** Makes the stream for TLS, with `chunks` as its first bytes. */
  open(chunks: readonly Buffer[]): ServerIO {
    this.io = new ServerIO(this.link, this.connectionId);
    this.io.deliver(chunks);
    return this.io;
  }

  /** Ends what was never claimed. */
  expire(): void {
    this.link.expire();
    this.io?.expire();
  }
}
