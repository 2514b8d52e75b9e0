import { expect } from 'chai';
import * as fc from 'fast-check';
import { PgError } from '../../../../src/codec/pg/errors.js';
import { arrayParser } from '../../../../src/codec/pg/types/array.js';
import { arrayOid, typeOids } from '../../../../src/codec/pg/types/oids.js';
import { encodeParameter } from '../../../../src/codec/pg/types/parameters.js';
import { type TypeOverrides, TypeRegistry } from '../../../../src/codec/pg/types/registry.js';
import { holds } from '../../../support/property.js';
import { libraryValue, plain } from './library.js';
import { anySamples, samples } from './samples.js';
import { inTimeZone, timeZones } from './time-zones.js';

const registry = new TypeRegistry();

function parse(oid: number, text: string): unknown {
  return registry.parser(oid)(text);
}

function samplesOf(name: string): readonly string[] {
  return samples[name] ?? anySamples;
}

/** Array literals with the samples of the element type: each alone, all of them, nested, with NULL, with bounds. */
function arrayTexts(elementName: string): string[] {
  const elements = samplesOf(elementName);
  const pairs = elements.map((element) => [element, null]);
  const values = [[], [null], elements, [pairs, pairs], ...elements.map((element) => [element])];
  const texts = values.map((value) => encodeParameter(value) as string);
  return [...texts, `[2:${elements.length + 1}]=${encodeParameter(elements)}`, ...unquoted(elements)];
}

/** As PostgreSQL writes elements that need no quotes. */
function unquoted(elements: readonly string[]): string[] {
  const plainElements = elements.filter((element) => /^[^\s{}",\\]+$/.test(element) && !/^null$/i.test(element));
  return plainElements.length === 0 ? [] : [`{${plainElements.join(',')},NULL}`];
}

describe('codec/pg/types/registry', () => {
  for (const [name, oid] of Object.entries(typeOids)) {
    it(`gives what node-postgres gives for ${name}`, () => {
      const texts = name.startsWith('_') ? arrayTexts(name.slice(1)) : samplesOf(name);
      for (const zone of timeZones) {
        inTimeZone(zone, () => {
          for (const text of texts) {
            expect(plain(parse(oid, text)), `${zone} ${text}`).to.deep.equal(plain(libraryValue(oid, text)));
          }
        });
      }
    });
  }

  it('gives values of the types that applications expect', () => {
    expect(parse(typeOids.bool, 't')).to.equal(true);
    expect(parse(typeOids.int4, '-2147483648')).to.equal(-2_147_483_648);
    expect(parse(typeOids.int8, '9223372036854775807')).to.equal('9223372036854775807');
    expect(parse(typeOids.numeric, '0.10')).to.equal('0.10');
    expect(parse(typeOids._numeric, '{0.10,NaN}')).to.deep.equal([0.1, Number.NaN]);
    expect(parse(typeOids.money, '$1.00')).to.equal('$1.00');
    expect(parse(typeOids.jsonb, '{"a":[1]}')).to.deep.equal({ a: [1] });
    expect(parse(typeOids._json, '{"{\\"a\\":1}",NULL,"null"}')).to.deep.equal([{ a: 1 }, null, null]);
    expect(parse(typeOids._bytea, '{"\\\\x00ff"}')).to.deep.equal([Buffer.from([0, 255])]);
    expect(parse(typeOids.int4range, '[1,2)')).to.equal('[1,2)');
    expect(parse(typeOids._int4range, '{"[1,2)"}')).to.equal('{"[1,2)"}');
    expect(parse(0, 'x')).to.equal('x');
    expect(parse(999_999, '{a}')).to.equal('{a}');
  });

  it('gives what node-postgres gives for any number', () => {
    const number = fc.oneof(fc.double(), fc.float(), fc.integer()).map((value) => String(value));
    holds(
      fc.property(number, (text) => {
        for (const oid of [typeOids.float8, typeOids.float4, typeOids.int4, typeOids.int8, typeOids.numeric]) {
          expect(parse(oid, text)).to.deep.equal(libraryValue(oid, text));
        }
        expect(parse(typeOids.float8, text)).to.deep.equal(Number(text));
      }),
    );
  });

  it('gives what node-postgres gives for any JSON', () => {
    holds(
      fc.property(fc.json({ stringUnit: 'binary' }), (text) => {
        expect(parse(typeOids.jsonb, text)).to.deep.equal(libraryValue(typeOids.jsonb, text));
        const list = encodeParameter([text, null, text]) as string;
        expect(parse(typeOids._jsonb, list)).to.deep.equal(libraryValue(typeOids._jsonb, list));
      }),
    );
  });

  it('says with a code what no server sends', () => {
    for (const [oid, text] of [
      [typeOids.json, '{SECRET'],
      [typeOids._json, '{"{SECRET"}'],
      [typeOids._int4, 'SECRET'],
      [typeOids._text, '{"SECRET'],
      [typeOids.point, 'SECRET'],
      [typeOids.bytea, '\\9SECRET'],
    ] as const) {
      const failing = (): unknown => parse(oid, text);
      expect(failing, text).to.throw(PgError).with.property('code', 'ERR_PG_BAD_TEXT');
      expect(failing, text).to.throw(PgError).with.property('message').not.to.include('SECRET');
    }
    expect(() => parse(typeOids.json, '{'))
      .to.throw(PgError)
      .with.property('cause')
      .an.instanceOf(SyntaxError);
  });

  it('takes deep JSON as it is', () => {
    const depth = 100_000;
    let value = parse(typeOids.json, '['.repeat(depth) + ']'.repeat(depth));
    for (let level = 1; level < depth; level++) value = (value as unknown[])[0];
    expect(value).to.deep.equal([]);
  });

  describe('overrides', () => {
    it('serve their type, and its arrays', () => {
      const own = new TypeRegistry({ [typeOids.int8]: BigInt, [typeOids.numeric]: (text) => `n${text}` });
      expect(own.parser(typeOids.int8)('1')).to.equal(1n);
      expect(own.parser(typeOids._int8)('{1,NULL,{2}}')).to.deep.equal([1n, null, [2n]]);
      expect(own.parser(typeOids._numeric)('{0.1}')).to.deep.equal(['n0.1']);
      expect(own.parser(typeOids.int4)('1')).to.equal(1);
      expect(registry.parser(typeOids.int8)('1')).to.equal('1');
    });

    it('serve arrays that stay text otherwise, with the delimiter of the type', () => {
      const own = new TypeRegistry({ [typeOids.box]: (text) => text.length, [typeOids.circle]: (text) => text });
      expect(registry.parser(typeOids._box)('{(1,1),(0,0)}')).to.equal('{(1,1),(0,0)}');
      expect(own.parser(typeOids._box)('{(1,1),(0,0);NULL}')).to.deep.equal([11, null]);
      expect(own.parser(typeOids._circle)('{"<(1,2),3>"}')).to.deep.equal(['<(1,2),3>']);
    });

    it('give way to one for the array type itself', () => {
      const overrides: TypeOverrides = { [typeOids._int4]: (text) => `array ${text}`, [typeOids.int4]: (text) => text };
      expect(new TypeRegistry(overrides).parser(typeOids._int4)('{1}')).to.equal('array {1}');
      const later = { [typeOids.timestamp]: () => 0, [typeOids._timestamp]: () => 1 };
      expect(new TypeRegistry(later).parser(typeOids._timestamp)('{}')).to.equal(1);
    });

    it('serve types that are not built in', () => {
      const own = new TypeRegistry({ 16384: (text) => Symbol.for(text), 16389: arrayParser((text) => text) });
      expect(own.parser(16_384)('x')).to.equal(Symbol.for('x'));
      expect(own.parser(16_389)('{x,"y z"}')).to.deep.equal(['x', 'y z']);
    });

    it('are checked', () => {
      for (const overrides of [
        { int4: Number },
        { '-1': Number },
        { 1.5: Number },
        { 0: Number },
        { 23: 'x' },
        { 23: null },
      ]) {
        const build = (): TypeRegistry => new TypeRegistry(overrides as unknown as TypeOverrides);
        expect(build, JSON.stringify(overrides)).to.throw(PgError).with.property('code', 'ERR_PG_BAD_OPTION');
      }
    });
  });

  it('has a parser for each array type whose elements are parsed, but circle[]', () => {
    for (const oid of [typeOids.bool, typeOids.int4, typeOids.date, typeOids.interval, typeOids.point, typeOids.uuid]) {
      expect(parse(arrayOid(oid) as number, '{}')).to.deep.equal([]);
    }
    expect(parse(typeOids._circle, '{}')).to.equal('{}');
  });
});
