import { expect } from 'chai';
import * as fc from 'fast-check';
import { PgError } from '../../../../src/codec/pg/errors.js';
import { arrayParser } from '../../../../src/codec/pg/types/array.js';
import { encodeParameter } from '../../../../src/codec/pg/types/parameters.js';
import { holds } from '../../../support/property.js';

type Nested = null | string | Nested[];

const HUGE = 1_000_000;
const parse = arrayParser((text) => text);
const parseBoxes = arrayParser((text) => text, ';');

function expectMalformed(text: string): void {
  const start = text.slice(0, 40);
  expect(() => parse(text), start)
    .to.throw(PgError)
    .with.property('code', 'ERR_PG_BAD_TEXT');
}

/** Arrays of one to six dimensions, as PostgreSQL has them: those of one level are equally long. */
function arrays(): fc.Arbitrary<Nested[]> {
  const item: fc.Arbitrary<Nested> = fc.oneof(
    fc.constant(null),
    fc.constantFrom('', 'NULL', 'null', '"', '\\', '{}', ',', ';', ' ', '\\"', '\n', '\u{1f418}'),
    fc.string({ unit: 'binary', maxLength: 8 }),
  );
  return fc
    .array(fc.integer({ min: 1, max: 3 }), { minLength: 1, maxLength: 6 })
    .chain(
      (lengths) => lengths.reduce((inner, length) => fc.array(inner, fixed(length)), item) as fc.Arbitrary<Nested[]>,
    );
}

function fixed(length: number): fc.ArrayConstraints {
  return { minLength: length, maxLength: length };
}

describe('codec/pg/types/array', () => {
  const vectors: [string, unknown][] = [
    ['{}', []],
    ['{a}', ['a']],
    ['{a,b,c}', ['a', 'b', 'c']],
    ['{NULL,"NULL",null}', [null, 'NULL', 'null']],
    ['{"",""}', ['', '']],
    ['{"a b","c,d","{e}"}', ['a b', 'c,d', '{e}']],
    ['{"\\"","\\\\","\\\\x00ff","a\\"b\\\\c"}', ['"', '\\', '\\x00ff', 'a"b\\c']],
    [
      '{{a,b},{c,NULL}}',
      [
        ['a', 'b'],
        ['c', null],
      ],
    ],
    ['{{{a}},{{b}}}', [[['a']], [['b']]]],
    ['{{{{{{x}}}}}}', [[[[[['x']]]]]]],
    ['[2:4]={a,b,c}', ['a', 'b', 'c']],
    ['[-1:0][5:5]={{a},{b}}', [['a'], ['b']]],
    ['{a\u{1f418},"é\n"}', ['a\u{1f418}', 'é\n']],
  ];
  for (const [text, value] of vectors) {
    it(`parses ${JSON.stringify(text)}`, () => {
      expect(parse(text)).to.deep.equal(value);
    });
  }

  it('separates by the delimiter of the type', () => {
    expect(parseBoxes('{(1,1),(0,0);NULL;(3,3),(2,2)}')).to.deep.equal(['(1,1),(0,0)', null, '(3,3),(2,2)']);
  });

  it('gives elements to the parser of their type, but not NULL', () => {
    expect(arrayParser((text) => text.length)('{abc,NULL,"","\\"\\""}')).to.deep.equal([3, null, 0, 2]);
  });

  it('gives back what encodeParameter has written', () => {
    holds(
      fc.property(arrays(), (value) => {
        expect(parse(encodeParameter(value) as string)).to.deep.equal(value);
      }),
    );
  });

  it('refuses what is not an array', () => {
    const bad = ['', 'a', '{', '}', '{}}', '{a', '{a,', '{a,}', '{,a}', '{a}b', '{"a"b}', '{a"b"}', '{a{b}}', '{{a}b}'];
    const worse = [
      '{"a',
      '{"a\\',
      '{"a\\"',
      '{"',
      '{a\\}',
      '[1:2]',
      '[1:2]{a}',
      '[1:2]=',
      '=',
      'NULL',
      '{a}{b}',
      '(a)',
    ];
    for (const text of [...bad, ...worse]) expectMalformed(text);
  });

  it('refuses every truncated prefix', () => {
    const text = '[0:1][1:2]={{"a\\"b",NULL},{c,"{d}"}}';
    expect(parse(text)).to.deep.equal([
      ['a"b', null],
      ['c', '{d}'],
    ]);
    for (let length = 0; length < text.length; length++) expectMalformed(text.slice(0, length));
  });

  it('refuses more than six dimensions', () => {
    expectMalformed('{{{{{{{x}}}}}}}');
    expectMalformed('{'.repeat(HUGE));
    expectMalformed(`${'{'.repeat(HUGE)}x${'}'.repeat(HUGE)}`);
    expectMalformed('{'.repeat(7));
  });

  it('takes hostile text in one pass', () => {
    expectMalformed(`{"${'\\"'.repeat(HUGE)}`);
    expectMalformed(`{"${'a'.repeat(HUGE)}`);
    expectMalformed(`{${'"",'.repeat(HUGE)}`);
    expectMalformed(`{${'{},'.repeat(HUGE)}`);
    expectMalformed('['.repeat(HUGE));
    expectMalformed(`{a${'"'.repeat(HUGE)}}`);
    expect(parse(`{"${'\\\\'.repeat(HUGE)}"}`)).to.deep.equal(['\\'.repeat(HUGE)]);
    expect(parse(`{${'1,'.repeat(HUGE)}1}`).length).to.equal(HUGE + 1);
  });

  it('never fails otherwise than with its code', () => {
    const text = fc.string({ unit: fc.constantFrom('{', '}', '"', '\\', ',', 'a', '[', '=', 'NULL'), maxLength: 24 });
    holds(
      fc.property(text, (hostile) => {
        try {
          parse(hostile);
        } catch (error) {
          expect(error).to.be.an.instanceOf(PgError).with.property('code', 'ERR_PG_BAD_TEXT');
        }
      }),
      { numRuns: 2000 },
    );
  });
});
