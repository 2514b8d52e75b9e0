import { expect } from 'chai';
import * as fc from 'fast-check';
import { PgError } from '../../../../src/codec/pg/errors.js';
import { parseBytea } from '../../../../src/codec/pg/types/bytea.js';
import { typeOids } from '../../../../src/codec/pg/types/oids.js';
import { holds } from '../../../support/property.js';
import { libraryValue } from './library.js';

/** As PostgreSQL's byteaout writes it with bytea_output = escape. */
function escaped(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => {
    if (byte === 0x5c) return '\\\\';
    if (byte >= 0x20 && byte <= 0x7e) return String.fromCharCode(byte);
    return `\\${byte.toString(8).padStart(3, '0')}`;
  }).join('');
}

describe('codec/pg/types/bytea', () => {
  it('parses both formats: vectors', () => {
    expect(parseBytea('\\x')).to.deep.equal(Buffer.alloc(0));
    expect(parseBytea('\\xdeadbeef')).to.deep.equal(Buffer.from('deadbeef', 'hex'));
    expect(parseBytea('\\xDEADBEEF')).to.deep.equal(Buffer.from('deadbeef', 'hex'));
    expect(parseBytea('')).to.deep.equal(Buffer.alloc(0));
    expect(parseBytea('abc')).to.deep.equal(Buffer.from('abc'));
    expect(parseBytea('a\\\\b\\000\\377\\012')).to.deep.equal(Buffer.from('a\\b\0\xff\n', 'latin1'));
    expect(parseBytea('\\\\\\\\x')).to.deep.equal(Buffer.from('\\\\x'));
  });

  it('gives back any bytes in both formats, as node-postgres does', () => {
    holds(
      fc.property(fc.uint8Array(), (bytes) => {
        const expected = Buffer.from(bytes);
        for (const text of [escaped(bytes), `\\x${expected.toString('hex')}`]) {
          expect(parseBytea(text), text).to.deep.equal(expected);
          expect(libraryValue(typeOids.bytea, text), text).to.deep.equal(expected);
        }
      }),
    );
  });

  it('refuses escapes that there are not: node-postgres never comes back from them', () => {
    for (const text of ['\\', 'a\\', '\\a', '\\1', '\\12', '\\8', '\\400', '\\\\\\', '\\00x']) {
      expect(() => parseBytea(text), text)
        .to.throw(PgError)
        .with.property('code', 'ERR_PG_BAD_TEXT');
    }
  });

  it('takes long text in one pass', () => {
    expect(parseBytea('\\\\'.repeat(1_000_000)).length).to.equal(1_000_000);
    expect(parseBytea('\\001'.repeat(1_000_000)).length).to.equal(1_000_000);
  });
});
