/**
 * TLS 1.3 records by hand, for a benchmark and for nothing else: what it does not do (key update, alerts but one,
 * padding of its own) is listed in docs/tls-and-event-loops.md.
 */
import { createCipheriv, createDecipheriv, createHmac, createSecretKey, type KeyObject } from 'node:crypto';

/** RFC 8446, section 5.1. */
export const RECORD_BYTES = 2 ** 14;
/** RFC 8446, section 5.5: full-size records under one AES-GCM key, after which a key update is due. */
const RECORDS_PER_KEY = 2 ** 24.5;
const HEADER_BYTES = 5;
const TAG_BYTES = 16;
const IV_BYTES = 12;

/** RFC 8446, section 5.1. */
const ContentType = { alert: 21, handshake: 22, applicationData: 23 } as const;
/** RFC 8446, section 4. */
const HandshakeType = { newSessionTicket: 4 } as const;
/** RFC 8446, section 6. */
const CLOSE_NOTIFY = 0;

/** RFC 8446, appendix B.4: those made of AES-GCM. */
const SUITES = {
  TLS_AES_128_GCM_SHA256: { cipher: 'aes-128-gcm', keyBytes: 16, hash: 'sha256' },
  TLS_AES_256_GCM_SHA384: { cipher: 'aes-256-gcm', keyBytes: 32, hash: 'sha384' },
} as const;

export type Suite = keyof typeof SUITES;

/** What seals and opens the records of one direction. */
export interface TrafficKey {
  cipher: 'aes-128-gcm' | 'aes-256-gcm';
  key: KeyObject;
  iv: Buffer;
}

/** RFC 8446, section 7.3. */
export function trafficKey(suite: Suite, secret: Buffer): TrafficKey {
  const { cipher, keyBytes, hash } = SUITES[suite];
  const key = createSecretKey(expandLabel(hash, secret, 'key', keyBytes));
  return { cipher, key, iv: expandLabel(hash, secret, 'iv', IV_BYTES) };
}

/** HKDF-Expand-Label with an empty context. One block of HKDF-Expand (RFC 5869) is enough: no key is longer than a hash. */
function expandLabel(hash: string, secret: Buffer, label: string, bytes: number): Buffer {
  const name = Buffer.from(`tls13 ${label}`);
  const info = Buffer.concat([Buffer.of(0, bytes, name.length), name, Buffer.of(0, 1)]);
  return createHmac(hash, secret).update(info).digest().subarray(0, bytes);
}

/** The nonce of each record: the IV, XORed with the record's number (RFC 8446, section 5.3). */
class Nonces {
  readonly #nonce: Buffer;
  readonly #tail: number;
  #sequence = 0;

  constructor(iv: Buffer) {
    this.#nonce = Buffer.from(iv);
    this.#tail = iv.readUInt32BE(IV_BYTES - 4);
  }

  /** Good until the next call. */
  next(): Buffer {
    if (this.#sequence >= RECORDS_PER_KEY) throw new Error(`no more than ${RECORDS_PER_KEY} records for one key`);
    this.#nonce.writeUInt32BE((this.#tail ^ this.#sequence++) >>> 0, IV_BYTES - 4);
    return this.#nonce;
  }
}

export class Sealer {
  readonly #key: TrafficKey;
  readonly #nonces: Nonces;

  constructor(key: TrafficKey) {
    this.#key = key;
    this.#nonces = new Nonces(key.iv);
  }

  /** One record of application data. @param bytes at most RECORD_BYTES */
  seal(bytes: Buffer): Buffer {
    const { cipher, key } = this.#key;
    const header = Buffer.of(ContentType.applicationData, 3, 3, 0, 0);
    header.writeUInt16BE(bytes.length + 1 + TAG_BYTES, 3);
    const inner = Buffer.allocUnsafe(bytes.length + 1);
    inner.set(bytes);
    inner[bytes.length] = ContentType.applicationData;
    const gcm = createCipheriv(cipher, key, this.#nonces.next());
    gcm.setAAD(header);
    const sealed = gcm.update(inner);
    gcm.final();
    return Buffer.concat([header, sealed, gcm.getAuthTag()]);
  }
}

export class Opener {
  readonly #key: TrafficKey;
  readonly #nonces: Nonces;
  #rest: Buffer = Buffer.alloc(0);
  /** Tickets that came: they are records of the same numbering, and go unused. */
  tickets = 0;
  /** The peer said that nothing follows. */
  closed = false;

  constructor(key: TrafficKey) {
    this.#key = key;
    this.#nonces = new Nonces(key.iv);
  }

  /** @returns the application data of the records that are complete */
  open(chunk: Buffer): Buffer[] {
    let bytes = this.#rest.length > 0 ? Buffer.concat([this.#rest, chunk]) : chunk;
    const opened: Buffer[] = [];
    while (bytes.length >= HEADER_BYTES) {
      const end = HEADER_BYTES + bytes.readUInt16BE(3);
      if (bytes.length < end) break;
      const data = this.#read(bytes.subarray(0, end));
      if (data) opened.push(data);
      bytes = bytes.subarray(end);
    }
    this.#rest = bytes;
    return opened;
  }

  #read(record: Buffer): Buffer | undefined {
    const inner = this.#decrypt(record);
    let end = inner.length;
    while (inner[end - 1] === 0) end--; // padding
    const content = inner.subarray(0, end - 1);
    switch (inner[end - 1]) {
      case ContentType.applicationData:
        return content;
      case ContentType.handshake:
        this.#readHandshake(content);
        return undefined;
      case ContentType.alert:
        if (content[1] !== CLOSE_NOTIFY) throw new Error(`the peer sent alert ${content[1]}`);
        this.closed = true;
        return undefined;
      default:
        throw new Error(`a record of content type ${inner[end - 1]}`);
    }
  }

  #readHandshake(message: Buffer): void {
    if (message[0] !== HandshakeType.newSessionTicket) {
      throw new Error(`handshake message ${message[0]} after the handshake: only tickets are understood here`);
    }
    this.tickets++;
  }

  #decrypt(record: Buffer): Buffer {
    const { cipher, key } = this.#key;
    const tag = record.length - TAG_BYTES;
    const gcm = createDecipheriv(cipher, key, this.#nonces.next());
    gcm.setAAD(record.subarray(0, HEADER_BYTES)).setAuthTag(record.subarray(tag));
    const inner = gcm.update(record.subarray(HEADER_BYTES, tag));
    gcm.final();
    return inner;
  }
}
