import { expect } from 'chai';
import { crc32c } from '../../src/wire/crc32c.js';

describe('wire/crc32c', () => {
  // RFC 3720, appendix B.4, whose bytes are in the order of the wire.
  const vectors: [string, Buffer, number][] = [
    ['32 zeros', Buffer.alloc(32), 0x8a9136aa],
    ['32 ones', Buffer.alloc(32, 0xff), 0x62a8ab43],
    ['0 to 31', Buffer.from(Array.from({ length: 32 }, (_, index) => index)), 0x46dd794e],
    ['31 to 0', Buffer.from(Array.from({ length: 32 }, (_, index) => 31 - index)), 0x113fdb5c],
    ['digits', Buffer.from('123456789'), 0xe3069283],
    ['nothing', Buffer.alloc(0), 0],
  ];
  for (const [name, bytes, expected] of vectors) {
    it(name, () => expect(crc32c(bytes)).to.equal(expected));
  }
});
