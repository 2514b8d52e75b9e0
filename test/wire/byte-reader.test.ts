import { expect } from 'chai';
import { ByteReader } from '../../src/wire/byte-reader.js';
import { hex } from '../support/bytes.js';

describe('wire/byte-reader', () => {
  it('reads from the front, big-endian', () => {
    const reader = new ByteReader(hex('01 0203 04050607 02 0809 0003 0a0b0c ff'));
    expect(reader.uint8()).to.equal(1);
    expect(reader.uint16()).to.equal(0x0203);
    expect(reader.uint32()).to.equal(0x04050607);
    expect(reader.vector8()).to.deep.equal(hex('0809'));
    expect(reader.vector16()).to.deep.equal(hex('0a0b0c'));
    expect(reader.remaining).to.equal(1);
    expect(reader.isWhole).to.equal(false);
    expect(reader.bytes(1)).to.deep.equal(hex('ff'));
    expect(reader.isWhole).to.equal(true);
  });

  it('gives nothing more from the first read beyond the end on', () => {
    const reads: [string, (reader: ByteReader) => unknown][] = [
      ['uint16', (reader) => reader.uint16()],
      ['uint32', (reader) => reader.uint32()],
      ['bytes', (reader) => reader.bytes(2)],
      ['vector8', (reader) => reader.vector8()],
      ['vector16', (reader) => reader.vector16()],
    ];
    for (const [name, read] of reads) {
      const reader = new ByteReader(hex('05'));
      const value = read(reader);
      expect(Buffer.isBuffer(value) ? value.length : value, name).to.equal(0);
      expect(reader.uint8(), name).to.equal(0);
      expect(reader.remaining, name).to.equal(0);
      expect(reader.isWhole, name).to.equal(false);
    }
  });

  it('is whole from the start where there is nothing', () => {
    const reader = new ByteReader(Buffer.alloc(0));
    expect(reader.isWhole).to.equal(true);
    expect(reader.bytes(0).length).to.equal(0);
    expect(reader.isWhole).to.equal(true);
    reader.uint8();
    expect(reader.isWhole).to.equal(false);
  });
});
