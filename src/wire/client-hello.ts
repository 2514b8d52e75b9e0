/**
 * What a ClientHello says about who is to answer it, without TLS: server name, ALPN, versions (RFC 8446, section 4.1.2;
 * RFC 5246, section 7.4.1.2). The bytes are left as they are, for whoever ends the TLS.
 *
 * It is strict where two readers could differ: an extension twice, bytes too many, a name that is none are `invalid`, so
 * that nobody is routed by what the server behind does not see.
 */
import { ByteReader } from './byte-reader.js';
import { checkServerName } from './server-name.js';

export interface ClientHello {
  /** In lower case, without a dot at its end. Undefined: none was sent, or an IP address, which is none. */
  serverName: string | undefined;
  /** As offered, in order, one character for each byte (RFC 7301); empty: no ALPN. */
  alpn: string[];
  /** Those of supported_versions without GREASE, else legacy_version alone: 0x0303 is TLS 1.2, 0x0304 is 1.3. */
  versions: number[];
  /** Bytes of the records that it took. */
  length: number;
}

/** `incomplete`: valid so far. `too-long`: its records take more than the limit, or will. */
export type ClientHelloFault = 'incomplete' | 'invalid' | 'too-long';

/** RFC 8446, section 5.1. */
const RECORD_HANDSHAKE = 22;
const RECORD_HEADER_LENGTH = 5;
const RECORD_MAX = 2 ** 14;
/** Of every version of TLS and of SSL 3. */
const VERSION_MAJOR = 3;
/** RFC 8446, section 4. */
const HANDSHAKE_CLIENT_HELLO = 1;
const HANDSHAKE_HEADER_LENGTH = 4;
const RANDOM_LENGTH = 32;
const SESSION_ID_MAX = 32;

/** RFC 6066, section 3. */
const EXTENSION_SERVER_NAME = 0;
const NAME_TYPE_HOST_NAME = 0;
/** RFC 7301, section 3.1. */
const EXTENSION_ALPN = 16;
/** RFC 8446, section 4.2.1. */
const EXTENSION_SUPPORTED_VERSIONS = 43;

/**
 * The ClientHello at the front of `bytes`, in one record or in many. Never throws. For more bytes, call it again with
 * all of them.
 * @param limit bytes of its records at most
 */
export function readClientHello(bytes: Buffer, limit: number): ClientHello | ClientHelloFault {
  const message = readMessage(bytes, limit);
  if (typeof message === 'string') return message;
  const content = parse(message.body);
  return content ? { ...content, length: message.length } : 'invalid';
}

/** The body of the handshake message, out of its records; these hold nothing else. */
function readMessage(bytes: Buffer, limit: number): { body: Buffer; length: number } | ClientHelloFault {
  const fragments: Buffer[] = [];
  let gathered = 0;
  let total: ReturnType<typeof readMessageLength> = 'incomplete';
  for (let start = RECORD_HEADER_LENGTH; ; ) {
    const fragmentLength = readRecordHeader(bytes.subarray(start - RECORD_HEADER_LENGTH, start));
    if (typeof fragmentLength === 'string') return fragmentLength;
    const end = start + fragmentLength;
    fragments.push(bytes.subarray(start, end));
    gathered += fragmentLength;
    if (total === 'incomplete') total = readMessageLength(fragments); // once, for a record may hold a byte
    if (total === 'invalid') return 'invalid';
    const missing = total === 'incomplete' ? 0 : total - gathered;
    // More in its last record would be another message, under keys that are not there yet.
    if (missing < 0) return 'invalid';
    if (end + missing > limit) return 'too-long';
    if (bytes.length < end) return 'incomplete';
    if (gathered === total) return { body: Buffer.concat(fragments).subarray(HANDSHAKE_HEADER_LENGTH), length: end };
    start = end + RECORD_HEADER_LENGTH;
  }
}

/** The length of the record's fragment, from as much of its header as there is. */
function readRecordHeader(header: Buffer): number | 'incomplete' | 'invalid' {
  const [type = RECORD_HANDSHAKE, major = VERSION_MAJOR] = header;
  // The minor version is to be ignored.
  if (type !== RECORD_HANDSHAKE || major !== VERSION_MAJOR) return 'invalid';
  if (header.length < RECORD_HEADER_LENGTH) return 'incomplete';
  const length = header.readUInt16BE(3);
  return length === 0 || length > RECORD_MAX ? 'invalid' : length;
}

/** The length of the message with its header, from as much of it as there is. No fragment but the last is empty. */
function readMessageLength(fragments: readonly Buffer[]): number | 'incomplete' | 'invalid' {
  const header = Buffer.concat(fragments.slice(0, HANDSHAKE_HEADER_LENGTH)).subarray(0, HANDSHAKE_HEADER_LENGTH);
  if (header.length > 0 && header[0] !== HANDSHAKE_CLIENT_HELLO) return 'invalid';
  return header.length < HANDSHAKE_HEADER_LENGTH ? 'incomplete' : HANDSHAKE_HEADER_LENGTH + header.readUIntBE(1, 3);
}

type Content = Omit<ClientHello, 'length'>;

function parse(body: Buffer): Content | undefined {
  const reader = new ByteReader(body);
  const legacyVersion = reader.uint16();
  reader.bytes(RANDOM_LENGTH);
  const sessionId = reader.vector8();
  const cipherSuites = reader.vector16();
  const compressionMethods = reader.vector8();
  // Before TLS 1.3 there may be none at all, not even their length.
  const extensions = reader.remaining > 0 ? readExtensions(reader.vector16()) : new Map<number, Buffer>();
  if (!reader.isWhole || !extensions) return undefined;
  if (legacyVersion >> 8 < VERSION_MAJOR || sessionId.length > SESSION_ID_MAX) return undefined;
  if (cipherSuites.length === 0 || cipherSuites.length % 2 !== 0 || compressionMethods.length === 0) return undefined;

  const name = readServerName(extensions.get(EXTENSION_SERVER_NAME));
  const alpn = readAlpn(extensions.get(EXTENSION_ALPN));
  const versions = readVersions(extensions.get(EXTENSION_SUPPORTED_VERSIONS), legacyVersion);
  return name && alpn && versions ? { serverName: name.serverName, alpn, versions } : undefined;
}

/** By type; undefined where they are malformed or one comes twice (RFC 8446, section 4.2). */
function readExtensions(bytes: Buffer): Map<number, Buffer> | undefined {
  const reader = new ByteReader(bytes);
  const extensions = new Map<number, Buffer>();
  while (reader.remaining > 0) {
    const type = reader.uint16();
    if (extensions.has(type)) return undefined;
    extensions.set(type, reader.vector16());
  }
  return reader.isWhole ? extensions : undefined;
}

/** One host_name. There are no other types, and no TLS library takes a list of more than one. */
function readServerName(extension: Buffer | undefined): Pick<ClientHello, 'serverName'> | undefined {
  if (!extension) return { serverName: undefined };
  const outer = new ByteReader(extension);
  const list = new ByteReader(outer.vector16());
  const type = list.uint8();
  const checked = checkServerName(list.vector16());
  if (!outer.isWhole || !list.isWhole || type !== NAME_TYPE_HOST_NAME || !checked) return undefined;
  return { serverName: checked === 'address' ? undefined : checked.name };
}

function readAlpn(extension: Buffer | undefined): string[] | undefined {
  if (!extension) return [];
  const outer = new ByteReader(extension);
  const list = new ByteReader(outer.vector16());
  const names: string[] = [];
  while (list.remaining > 0) names.push(list.vector8().toString('latin1'));
  return outer.isWhole && list.isWhole && names.length > 0 && !names.includes('') ? names : undefined;
}

function readVersions(extension: Buffer | undefined, legacyVersion: number): number[] | undefined {
  if (!extension) return [legacyVersion];
  const outer = new ByteReader(extension);
  const list = new ByteReader(outer.vector8());
  const versions: number[] = [];
  while (list.remaining > 0) versions.push(list.uint16());
  if (!outer.isWhole || !list.isWhole || versions.length === 0) return undefined;
  return versions.filter((version) => !isGrease(version));
}

/** 0x0a0a, 0x1a1a, … 0xfafa: sent to be ignored (RFC 8701, section 2). */
function isGrease(value: number): boolean {
  return value >> 8 === (value & 0xff) && (value & 0x0f) === 0x0a;
}
