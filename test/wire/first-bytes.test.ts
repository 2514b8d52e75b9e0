import { expect } from 'chai';
import { type Detection, detectFirstBytes, FIRST_BYTES_MAX, type FirstBytes } from '../../src/wire/first-bytes.js';
import { framed, hex } from '../support/bytes.js';

/** A CancelRequest whose length field says `length`. */
function cancelRequest(length: number): Buffer {
  const bytes = Buffer.alloc(Math.max(length, 12), 0x55);
  bytes.writeUInt32BE(length, 0);
  bytes.writeUInt32BE(80877102, 4);
  return bytes;
}

/** What each protocol says first, and from how many bytes on it is told. Every protocol must be here. */
const PROTOCOLS: Record<FirstBytes, { bytes: Buffer; decidedAt: number }> = {
  tombstone: { bytes: framed(Buffer.alloc(48)), decidedAt: 4 },
  tls: { bytes: hex('16 0301 0200 01 0001fc 0303'), decidedAt: 2 },
  'pg-ssl-request': { bytes: hex('00000008 04d2162f'), decidedAt: 8 },
  'pg-gssenc-request': { bytes: hex('00000008 04d21630'), decidedAt: 8 },
  'pg-cancel-request': { bytes: hex('00000010 04d2162e 00000539 0000162e'), decidedAt: 8 },
  'pg-startup': { bytes: hex('00000029 00030000 7573657200'), decidedAt: 6 },
  'proxy-v1': { bytes: Buffer.from('PROXY TCP4 192.0.2.1 192.0.2.2 56324 443\r\n'), decidedAt: 6 },
  'proxy-v2': { bytes: hex('0d0a0d0a000d0a515549540a 21 11 000c'), decidedAt: 12 },
};

describe('wire/first-bytes', () => {
  for (const [protocol, { bytes, decidedAt }] of Object.entries(PROTOCOLS)) {
    it(`tells ${protocol} from ${decidedAt} bytes on, at every split point`, () => {
      for (let length = 0; length <= bytes.length; length++) {
        const expected = length < decidedAt ? 'undecided' : protocol;
        expect(detectFirstBytes(bytes.subarray(0, length)), `${length} bytes`).to.equal(expected);
      }
      expect(decidedAt).to.be.at.most(FIRST_BYTES_MAX);
    });

    it(`is not misled by any other byte within ${protocol}`, () => {
      for (let at = 0; at < decidedAt; at++) {
        for (let value = 0; value < 256; value++) {
          const other = Buffer.from(bytes);
          other[at] = value;
          const detected = detectFirstBytes(other);
          expect(detected, `byte ${at} = ${value}`).to.equal(expectation(other));
        }
      }
    });
  }

  it('takes the lengths of a CancelRequest from 16 to 268, and no other', () => {
    for (let length = 0; length <= 600; length++) {
      const expected = length >= 16 && length <= 268 ? 'pg-cancel-request' : 'unknown';
      expect(detectFirstBytes(cancelRequest(length)), `length ${length}`).to.equal(expected);
    }
    expect(detectFirstBytes(cancelRequest(8))).to.equal('unknown');
    expect(detectFirstBytes(hex('00010010 04d2162e'))).to.equal('unknown');
  });

  it('takes the lengths of a StartupMessage that PostgreSQL takes, from 8 to 10,004, of any minor version', () => {
    for (let length = 0; length <= 0x10100; length++) {
      const expected = length >= 8 && length <= 10_004 ? 'pg-startup' : 'unknown';
      const bytes = hex('00000000 0003ffff');
      bytes.writeUInt32BE(length);
      expect(detectFirstBytes(bytes), `length ${length}`).to.equal(expected);
      const undecided = expected === 'unknown' ? 'unknown' : 'undecided';
      expect(detectFirstBytes(bytes.subarray(0, 4)), `length ${length}`).to.equal(undecided);
    }
  });

  const others: [string, Buffer][] = [
    ['HTTP', Buffer.from('GET / HTTP/1.1\r\n\r\n')],
    ['HTTP/2', Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n')],
    ['SSH', Buffer.from('SSH-2.0-OpenSSH_9.9\r\n')],
    ['a StartupMessage of protocol 2', hex('00000128 00020000 7573657200')],
    ['a StartupMessage of protocol 4', hex('00000029 00040000 7573657200')],
    ['a cancel code with a wrong length of 8', hex('00000008 04d2162e')],
    ['RESP', Buffer.from('*1\r\n$4\r\nPING\r\n')],
    ['SSL 2', hex('802e 01 0301')],
    ['a TLS alert', hex('15 0301 0002 0228')],
    ['a TLS record of major version 2', hex('16 0201')],
    ['a datagram of turbotls', hex('0a10')],
    ['lower case', Buffer.from('ttls')],
    ['PROXY without its blank', Buffer.from('PROXYTCP4')],
    ['zeros', Buffer.alloc(16)],
  ];
  for (const [name, bytes] of others) {
    it(`knows nothing of ${name}`, () => {
      expect(detectFirstBytes(bytes)).to.equal('unknown');
    });
  }

  it('says unknown at the first byte that no protocol begins with', () => {
    const firsts = new Set([0x54, 0x16, 0x00, 0x50, 0x0d]);
    for (let value = 0; value < 256; value++) {
      expect(detectFirstBytes(Buffer.from([value])), `${value}`).to.equal(firsts.has(value) ? 'undecided' : 'unknown');
    }
  });

  it('consumes and changes nothing', () => {
    for (const { bytes } of Object.values(PROTOCOLS)) {
      const frozen = new Uint8Array(bytes);
      detectFirstBytes(frozen);
      expect(Buffer.from(frozen)).to.deep.equal(bytes);
    }
  });
});

/** The rule, written another way: by regular expression over hexadecimal digits. */
function expectation(bytes: Buffer): Detection {
  const digits = bytes.toString('hex');
  if (/^54544c53/.test(digits)) return 'tombstone';
  if (/^1603/.test(digits)) return 'tls';
  if (/^0000000804d2162f/.test(digits)) return 'pg-ssl-request';
  if (/^0000000804d21630/.test(digits)) return 'pg-gssenc-request';
  if (/^50524f585920/.test(digits)) return 'proxy-v1';
  if (/^0d0a0d0a000d0a515549540a/.test(digits)) return 'proxy-v2';
  const length = Number.parseInt(digits.slice(0, 8), 16);
  if (length >= 8 && length <= 10_004 && digits.slice(8, 12) === '0003') return 'pg-startup';
  if (length >= 16 && length <= 268 && digits.slice(8, 16) === '04d2162e') return 'pg-cancel-request';
  return 'unknown';
}
