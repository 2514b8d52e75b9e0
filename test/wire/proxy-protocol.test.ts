import { expect } from 'chai';
import * as fc from 'fast-check';
import { TurboError } from '../../src/errors.js';
import { crc32c } from '../../src/wire/crc32c.js';
import { encodeProxyV2, PROXY_HEADER_MAX, type ProxyHeader, readProxyHeader } from '../../src/wire/proxy-protocol.js';
import { hex } from '../support/bytes.js';
import { uint16, vector16 } from '../support/hello-bytes.js';
import { holds } from '../support/property.js';

const SIGNATURE = '0d0a0d0a000d0a515549540a';
const IPV4 = hex('c0000201 c6336402 d3e8 01bb');
const IPV4_HEADER: ProxyHeader = {
  command: 'proxy',
  version: 2,
  source: { address: '192.0.2.1', port: 54248 },
  destination: { address: '198.51.100.2', port: 443 },
};

/** A header of version 2, by hand; its length may be told wrong. */
function v2(command: number, family: number, body: Buffer, length = body.length): Buffer {
  return Buffer.concat([hex(SIGNATURE), Buffer.from([command, family]), uint16(length), body]);
}

function tlv(type: number, value: Buffer | string): Buffer {
  return Buffer.concat([Buffer.from([type]), vector16(Buffer.from(value))]);
}

/** PP2_TYPE_SSL. */
function ssl(client: number, verify: number, ...parts: Buffer[]): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt8(client);
  head.writeUInt32BE(verify, 1);
  return tlv(0x20, Buffer.concat([head, ...parts]));
}

function withTlvs(...parts: Buffer[]): Buffer {
  return v2(0x21, 0x11, Buffer.concat([IPV4, ...parts]));
}

function header(bytes: Buffer): ProxyHeader {
  const read = readProxyHeader(bytes);
  if (typeof read === 'string') return expect.fail(read);
  expect(read.length).to.equal(bytes.length);
  return read.header;
}

/** Whole, with bytes behind it, and cut off everywhere. */
function reads(bytes: Buffer, expected: ProxyHeader): void {
  expect(header(bytes)).to.deep.equal(expected);
  const more = Buffer.concat([bytes, bytes, Buffer.from('more')]);
  expect(readProxyHeader(more)).to.deep.equal({ header: expected, length: bytes.length });
  for (let length = 0; length < bytes.length; length++) {
    expect(readProxyHeader(bytes.subarray(0, length)), `${length} bytes`).to.equal('incomplete');
  }
}

/** However much of it there is: once invalid, always so. */
function isInvalid(bytes: Buffer): void {
  expect(readProxyHeader(bytes)).to.equal('invalid');
  expect(readProxyHeader(Buffer.concat([bytes, Buffer.alloc(300)]))).to.equal('invalid');
  for (let length = 0; length < bytes.length; length++) {
    expect(readProxyHeader(bytes.subarray(0, length))).to.be.oneOf(['incomplete', 'invalid']);
  }
}

describe('wire/proxy-protocol', () => {
  describe('version 1', () => {
    const tcp4: ProxyHeader = {
      command: 'proxy',
      version: 1,
      source: { address: '192.168.0.1', port: 56324 },
      destination: { address: '192.168.0.11', port: 443 },
    };

    const good: [string, ProxyHeader][] = [
      ['PROXY TCP4 192.168.0.1 192.168.0.11 56324 443\r\n', tcp4],
      [
        'PROXY TCP4 255.255.255.255 0.0.0.0 65535 0\r\n',
        {
          ...tcp4,
          source: { address: '255.255.255.255', port: 65535 },
          destination: { address: '0.0.0.0', port: 0 },
        },
      ],
      [
        'PROXY TCP6 2001:DB8::1 ::ffff:10.0.0.1 1 2\r\n',
        {
          ...tcp4,
          source: { address: '2001:db8::1', port: 1 },
          destination: { address: '::ffff:10.0.0.1', port: 2 },
        },
      ],
      ['PROXY UNKNOWN\r\n', { command: 'proxy', version: 1 }],
      ['PROXY UNKNOWN anything, even TCP4 1.2.3.4\r\n', { command: 'proxy', version: 1 }],
      [`PROXY UNKNOWN ${'f'.repeat(91)}\r\n`, { command: 'proxy', version: 1 }],
    ];
    for (const [line, expected] of good) it(line.trim(), () => reads(Buffer.from(line), expected));

    const longest = 'ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff';
    it('the longest addresses', () => {
      const line = `PROXY TCP6 ${longest} ${longest} 65535 65535\r\n`;
      expect(line.length).to.equal(104);
      expect(header(Buffer.from(line)).source).to.deep.equal({ address: longest, port: 65535 });
    });

    const bad: string[] = [
      'PROXY tcp4 1.2.3.4 1.2.3.4 1 2\r\n',
      'proxy TCP4 1.2.3.4 1.2.3.4 1 2\r\n',
      'PROXY\tTCP4 1.2.3.4 1.2.3.4 1 2\r\n',
      'PROXY  TCP4 1.2.3.4 1.2.3.4 1 2\r\n',
      'PROXY TCP4  1.2.3.4 1.2.3.4 1 2\r\n',
      'PROXY TCP4 1.2.3.4 1.2.3.4 1 2 \r\n',
      'PROXY TCP4 1.2.3.4 1.2.3.4 1 2 3\r\n',
      'PROXY TCP4 1.2.3.4 1.2.3.4 1\r\n',
      'PROXY TCP4\r\n',
      'PROXY \r\n',
      'PROXY UNKNOWNX\r\n',
      'PROXY UDP4 1.2.3.4 1.2.3.4 1 2\r\n',
      'PROXY TCP4 01.2.3.4 1.2.3.4 1 2\r\n',
      'PROXY TCP4 1.2.3.256 1.2.3.4 1 2\r\n',
      'PROXY TCP4 ::1 ::1 1 2\r\n',
      'PROXY TCP6 1.2.3.4 1.2.3.4 1 2\r\n',
      'PROXY TCP6 fe80::1%eth0 ::1 1 2\r\n',
      'PROXY TCP4 1.2.3.4 1.2.3.4 01 2\r\n',
      'PROXY TCP4 1.2.3.4 1.2.3.4 1 65536\r\n',
      'PROXY TCP4 1.2.3.4 1.2.3.4 1 99999\r\n',
      'PROXY TCP4 1.2.3.4 1.2.3.4 -1 2\r\n',
      'PROXY TCP4 1.2.3.4 1.2.3.4 1e3 2\r\n',
      'PROXY TCP4 1.2.3.4 1.2.3.4 1 2\n',
      'PROXY TCP4 1.2.3.4 1.2.3.4 1 2\r\r\n',
      'PROXY TCP4 1.2.3.4 1.2.3.4\r 1 2\r\n',
      'PROXY TCP4 1.2.3.4 1.2.3.4 1 2\0\r\n',
      'PROXY TCP4 1.2.3.4 1.2.3.4 1 22\n',
      'PROXY UNKNOWN\n',
      'PROXY UNKNOWN and more\n',
      `PROXY UNKNOWN ${'f'.repeat(92)}\r\n`,
      `PROXY UNKNOWN ${'f'.repeat(92)}`.padEnd(107, 'f'),
    ];
    for (const line of bad)
      it(`not ${JSON.stringify(line.slice(0, 60))}`, () => isInvalid(Buffer.from(line, 'latin1')));
  });

  describe('version 2', () => {
    it('over IPv4', () => reads(v2(0x21, 0x11, IPV4), IPV4_HEADER));

    it('over IPv6', () => {
      const body = hex('20010db8000000000000000000000001 00000000000000000000ffff0a000001 0001 ffff');
      reads(v2(0x21, 0x21, body), {
        command: 'proxy',
        version: 2,
        source: { address: '2001:db8::1', port: 1 },
        destination: { address: '::ffff:10.0.0.1', port: 65535 },
      });
    });

    it('LOCAL, with whatever is in it', () => {
      for (const [family, body] of [
        [0x00, Buffer.alloc(0)],
        [0x11, IPV4],
        [0x11, hex('0102')],
        [0xff, Buffer.alloc(700)],
      ] as const) {
        reads(v2(0x20, family, body), { command: 'local', version: 2 });
      }
    });

    it('what it cannot be said of a TCP connection, without addresses', () => {
      const empty: ProxyHeader = { command: 'proxy', version: 2 };
      reads(v2(0x21, 0x00, Buffer.alloc(0)), empty);
      reads(v2(0x21, 0x00, Buffer.alloc(50, 0xff)), empty);
      reads(v2(0x21, 0x01, IPV4), empty);
      reads(v2(0x21, 0x10, hex('ff')), empty);
      reads(v2(0x21, 0x12, IPV4), empty);
      reads(v2(0x21, 0x31, Buffer.concat([Buffer.alloc(216, 0x2f), tlv(1, 'h2')])), { ...empty, alpn: 'h2' });
    });

    it('all that can be said', () => {
      const body = Buffer.concat([
        IPV4,
        tlv(0x01, 'h2'),
        tlv(0x02, 'bücher.example'),
        tlv(0x04, Buffer.alloc(3)),
        ssl(0x07, 0, tlv(0x21, 'TLSv1.3'), tlv(0x24, 'SHA256'), tlv(0x22, 'Änne'), tlv(0x23, 'TLS_AES_128_GCM_SHA256')),
        tlv(0x05, Buffer.alloc(128)),
        tlv(0x30, 'blue'),
        tlv(0xee, Buffer.alloc(300)),
      ]);
      reads(v2(0x21, 0x11, body), {
        ...IPV4_HEADER,
        alpn: 'h2',
        authority: 'bücher.example',
        tls: { verified: true, version: 'TLSv1.3', commonName: 'Änne', cipher: 'TLS_AES_128_GCM_SHA256' },
      });
    });

    it('what is understood once, and the rest any number of times', () => {
      expect(header(withTlvs(tlv(4, ''), tlv(4, 'x'), tlv(0xe0, ''), tlv(0xe0, '')))).to.deep.equal(IPV4_HEADER);
    });

    it('a client certificate as verified only where there was one', () => {
      const cases: [client: number, verify: number, verified: boolean | undefined][] = [
        [0x01, 0, false],
        [0x03, 0, true],
        [0x05, 0, true],
        [0x07, 1, false],
        [0x07, 0x01000000, false],
        [0x01, 1, false],
        [0x06, 0, undefined],
        [0x00, 0, undefined],
      ];
      for (const [client, verify, verified] of cases) {
        expect(header(withTlvs(ssl(client, verify))).tls?.verified, `${client} ${verify}`).to.equal(verified);
      }
    });

    it('a checksum, which must be right for every byte', () => {
      const bytes = withTlvs(tlv(0x03, Buffer.alloc(4)), tlv(0x02, 'a.example'));
      bytes.writeUInt32BE(crc32c(bytes), 16 + 12 + 3);
      reads(bytes, { ...IPV4_HEADER, authority: 'a.example' });
      for (let at = 16; at < bytes.length; at++) {
        // Another type or length of the checksum's own TLV makes it none, or no TLV at all.
        if (at >= 28 && at < 31) continue;
        const other = Buffer.from(bytes);
        other[at] = (other[at] as number) ^ 0x01;
        expect(readProxyHeader(other), `byte ${at}`).to.equal('invalid');
      }
    });

    const bad: [string, Buffer][] = [
      ['version 1 in the binary form', v2(0x11, 0x11, IPV4)],
      ['version 3', v2(0x31, 0x11, IPV4)],
      ['command 2', v2(0x22, 0x11, IPV4)],
      ['command 15', v2(0x2f, 0x11, IPV4)],
      ['family 4', v2(0x21, 0x41, IPV4)],
      ['protocol 3', v2(0x21, 0x13, IPV4)],
      ['addresses cut off', v2(0x21, 0x11, IPV4.subarray(0, 11))],
      ['no addresses', v2(0x21, 0x21, Buffer.alloc(0))],
      ['a byte behind the addresses', withTlvs(Buffer.alloc(1))],
      ['two bytes behind the addresses', withTlvs(Buffer.alloc(2))],
      ['a TLV cut off', withTlvs(hex('01 0003 6832'))],
      ['ALPN twice', withTlvs(tlv(1, 'h2'), tlv(1, 'h2'))],
      ['two names', withTlvs(tlv(2, 'a'), tlv(2, 'b'))],
      ['TLS twice', withTlvs(ssl(1, 0), ssl(1, 0))],
      ['a name that is not UTF-8', withTlvs(tlv(2, hex('61ff')))],
      ['TLS cut off', withTlvs(tlv(0x20, hex('01 000000')))],
      ['a part of TLS cut off', withTlvs(ssl(1, 0, hex('21 0002 61')))],
      ['two common names', withTlvs(ssl(7, 0, tlv(0x22, 'a'), tlv(0x22, 'b')))],
      ['a common name that is not UTF-8', withTlvs(ssl(7, 0, tlv(0x22, hex('c3'))))],
      ['a checksum of 3 bytes', withTlvs(tlv(3, Buffer.alloc(3)))],
      ['a wrong checksum', withTlvs(tlv(3, Buffer.alloc(4)))],
      ['two checksums', withTlvs(tlv(3, Buffer.alloc(4)), tlv(3, Buffer.alloc(4)))],
      ['a signature with another last byte', hex('0d0a0d0a000d0a515549540b 21 11 0000')],
    ];
    for (const [name, bytes] of bad) it(`not ${name}`, () => isInvalid(bytes));

    it('up to its limit, and not over it', () => {
      const fill = PROXY_HEADER_MAX - 16 - IPV4.length - 3;
      reads(withTlvs(tlv(4, Buffer.alloc(fill))), IPV4_HEADER);
      expect(readProxyHeader(withTlvs(tlv(4, Buffer.alloc(fill + 1))).subarray(0, 16))).to.equal('invalid');
    });
  });

  it('knows from the first byte on what is neither', () => {
    for (let value = 0; value < 256; value++) {
      const expected = value === 0x50 || value === 0x0d ? 'incomplete' : 'invalid';
      expect(readProxyHeader(Buffer.from([value]))).to.equal(expected);
    }
    expect(readProxyHeader(Buffer.from('POST / HTTP/1.1\r\n\r\n'))).to.equal('invalid');
    expect(readProxyHeader(Buffer.from('\r\n\r\n'))).to.equal('incomplete');
  });

  describe('writing', () => {
    const source = { address: '192.0.2.1', port: 54248 };
    const destination = { address: '198.51.100.2', port: 443 };

    it('addresses and a checksum', () => {
      const bytes = encodeProxyV2({ command: 'proxy', version: 2, source, destination });
      const expected = v2(0x21, 0x11, Buffer.concat([IPV4, tlv(3, Buffer.alloc(4))]));
      expected.writeUInt32BE(crc32c(expected), expected.length - 4);
      expect(bytes).to.deep.equal(expected);
    });

    it('all that is known, literally', () => {
      const tls = { verified: true, version: 'TLSv1.3', commonName: 'alice', cipher: 'TLS_AES_128_GCM_SHA256' };
      const bytes = encodeProxyV2({
        command: 'proxy',
        version: 2,
        source,
        destination,
        alpn: 'h2',
        authority: 'a.b',
        tls,
      });
      const body = Buffer.concat([
        IPV4,
        hex('01 0002 6832'),
        hex('02 0003 612e62'),
        hex('20 0030 07 00000000 21 0007 544c5376312e33 22 0005 616c696365'),
        hex('23 0016 544c535f4145535f3132385f47434d5f534841323536'),
      ]);
      expect(bytes.subarray(16, 16 + body.length)).to.deep.equal(body);
      expect(bytes.length).to.equal(16 + body.length + 7);
    });

    it('nothing where nothing is to be said', () => {
      expect(encodeProxyV2({ command: 'local', version: 2, source, destination })).to.deep.equal(v2(0x20, 0, hex('')));
      expect(encodeProxyV2({ command: 'proxy', version: 2, source, alpn: 'h2' })).to.deep.equal(v2(0x21, 0, hex('')));
    });

    it('IPv4 of a dual-stack socket as IPv4, and beside IPv6 as IPv6', () => {
      const both = (from: string, to: string) =>
        header(
          encodeProxyV2({
            command: 'proxy',
            version: 2,
            source: { address: from, port: 1 },
            destination: { address: to, port: 2 },
          }),
        );
      expect(both('::ffff:192.0.2.1', '::ffff:192.0.2.2').source?.address).to.equal('192.0.2.1');
      expect(both('::ffff:192.0.2.1', '192.0.2.2').destination?.address).to.equal('192.0.2.2');
      expect(both('192.0.2.1', '2001:db8::1').source?.address).to.equal('::ffff:192.0.2.1');
      expect(both('fe80::1%eth0', 'fe80::2%eth0').source?.address).to.equal('fe80::1');
    });

    it('not what is no address, no port, or too long', () => {
      const bad: Partial<ProxyHeader>[] = [
        { source: { address: 'localhost', port: 1 } },
        { source: { address: '', port: 1 } },
        { destination: { address: '1.2.3.4', port: 65536 } },
        { destination: { address: '1.2.3.4', port: -1 } },
        { destination: { address: '1.2.3.4', port: 1.5 } },
        { destination: { address: '1.2.3.4', port: Number.NaN } },
        { authority: 'a'.repeat(PROXY_HEADER_MAX) },
        { authority: 'a'.repeat(70_000) },
        { tls: { verified: true, commonName: 'a'.repeat(PROXY_HEADER_MAX) } },
      ];
      for (const change of bad) {
        const encode = () => encodeProxyV2({ command: 'proxy', version: 2, source, destination, ...change });
        expect(encode, JSON.stringify(change).slice(0, 50))
          .to.throw(TurboError)
          .with.property('code', 'ERR_TURBO_BAD_OPTION');
      }
    });

    it('property: what is written is read', () => {
      const port = fc.integer({ min: 0, max: 65535 });
      const text = fc.string({ unit: 'grapheme', maxLength: 40 });
      const tls = fc.record(
        { verified: fc.boolean(), version: text, commonName: text, cipher: text },
        { requiredKeys: ['verified'] },
      );
      const rest = fc.record(
        { alpn: fc.string({ unit: 'binary-ascii', maxLength: 255 }), authority: text, tls },
        { requiredKeys: [] },
      );
      const pairs = fc.oneof(fc.tuple(fc.ipV4(), fc.ipV4()), fc.tuple(fc.ipV6(), fc.ipV6()));
      holds(
        fc.property(pairs, port, port, rest, ([from, to], one, two, said) => {
          const written: ProxyHeader = {
            command: 'proxy',
            version: 2,
            source: { address: from, port: one },
            destination: { address: to, port: two },
            ...said,
          };
          const read = header(encodeProxyV2(written));
          // Addresses have more than one text; encoding the text that was read gives the same bytes.
          expect(encodeProxyV2(read)).to.deep.equal(encodeProxyV2(written));
          expect({ alpn: read.alpn, authority: read.authority, tls: read.tls }).to.deep.equal({
            alpn: said.alpn,
            authority: said.authority,
            tls: said.tls,
          });
        }),
      );
    });
  });
});
