import { expect } from 'chai';
import * as fc from 'fast-check';
import { DataRow } from '../../../src/codec/pg/data-row.js';
import { holds } from '../../support/property.js';
import { expectPgError, int16, int32, rowBody, wire } from './wire.js';

/** A row that lies between other bytes. */
function rowOf(body: Buffer): DataRow {
  const bytes = Buffer.concat([Buffer.from('before'), body, Buffer.from('behind')]);
  return new DataRow(bytes, 6, 6 + body.length);
}

const texts = fc.array(
  fc.option(
    fc.oneof(
      fc.string({ maxLength: 40 }),
      fc.string({ maxLength: 40, unit: 'binary' }),
      fc.integer({ min: 100, max: 2000 }).map((length) => 'x'.repeat(length)),
    ),
  ),
  { maxLength: 60 },
);

describe('codec/pg data row', () => {
  it('gives its values as bytes and as text: a vector', () => {
    const row = rowOf(wire("0004 00000002 '42' ffffffff 00000000 00000003 'hé'"));
    expect(row.name).to.equal('DataRow');
    expect(row.length).to.equal(4);
    expect(row.texts()).to.deep.equal(['42', null, '', 'hé']);
    expect(row.bytes(0)?.toString()).to.equal('42');
    expect(row.bytes(1)).to.equal(null);
    expect(row.bytes(2)).to.have.lengthOf(0);
    expect(row.text(3)).to.equal('hé');
    expect(row.byteLength).to.equal(2 + 4 * 4 + 2 + 3);
  });

  it('is a view: nothing is copied', () => {
    const bytes = rowBody(['one', 'two']);
    const row = new DataRow(bytes, 0, bytes.length);
    expect(row.body.buffer).to.equal(bytes.buffer);
    expect(row.bytes(1)?.buffer).to.equal(bytes.buffer);
    expect(row.bytes(1)?.byteOffset).to.equal(bytes.byteOffset + 2 + 4 + 3 + 4);
  });

  it('has no columns but its own', () => {
    const row = DataRow.of(['a', 'b']);
    for (const column of [-1, 2, 65_535, 0.5, Number.NaN, Number.POSITIVE_INFINITY]) {
      expect(row.text(column), `${column}`).to.equal(null);
      expect(row.bytes(column), `${column}`).to.equal(null);
    }
    expect(row.texts()).to.deep.equal(['a', 'b']);
  });

  it('gives any values in any order', () => {
    holds(
      fc.property(texts, fc.array(fc.nat(70), { maxLength: 30 }), (values, order) => {
        const row = rowOf(rowBody(values));
        const expected = values.map((value) => (value === null ? null : Buffer.from(value).toString()));
        expect(row.texts()).to.deep.equal(expected);
        for (const column of order) expect(row.text(column)).to.equal(expected[column] ?? null);
        for (const column of order) expect(row.bytes(column)?.toString()).to.equal(expected[column] ?? undefined);
        expect(expected.map((_, column) => row.text(column))).to.deep.equal(expected);
        expect(DataRow.of(values).body).to.deep.equal(row.body);
      }),
    );
  });

  it('decodes each value by the parser of its column, null as null', () => {
    const row = DataRow.of(['42', null, 'x']);
    const parsers = [Number, () => expect.fail('null is not parsed'), (text: string) => `<${text}>`];
    expect(row.decode(parsers)).to.deep.equal([42, null, '<x>']);
  });

  it('is refused where it has not the columns that were described', () => {
    const row = DataRow.of(['42', null]);
    for (const count of [0, 1, 3]) {
      expectPgError(() => row.decode(new Array<typeof String>(count).fill(String)), 'ERR_PG_PROTOCOL', `${count}`);
    }
  });

  it('is refused where it lies about its length', () => {
    const lies: Record<string, Buffer> = {
      'nothing at all': Buffer.alloc(0),
      'half a column count': Buffer.of(0),
      'columns that are not there': int16(2),
      'as many columns as can be said': wire("ffff 00000001 'a'"),
      'half a length': wire('0001 0000'),
      'a value that is not there': wire('0001 00000001'),
      'a value that ends behind the row': wire("0001 00000003 'ab'"),
      'the longest value': Buffer.concat([int16(1), int32(0x7fff_ffff), Buffer.from('ab')]),
      'a length below null': wire('0001 fffffffe'),
      'the least length': wire("0001 80000000 'ab'"),
      'bytes behind the last value': wire("0001 00000001 'ab'"),
      'bytes behind no value': wire('0000 00'),
    };
    for (const [what, body] of Object.entries(lies)) expectPgError(() => rowOf(body), 'ERR_PG_PROTOCOL', what);
  });
});
