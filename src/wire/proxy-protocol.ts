/**
 * The PROXY protocol: who a proxy's client is, in front of what that says (haproxy's doc/proxy-protocol.txt, 2020/03/05;
 * sections are of it). Versions 1 and 2 are read, 2 is written.
 *
 *     v2:  signature 12 │ version, command 1 │ family, protocol 1 │ length 2 │ addresses 12 or 36 │ TLVs
 */
import { TurboError } from '../errors.js';
import { ByteReader } from './byte-reader.js';
import { crc32c } from './crc32c.js';
import { formatIp, mapped, parseIp, parseIpv4, parseIpv6, unmapped } from './ip-address.js';

export interface ProxyEndpoint {
  /** An IP address, as Node writes it. */
  address: string;
  port: number;
}

/** TLS between the client and the proxy. */
export interface ProxyTls {
  /** Whether the client showed a certificate that the proxy has verified. */
  verified: boolean;
  /** As 'TLSv1.3'. */
  version?: string | undefined;
  /** Of the client's certificate. */
  commonName?: string | undefined;
  cipher?: string | undefined;
}

export interface ProxyHeader {
  /** `local`: the proxy itself connects, for a health check, say; nothing else is known then. */
  command: 'proxy' | 'local';
  version: 1 | 2;
  /** Undefined, as is everything that follows, where the proxy could not or would not say. */
  source?: ProxyEndpoint | undefined;
  destination?: ProxyEndpoint | undefined;
  /** What was agreed on, one character for each byte. */
  alpn?: string | undefined;
  /** The host name that the client asked for: SNI, with TLS. */
  authority?: string | undefined;
  tls?: ProxyTls | undefined;
}

/** Bytes of a header that is read or written, at most. It is 536 in the specification's sizes; nginx takes 4,096 too. */
export const PROXY_HEADER_MAX = 4096;

/** Section 2.1. */
const V1_SIGNATURE = Buffer.from('PROXY ');
/** With its CRLF. */
const V1_LINE_MAX = 107;
const CR = 0x0d;
const LF = 0x0a;
/** Up to 65535, without leading zeros. */
const PORT = /^(?:0|[1-9][0-9]{0,4})$/;

/** Section 2.2. */
const V2_SIGNATURE = Buffer.from('\r\n\r\n\0\r\nQUIT\n');
const V2_HEADER_LENGTH = 16;
const VERSION_2 = 0x20;
const COMMAND_LOCAL = 0;
const COMMAND_PROXY = 1;
const FAMILY_MAX = 3;
const PROTOCOL_MAX = 2;
const UNSPEC = 0;
const TCP_OVER_IPV4 = 0x11;
const TCP_OVER_IPV6 = 0x21;
const IPV4_LENGTH = 4;
const IPV6_LENGTH = 16;
/** Bytes of the addresses by family; of Unix sockets twice 108. */
const ADDRESSES_LENGTH = [0, 12, 36, 216] as const;

/** Section 2.2, "The following types". */
const TYPE = { ALPN: 0x01, AUTHORITY: 0x02, CRC32C: 0x03, SSL: 0x20 } as const;
const SSL_TYPE = { VERSION: 0x21, COMMON_NAME: 0x22, CIPHER: 0x23 } as const;
/** Section 2.2.6: bits of `client`. */
const CLIENT_SSL = 0x01;
const CLIENT_CERT_CONN = 0x02;
const CLIENT_CERT_SESS = 0x04;
const CLIENT_CERT = CLIENT_CERT_CONN | CLIENT_CERT_SESS;
const CRC_LENGTH = 4;

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

type Read = { header: ProxyHeader; length: number } | 'incomplete' | 'invalid';

/** The header at the front of `bytes`. Never throws. `incomplete`: valid so far. */
export function readProxyHeader(bytes: Buffer): Read {
  if (beginsAlike(bytes, V2_SIGNATURE)) return readV2(bytes);
  return beginsAlike(bytes, V1_SIGNATURE) ? readV1(bytes) : 'invalid';
}

/** Whether `bytes` begin with the signature, or the signature with them. */
function beginsAlike(bytes: Buffer, signature: Buffer): boolean {
  const length = Math.min(bytes.length, signature.length);
  return bytes.subarray(0, length).equals(signature.subarray(0, length));
}

function readV1(bytes: Buffer): Read {
  const line = bytes.subarray(0, V1_LINE_MAX);
  const end = line.indexOf(LF);
  if (end === -1) return line.length < V1_LINE_MAX ? 'incomplete' : 'invalid';
  if (line[end - 1] !== CR) return 'invalid';
  const header = parseV1(line.toString('latin1', V1_SIGNATURE.length, end - 1).split(' '));
  return header ? { header, length: end + 1 } : 'invalid';
}

function parseV1([family, from = '', to = '', fromPort = '', toPort = '', ...rest]: string[]): ProxyHeader | undefined {
  // Whatever else such a line says is to be ignored.
  if (family === 'UNKNOWN') return { command: 'proxy', version: 1 };
  if ((family !== 'TCP4' && family !== 'TCP6') || rest.length > 0) return undefined;
  const parse = family === 'TCP4' ? parseIpv4 : parseIpv6;
  const [source, destination] = [parse(from), parse(to)];
  if (!source || !destination || !isPort(fromPort) || !isPort(toPort)) return undefined;
  return {
    command: 'proxy',
    version: 1,
    source: { address: formatIp(source), port: Number(fromPort) },
    destination: { address: formatIp(destination), port: Number(toPort) },
  };
}

function isPort(text: string): boolean {
  return PORT.test(text) && Number(text) <= 65535;
}

function readV2(bytes: Buffer): Read {
  const [versionAndCommand = VERSION_2, familyAndProtocol = UNSPEC] = bytes.subarray(V2_SIGNATURE.length);
  const command = versionAndCommand - VERSION_2;
  if (command !== COMMAND_LOCAL && command !== COMMAND_PROXY) return 'invalid';
  // Of a LOCAL header everything but the length is to be discarded.
  if (command === COMMAND_PROXY && !isFamily(familyAndProtocol)) return 'invalid';
  if (bytes.length < V2_HEADER_LENGTH) return 'incomplete';
  const length = V2_HEADER_LENGTH + bytes.readUInt16BE(V2_HEADER_LENGTH - 2);
  if (length > PROXY_HEADER_MAX) return 'invalid';
  if (bytes.length < length) return 'incomplete';
  if (command === COMMAND_LOCAL) return { header: { command: 'local', version: 2 }, length };
  const header = parseV2(bytes.subarray(0, length), familyAndProtocol);
  return header ? { header, length } : 'invalid';
}

function isFamily(familyAndProtocol: number): boolean {
  return familyAndProtocol >> 4 <= FAMILY_MAX && (familyAndProtocol & 0x0f) <= PROTOCOL_MAX;
}

function parseV2(whole: Buffer, familyAndProtocol: number): ProxyHeader | undefined {
  const family = familyAndProtocol >> 4;
  // Unspecified: what follows has no form that could be relied on.
  if (family === UNSPEC || (familyAndProtocol & 0x0f) === UNSPEC) return { command: 'proxy', version: 2 };
  const reader = new ByteReader(whole.subarray(V2_HEADER_LENGTH));
  const addresses = reader.bytes(ADDRESSES_LENGTH[family] as number);
  const tlvs = readTlvs(reader, Object.values(TYPE));
  if (!tlvs || !isChecksumRight(whole, tlvs.get(TYPE.CRC32C))) return undefined;
  const authority = readText(tlvs.get(TYPE.AUTHORITY));
  const tls = readTls(tlvs.get(TYPE.SSL));
  if (authority === MALFORMED || tls === MALFORMED) return undefined;
  const header: ProxyHeader = { command: 'proxy', version: 2, ...readAddresses(familyAndProtocol, addresses) };
  const alpn = tlvs.get(TYPE.ALPN)?.toString('latin1');
  if (alpn !== undefined) header.alpn = alpn;
  if (authority !== undefined) header.authority = authority;
  if (tls !== undefined) header.tls = tls;
  return header;
}

/** Of TCP; those of datagrams and of Unix sockets are no addresses that a TCP connection could come from. */
function readAddresses(familyAndProtocol: number, bytes: Buffer): Pick<ProxyHeader, 'source' | 'destination'> {
  if (familyAndProtocol !== TCP_OVER_IPV4 && familyAndProtocol !== TCP_OVER_IPV6) return {};
  const length = familyAndProtocol === TCP_OVER_IPV4 ? IPV4_LENGTH : IPV6_LENGTH;
  const reader = new ByteReader(bytes);
  const [from, to] = [reader.bytes(length), reader.bytes(length)];
  return {
    source: { address: formatIp(from), port: reader.uint16() },
    destination: { address: formatIp(to), port: reader.uint16() },
  };
}

/** By type, up to the end; of those types that are understood none may come twice, for which would be meant? */
function readTlvs(reader: ByteReader, understood: readonly number[]): Map<number, Buffer> | undefined {
  const tlvs = new Map<number, Buffer>();
  while (reader.remaining > 0) {
    const type = reader.uint8();
    if (tlvs.has(type) && understood.includes(type)) return undefined;
    tlvs.set(type, reader.vector16());
  }
  return reader.isWhole ? tlvs : undefined;
}

/** Section 2.2.3: over the whole header, with zeros where the checksum stands. */
function isChecksumRight(whole: Buffer, checksum: Buffer | undefined): boolean {
  if (!checksum) return true;
  if (checksum.length !== CRC_LENGTH) return false;
  const copy = Buffer.from(whole);
  const at = checksum.byteOffset - whole.byteOffset;
  copy.fill(0, at, at + CRC_LENGTH);
  return crc32c(copy) === checksum.readUInt32BE();
}

const MALFORMED = Symbol('malformed');

function readText(bytes: Buffer | undefined): string | undefined | typeof MALFORMED {
  if (!bytes) return undefined;
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return MALFORMED;
  }
}

function readTls(bytes: Buffer | undefined): ProxyTls | undefined | typeof MALFORMED {
  if (!bytes) return undefined;
  const reader = new ByteReader(bytes);
  const client = reader.uint8();
  const verify = reader.uint32();
  const tlvs = readTlvs(reader, Object.values(SSL_TYPE));
  if (!tlvs) return MALFORMED;
  const version = readText(tlvs.get(SSL_TYPE.VERSION));
  const commonName = readText(tlvs.get(SSL_TYPE.COMMON_NAME));
  const cipher = readText(tlvs.get(SSL_TYPE.CIPHER));
  if (version === MALFORMED || commonName === MALFORMED || cipher === MALFORMED) return MALFORMED;
  if (!(client & CLIENT_SSL)) return undefined;
  // HAProxy sends 0, "verified", where there was no certificate as well.
  const tls: ProxyTls = { verified: verify === 0 && (client & CLIENT_CERT) !== 0 };
  if (version !== undefined) tls.version = version;
  if (commonName !== undefined) tls.commonName = commonName;
  if (cipher !== undefined) tls.cipher = cipher;
  return tls;
}

/**
 * The bytes of a header of version 2, with a checksum; `version` is not looked at. Where it is not known who connects to
 * what, it says nothing else either. Two addresses of different families go as IPv6.
 * @throws TurboError ERR_TURBO_BAD_OPTION for what is no IP address or port, and for more than PROXY_HEADER_MAX bytes
 */
export function encodeProxyV2(header: ProxyHeader): Buffer {
  if (header.command === 'local') return v2(COMMAND_LOCAL, UNSPEC);
  if (!header.source || !header.destination) return v2(COMMAND_PROXY, UNSPEC);
  const { familyAndProtocol, addresses } = encodeAddresses(header.source, header.destination);
  const checksum = tlv(TYPE.CRC32C, Buffer.alloc(CRC_LENGTH));
  const whole = v2(COMMAND_PROXY, familyAndProtocol, addresses, ...encodeTlvs(header), checksum);
  whole.writeUInt32BE(crc32c(whole), whole.length - CRC_LENGTH);
  return whole;
}

function v2(command: number, familyAndProtocol: number, ...parts: Buffer[]): Buffer {
  const body = Buffer.concat(parts);
  const length = V2_HEADER_LENGTH + body.length;
  if (length > PROXY_HEADER_MAX) throw badHeader(`it would be ${length} bytes long, over ${PROXY_HEADER_MAX}`);
  const head = Buffer.from([VERSION_2 + command, familyAndProtocol, body.length >> 8, body.length & 0xff]);
  return Buffer.concat([V2_SIGNATURE, head, body]);
}

function encodeAddresses(source: ProxyEndpoint, destination: ProxyEndpoint) {
  const [from, to] = [bytesOf(source.address), bytesOf(destination.address)];
  const isIpv4 = from.length === IPV4_LENGTH && to.length === IPV4_LENGTH;
  const ports = Buffer.concat([encodePort(source.port), encodePort(destination.port)]);
  return isIpv4
    ? { familyAndProtocol: TCP_OVER_IPV4, addresses: Buffer.concat([from, to, ports]) }
    : { familyAndProtocol: TCP_OVER_IPV6, addresses: Buffer.concat([mapped(from), mapped(to), ports]) };
}

/** A dual-stack socket tells IPv4 peers as IPv6 ones, and link-local ones with their interface: neither is meant. */
function bytesOf(address: string): Buffer {
  const bytes = parseIp(address.split('%', 1)[0] as string);
  if (!bytes) throw badHeader(`${JSON.stringify(address)} is no IP address`);
  return unmapped(bytes);
}

function encodePort(port: number): Buffer {
  if (!isPort(String(port))) throw badHeader(`${port} is no port`);
  return Buffer.from([port >> 8, port & 0xff]);
}

function encodeTlvs({ alpn, authority, tls }: ProxyHeader): Buffer[] {
  const tlvs: Buffer[] = [];
  if (alpn !== undefined) tlvs.push(tlv(TYPE.ALPN, Buffer.from(alpn, 'latin1')));
  if (authority !== undefined) tlvs.push(tlv(TYPE.AUTHORITY, Buffer.from(authority)));
  if (tls) tlvs.push(tlv(TYPE.SSL, encodeTls(tls)));
  return tlvs;
}

function encodeTls({ verified, version, commonName, cipher }: ProxyTls): Buffer {
  const hasCertificate = verified || commonName !== undefined;
  const client = CLIENT_SSL | (hasCertificate ? CLIENT_CERT : 0);
  const texts = [
    [SSL_TYPE.VERSION, version],
    [SSL_TYPE.COMMON_NAME, commonName],
    [SSL_TYPE.CIPHER, cipher],
  ] as const;
  const tlvs = texts.flatMap(([type, text]) => (text === undefined ? [] : [tlv(type, Buffer.from(text))]));
  return Buffer.concat([Buffer.from([client, 0, 0, 0, verified ? 0 : 1]), ...tlvs]);
}

function tlv(type: number, value: Buffer): Buffer {
  if (value.length > PROXY_HEADER_MAX) throw badHeader(`its part ${type} is ${value.length} bytes long`);
  return Buffer.concat([Buffer.from([type, value.length >> 8, value.length & 0xff]), value]);
}

function badHeader(detail: string): TurboError {
  return new TurboError('ERR_TURBO_BAD_OPTION', `a PROXY header: ${detail}`);
}
