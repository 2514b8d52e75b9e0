/** What the packets on the link were, for people who look at them. */
import type { Packet } from '../../../src/compare/model.js';

/** A packet as the link recorded it. Times are those of `monotonicMs`. */
export interface TracedPacket {
  from: 'client' | 'server';
  protocol: 'tcp' | 'udp';
  clientPort: number;
  serverPort: number;
  /** When it entered the link. */
  sentAt: number;
  /** When it left it, or will; undefined where it was lost. Of a duplicate the first one. */
  arrivedAt: number | undefined;
  label: string;
  /** Of payload. */
  bytes: number;
}

/** The packets of a connection that was started at that time of `monotonicMs`. */
export function packetsOf(traced: readonly TracedPacket[], startedAt: number): Packet[] {
  return traced.map(({ from, protocol, sentAt, arrivedAt, label, bytes }) => ({
    from,
    protocol,
    sentAtMs: sentAt - startedAt,
    arrivedAtMs: arrivedAt === undefined ? undefined : arrivedAt - startedAt,
    label,
    bytes,
  }));
}

export interface ParsedPacket {
  protocol: 'tcp' | 'udp' | 'other';
  sourcePort: number;
  destinationPort: number;
  label: string;
  payloadBytes: number;
}

/** RFC 791, section 3.1. */
const IP_VERSION_4 = 4;
const IP_FRAGMENT = 6;
const IP_FRAGMENT_OFFSET = 0x1fff;
const IP_PROTOCOL = 9;
const PROTOCOL_TCP = 6;
const PROTOCOL_UDP = 17;
/** RFC 9293, section 3.1. */
const TCP_DATA_OFFSET = 12;
const TCP_FLAGS = 13;
const FIN = 0x01;
const SYN = 0x02;
const RST = 0x04;
const ACK = 0x10;
const UDP_HEADER = 8;

const PG_SSL_REQUEST = Buffer.from([0, 0, 0, 8, 0x04, 0xd2, 0x16, 0x2f]);
const TTLS = Buffer.from('TTLS');
/** How datagrams of TurboTLS begin: field 1, 16 bytes. */
const TURBO_DATAGRAM = Buffer.from([0x0a, 0x10]);
/** RFC 8446, sections 4 and 5.1. */
const TLS_HANDSHAKES: Record<number, string> = { 1: 'ClientHello', 2: 'ServerHello' };
const TLS_RECORDS: Record<number, string> = { 20: 'TLS', 21: 'TLS alert', 22: 'TLS handshake', 23: 'TLS' };

export function isIpv4(packet: Buffer): boolean {
  return packet.length >= 20 && packet.readUInt8(0) >> 4 === IP_VERSION_4;
}

/** Takes IPv4 alone. */
export function protocolOf(packet: Buffer): ParsedPacket['protocol'] {
  const protocol = packet.readUInt8(IP_PROTOCOL);
  if (protocol === PROTOCOL_TCP) return 'tcp';
  return protocol === PROTOCOL_UDP ? 'udp' : 'other';
}

/** Takes IPv4 as the kernel makes it. Ports are 0 where there are none, as in all fragments but the first. */
export function parsePacket(packet: Buffer): ParsedPacket {
  const protocol = protocolOf(packet);
  const segment = packet.subarray((packet.readUInt8(0) & 0x0f) * 4);
  const isFragment = (packet.readUInt16BE(IP_FRAGMENT) & IP_FRAGMENT_OFFSET) !== 0;
  if (isFragment || protocol === 'other') {
    const label = isFragment ? 'fragment' : 'other';
    return { protocol, sourcePort: 0, destinationPort: 0, label, payloadBytes: segment.length };
  }
  const ports = { protocol, sourcePort: segment.readUInt16BE(0), destinationPort: segment.readUInt16BE(2) };
  if (protocol === 'udp') {
    const payload = segment.subarray(UDP_HEADER);
    return { ...ports, label: datagramLabel(payload), payloadBytes: payload.length };
  }
  const payload = segment.subarray((segment.readUInt8(TCP_DATA_OFFSET) >> 4) * 4);
  const label = payload.length > 0 ? streamLabel(payload) : flagsLabel(segment.readUInt8(TCP_FLAGS));
  return { ...ports, label, payloadBytes: payload.length };
}

function flagsLabel(flags: number): string {
  if (flags & RST) return 'RST';
  if (flags & SYN) return flags & ACK ? 'SYN-ACK' : 'SYN';
  return flags & FIN ? 'FIN' : 'ACK';
}

function datagramLabel(payload: Buffer): string {
  if (beginsWith(payload, TURBO_DATAGRAM)) return 'datagram';
  // RFC 9000, section 17: all packets of version 1 have this bit.
  return payload.length > 0 && payload.readUInt8(0) & 0x40 ? 'QUIC' : 'UDP';
}

/** Of a segment in the midst of a record nothing can be told. */
function streamLabel(payload: Buffer): string {
  if (beginsWith(payload, TTLS)) return 'tombstone';
  if (payload.equals(PG_SSL_REQUEST)) return 'SSLRequest';
  if (payload.length < 6 || payload.readUInt8(1) !== 3) return 'data';
  const record = TLS_RECORDS[payload.readUInt8(0)];
  if (record !== 'TLS handshake') return record ?? 'data';
  return TLS_HANDSHAKES[payload.readUInt8(5)] ?? record;
}

function beginsWith(payload: Buffer, start: Buffer): boolean {
  return payload.subarray(0, start.length).equals(start);
}
