import { expect } from 'chai';
import { isIpv4, packetsOf, parsePacket, type TracedPacket } from '../../../../examples/latency/link/trace.js';

/** As the kernel makes them, but for checksums, with options in the headers that have any. */
function ip(protocol: number, segment: Buffer): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt8(0x46, 0);
  header.writeUInt16BE(24 + segment.length, 2);
  header.writeUInt8(protocol, 9);
  return Buffer.concat([header, segment]);
}

function tcp(flags: number, payload: Buffer | string = ''): Buffer {
  const header = Buffer.alloc(32);
  header.writeUInt16BE(40_000, 0);
  header.writeUInt16BE(443, 2);
  header.writeUInt8(8 << 4, 12);
  header.writeUInt8(flags, 13);
  return ip(6, Buffer.concat([header, Buffer.from(payload)]));
}

function udp(payload: Buffer | string): Buffer {
  const header = Buffer.alloc(8);
  header.writeUInt16BE(40_000, 0);
  header.writeUInt16BE(443, 2);
  return ip(17, Buffer.concat([header, Buffer.from(payload)]));
}

const hex = (text: string) => Buffer.from(text, 'hex');
const PUSH = 0x18;

const LABELS: [label: string, packet: Buffer, payloadBytes: number][] = [
  ['SYN', tcp(0x02), 0],
  ['SYN-ACK', tcp(0x12), 0],
  ['ACK', tcp(0x10), 0],
  ['FIN', tcp(0x11), 0],
  ['RST', tcp(0x14), 0],
  ['tombstone', tcp(PUSH, 'TTLS\0\x20'), 6],
  ['ClientHello', tcp(PUSH, hex('160301020001000001fc')), 10],
  ['ServerHello', tcp(PUSH, hex('16030302000200000000')), 10],
  ['TLS handshake', tcp(PUSH, hex('16030302000b00000000')), 10],
  ['TLS', tcp(PUSH, hex('1403030001011703030020')), 11],
  ['TLS', tcp(PUSH, hex('170303002000')), 6],
  ['TLS', tcp(0x19, hex('170303002000')), 6],
  ['TLS alert', tcp(PUSH, hex('15030300020100')), 7],
  ['SSLRequest', tcp(PUSH, hex('0000000804d2162f')), 8],
  ['data', tcp(PUSH, 'S'), 1],
  ['data', tcp(PUSH, 'some bytes in the midst of a record'), 35],
  ['datagram', udp(hex('0a10ffff')), 4],
  ['QUIC', udp(hex('c300000001')), 5],
  ['UDP', udp('!'), 1],
  ['UDP', udp(''), 0],
];

describe('link trace', () => {
  for (const [label, packet, payloadBytes] of LABELS) {
    it(`tells ${label}, ${payloadBytes} bytes`, () => {
      expect(parsePacket(packet)).to.include({ label, payloadBytes, sourcePort: 40_000, destinationPort: 443 });
    });
  }

  it('tells the protocols', () => {
    expect(parsePacket(tcp(2)).protocol).to.equal('tcp');
    expect(parsePacket(udp('')).protocol).to.equal('udp');
    expect(parsePacket(ip(1, hex('0800')))).to.include({ protocol: 'other', sourcePort: 0, payloadBytes: 2 });
  });

  it('looks for no ports in the later parts of a datagram', () => {
    const last = ip(17, hex('ff'));
    last.writeUInt16BE(185, 6);
    expect(parsePacket(last)).to.include({ protocol: 'udp', sourcePort: 0, label: 'fragment', payloadBytes: 1 });
  });

  it('knows IPv4 from IPv6', () => {
    expect(isIpv4(tcp(2))).to.equal(true);
    expect(isIpv4(Buffer.alloc(48, 0x60))).to.equal(false);
    expect(isIpv4(hex('45'))).to.equal(false);
  });

  it('counts from the start of a connection', () => {
    const syn = { from: 'client', protocol: 'tcp', clientPort: 1, serverPort: 2, label: 'SYN', bytes: 0 } as const;
    const traced: TracedPacket[] = [
      { ...syn, sentAt: 1_001, arrivedAt: 1_011 },
      { ...syn, sentAt: 1_002, arrivedAt: undefined },
    ];
    const common = { from: 'client', protocol: 'tcp', label: 'SYN', bytes: 0 };
    expect(packetsOf(traced, 1_000)).to.deep.equal([
      { ...common, sentAtMs: 1, arrivedAtMs: 11 },
      { ...common, sentAtMs: 2, arrivedAtMs: undefined },
    ]);
  });
});
