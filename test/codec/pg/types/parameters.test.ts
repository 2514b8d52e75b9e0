import { runInNewContext } from 'node:vm';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { PgError } from '../../../../src/codec/pg/errors.js';
import { PostgresInterval } from '../../../../src/codec/pg/types/interval.js';
import { encodeParameter } from '../../../../src/codec/pg/types/parameters.js';
import { holds } from '../../../support/property.js';
import { prepareValue } from './library.js';

function expectBadValue(value: unknown, message?: string): void {
  expect(() => encodeParameter(value), message)
    .to.throw(PgError)
    .with.property('code', 'ERR_PG_BAD_VALUE');
}

function convertible(result: unknown): object {
  return { toPostgres: () => result };
}

/** A value in `levels` arrays. */
function nested(levels: number): unknown {
  return levels === 0 ? 'x' : [nested(levels - 1)];
}

describe('codec/pg/types/parameters', () => {
  const bytes = Buffer.from([0, 1, 0xfe]);
  const vectors: [string, unknown, string | Buffer | null][] = [
    ['null', null, null],
    ['undefined', undefined, null],
    ['a string', 'a"b\\', 'a"b\\'],
    ['an empty string', '', ''],
    ['true', true, 'true'],
    ['false', false, 'false'],
    ['-0', -0, '0'],
    ['a fraction', 1.5e-7, '1.5e-7'],
    ['NaN', Number.NaN, 'NaN'],
    ['-Infinity', -Infinity, '-Infinity'],
    ['a bigint', -9_223_372_036_854_775_808n, '-9223372036854775808'],
    ['a Buffer', bytes, bytes],
    ['a Uint8Array', new Uint8Array(bytes), bytes],
    ['a DataView of a part', new DataView(Uint8Array.of(9, 0, 1, 0xfe, 9).buffer, 1, 3), bytes],
    ['a Uint16Array', Uint16Array.of(0x0101), Buffer.from([1, 1])],
    ['an empty array', [], '{}'],
    ['an array of strings', ['a', '', 'NULL', 'a"b', 'a\\b', '{,}'], '{"a","","NULL","a\\"b","a\\\\b","{,}"}'],
    ['an array of others', [1, true, 2n, null, undefined], '{"1","true","2",NULL,NULL}'],
    [
      'an array of arrays',
      [
        [1, null],
        [[], ['x']],
      ],
      '{{"1",NULL},{{},{"x"}}}',
    ],
    ['an array of bytes', [bytes, new Uint8Array(bytes)], '{\\\\x0001fe,\\\\x0001fe}'],
    ['an array of objects', [{ a: '"' }], '{"{\\"a\\":\\"\\\\\\"\\"}"}'],
    ['an object', { a: [1, null], b: undefined }, '{"a":[1,null]}'],
    ['an object without a prototype', Object.assign(Object.create(null), { a: 1 }), '{"a":1}'],
    ['an object with toJSON()', { toJSON: () => 'x' }, '"x"'],
    ['an object whose toJSON() gives nothing', { toJSON: () => undefined }, null],
    ['an object with a toPostgres that is no function', { toPostgres: 1 }, '{"toPostgres":1}'],
    ['toPostgres() of a string', convertible('x'), 'x'],
    ['toPostgres() of null', convertible(null), null],
    ['toPostgres() of bytes', convertible(bytes), bytes],
    ['toPostgres() of an array', convertible([1, [2]]), '{"1",{"2"}}'],
    ['toPostgres() of toPostgres()', convertible(convertible(7)), '7'],
    ['toPostgres() in an array', [convertible('a"b'), convertible(5)], '{"a\\"b","5"}'],
    ['an interval', new PostgresInterval({ days: 1, milliseconds: 5 }), '0.005 seconds 1 days'],
  ];
  for (const [name, value, expected] of vectors) {
    it(`encodes ${name}`, () => {
      expect(encodeParameter(value)).to.deep.equal(expected);
    });
  }

  it('gives what node-postgres gives, of the vectors', () => {
    for (const [name, value, expected] of vectors) {
      if (value instanceof PostgresInterval) continue;
      expect(prepareValue(value) ?? null, name).to.deep.equal(expected);
    }
  });

  it('gives what node-postgres gives, of anything', () => {
    const scalar = fc.oneof(
      fc.constantFrom(null, undefined, '', 'NULL', '"', '\\'),
      fc.string({ unit: 'binary' }),
      fc.double(),
      fc.bigInt(),
      fc.boolean(),
      fc.uint8Array(),
      fc.uint8Array().map((value) => Buffer.from(value)),
      fc.date({ noInvalidDate: true, min: new Date('1980-01-01') }),
      fc.dictionary(fc.string(), fc.jsonValue()),
      fc.string().map(convertible),
    );
    const { value } = fc.letrec<{ value: unknown; list: unknown[] }>((tie) => ({
      value: fc.oneof({ depthSize: 'small', withCrossShrink: true }, scalar, tie('list')),
      list: fc.array(tie('value'), { maxLength: 4 }),
    }));
    holds(
      fc.property(value, (any) => {
        expect(encodeParameter(any)).to.deep.equal(prepareValue(any) ?? null);
      }),
      { numRuns: 1000 },
    );
  });

  it('encodes Dates as local time with its offset, in arrays too', () => {
    const date = new Date('2024-02-29T12:34:56.789Z');
    expect(encodeParameter(date)).to.match(/^2024-0[23]-\d\dT\d\d:\d\d:56\.789[+-]\d\d:\d\d$/);
    expect(encodeParameter(date)).to.equal(prepareValue(date));
    expect(encodeParameter([date])).to.equal(`{"${encodeParameter(date)}"}`);
  });

  it('knows Dates and arrays of other realms', () => {
    const date = runInNewContext('new Date(1709210096789)') as Date;
    expect(encodeParameter(date)).to.equal(encodeParameter(new Date(1_709_210_096_789)));
    expect(encodeParameter(runInNewContext('[1, "a"]'))).to.equal('{"1","a"}');
  });

  it('does not copy bytes', () => {
    const view = new Uint8Array(8).subarray(2, 6);
    const value = encodeParameter(view) as Buffer;
    expect(value.buffer).to.equal(view.buffer);
    expect(value.byteOffset).to.equal(2);
    expect(encodeParameter(bytes)).to.equal(bytes);
  });

  it('takes an ArrayBuffer for bytes: node-postgres sends {}', () => {
    const buffer = Uint8Array.from(bytes).buffer;
    expect(encodeParameter(buffer)).to.deep.equal(bytes);
    expect(encodeParameter([buffer])).to.equal('{\\\\x0001fe}');
    expect(prepareValue(buffer)).to.equal('{}');
  });

  it('takes null and bytes of toPostgres() in an array: node-postgres crashes', () => {
    expect(encodeParameter([convertible(null), convertible(bytes)])).to.equal('{NULL,\\\\x0001fe}');
    expect(() => prepareValue([convertible(null)])).to.throw(TypeError);
    expect(() => prepareValue([convertible(bytes)])).to.throw(TypeError);
  });

  it('writes holes of an array as NULL', () => {
    const holes: unknown[] = [1];
    holes[2] = 3;
    expect(encodeParameter(holes)).to.equal('{"1",NULL,"3"}');
    expect(prepareValue(holes)).to.equal('{"1",NULL,"3"}');
  });

  it('gives toPostgres() the encoder, and its own this', () => {
    const point = {
      x: 1,
      toPostgres(encode: (value: unknown) => unknown) {
        return `(${this.x},${encode([1])})`;
      },
    };
    expect(encodeParameter(point)).to.equal('(1,{"1"})');
    expect(prepareValue(point)).to.equal('(1,{"1"})');
  });

  it('refuses what is no value', () => {
    expectBadValue(() => 1, 'a function');
    expectBadValue(class {}, 'a class');
    expectBadValue(Symbol('x'), 'a symbol');
    expectBadValue(new Date(Number.NaN), 'an invalid Date');
    expectBadValue([1, [Symbol('x')]], 'a symbol in an array');
    expectBadValue([new Date(Number.NaN)], 'an invalid Date in an array');
    expectBadValue(
      convertible(() => 1),
      'a function of toPostgres()',
    );
    expectBadValue({ a: 1n }, 'a bigint in an object: JSON has none');
  });

  it('refuses what contains itself', () => {
    const array: unknown[] = [];
    array.push([array]);
    expectBadValue(array, 'an array');
    const object: Record<string, unknown> = {};
    object.self = object;
    expectBadValue(object, 'an object');
    const self = { toPostgres: (): object => self };
    expectBadValue(self, 'toPostgres() of itself');
    const fresh = (): object => ({ toPostgres: fresh });
    expectBadValue(fresh(), 'toPostgres() without end');
    const listed = { toPostgres: (): object => [listed, listed] };
    expectBadValue(listed, 'toPostgres() in an array of itself');
  });

  it('leaves it to the server how many dimensions there are', () => {
    expect(encodeParameter(nested(10))).to.equal(`${'{'.repeat(10)}"x"${'}'.repeat(10)}`);
    expectBadValue(nested(1000), 'a thousand');
  });

  it('passes on what toPostgres() and toJSON() throw', () => {
    const failure = new RangeError('mine');
    const thrower = (): never => {
      throw failure;
    };
    expect(() => encodeParameter({ toPostgres: thrower })).to.throw(failure);
    expect(() => encodeParameter({ toJSON: thrower }))
      .to.throw(PgError)
      .with.property('cause', failure);
  });

  it('says nothing of the value', () => {
    for (const value of [Symbol('secret'), { secret: 1n }, function secret() {}]) {
      try {
        encodeParameter(value);
        expect.fail('it was taken');
      } catch (error) {
        expect((error as Error).message).not.to.include('secret');
      }
    }
  });
});
