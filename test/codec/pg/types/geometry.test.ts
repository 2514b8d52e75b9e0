import { expect } from 'chai';
import * as fc from 'fast-check';
import { PgError } from '../../../../src/codec/pg/errors.js';
import { parseCircle, parsePoint } from '../../../../src/codec/pg/types/geometry.js';
import { typeOids } from '../../../../src/codec/pg/types/oids.js';
import { holds } from '../../../support/property.js';
import { libraryValue } from './library.js';

function expectMalformed(parse: (text: string) => unknown, text: string): void {
  expect(() => parse(text), text.slice(0, 40))
    .to.throw(PgError)
    .with.property('code', 'ERR_PG_BAD_TEXT');
}

describe('codec/pg/types/geometry', () => {
  it('parses points and circles: vectors', () => {
    expect(parsePoint('(1,2)')).to.deep.equal({ x: 1, y: 2 });
    expect(parsePoint('(-0,1.5e-300)')).to.deep.equal({ x: -0, y: 1.5e-300 });
    expect(parsePoint('(NaN,-Infinity)')).to.deep.equal({ x: Number.NaN, y: -Infinity });
    expect(parseCircle('<(1.5,-2),3e+20>')).to.deep.equal({ x: 1.5, y: -2, radius: 3e20 });
    expect(parseCircle('<(Infinity,0),NaN>')).to.deep.equal({ x: Infinity, y: 0, radius: Number.NaN });
  });

  it('gives what node-postgres gives for any numbers', () => {
    const number = fc.double().map((value) => String(value));
    holds(
      fc.property(number, number, number, (x, y, radius) => {
        expect(parsePoint(`(${x},${y})`)).to.deep.equal(libraryValue(typeOids.point, `(${x},${y})`));
        const circle = `<(${x},${y}),${radius}>`;
        expect(parseCircle(circle)).to.deep.equal(libraryValue(typeOids.circle, circle));
      }),
    );
  });

  it('refuses what is neither', () => {
    for (const text of ['', '(', '()', '(1)', '(1,)', '(1,2', '1,2', '(1,2,3)', '((1,2))', '<(1,2),3>']) {
      expectMalformed(parsePoint, text);
    }
    for (const text of ['', '<', '<(1,2)>', '<(1,2),>', '<(1,2),3', '(1,2)', '<1,2,3>', '<(1,2),3,4>']) {
      expectMalformed(parseCircle, text);
    }
    for (const part of ['(', '1', ',', '(1,2)', '<(']) {
      expectMalformed(parsePoint, part.repeat(1_000_000));
      expectMalformed(parseCircle, part.repeat(1_000_000));
    }
  });
});
