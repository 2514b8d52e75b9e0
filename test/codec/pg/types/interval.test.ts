import { expect } from 'chai';
import * as fc from 'fast-check';
import { PostgresInterval, parseInterval } from '../../../../src/codec/pg/types/interval.js';
import { typeOids } from '../../../../src/codec/pg/types/oids.js';
import { holds } from '../../../support/property.js';
import { libraryValue, plain } from './library.js';

interface Convertible {
  toPostgres(): string;
  toISOString(): string;
}

/** Texts of PostgreSQL's intervals in IntervalStyle postgres: a part that follows a negative one has its sign. */
function intervals(): fc.Arbitrary<string> {
  const amount = fc.oneof(fc.constant(0), fc.integer({ min: -178_000_000, max: 178_000_000 }), fc.constantFrom(1, -1));
  const clock = fc.tuple(fc.nat(2_562_047_788), fc.nat(59), fc.nat(59), fc.nat(999_999), fc.boolean(), fc.boolean());
  return fc
    .tuple(amount, amount, amount, clock)
    .map(([years, months, days, [hours, minutes, seconds, micros, ...flags]]) => {
      const [negative, whole] = flags;
      const dates = [named(years, 'year'), named(months, 'mon'), named(days, 'day')].filter((part) => part !== '');
      const two = (value: number): string => String(value).padStart(2, '0');
      const fraction = whole || micros === 0 ? '' : `.${String(micros).padStart(6, '0').replace(/0+$/, '')}`;
      const sign = negative ? '-' : days < 0 ? '+' : '';
      return [...dates, `${sign}${two(hours)}:${two(minutes)}:${two(seconds)}${fraction}`].join(' ');
    });
}

function named(amount: number, unit: string): string {
  return amount === 0 ? '' : `${amount} ${unit}${amount === 1 ? '' : 's'}`;
}

describe('codec/pg/types/interval', () => {
  const vectors: [string, object][] = [
    ['00:00:00', {}],
    ['1 year', { years: 1 }],
    ['2 years -1 mons', { years: 2, months: -1 }],
    ['1 mon 1 day', { months: 1, days: 1 }],
    [
      '-1 years -2 mons +3 days -04:05:06.7',
      { years: -1, months: -2, days: 3, hours: -4, minutes: -5, seconds: -6, milliseconds: -700 },
    ],
    ['-3 days +00:00:00.000001', { days: -3, milliseconds: 0.001 }],
    ['100:00:00', { hours: 100 }],
    ['-00:00:01.5', { seconds: -1, milliseconds: -500 }],
    ['2562047788:00:54.775807', { hours: 2_562_047_788, seconds: 54, milliseconds: 775.807 }],
  ];
  for (const [text, parts] of vectors) {
    it(`parses ${text}`, () => {
      const interval = parseInterval(text);
      expect(interval).to.be.an.instanceOf(PostgresInterval);
      expect(plain(interval)).to.deep.equal(parts);
      expect(plain(libraryValue(typeOids.interval, text))).to.deep.equal(parts);
      expect(Object.keys(interval as object)).to.deep.equal(Object.keys(parts));
    });
  }

  it('gives what node-postgres gives, and writes the same', () => {
    holds(
      fc.property(intervals(), (text) => {
        const interval = parseInterval(text) as PostgresInterval;
        const library = libraryValue(typeOids.interval, text) as Convertible;
        expect(plain(interval), text).to.deep.equal(plain(library));
        expect(interval.toISOString(), text).to.equal(library.toISOString());
        expect(words(interval.toPostgres()), text).to.deep.equal(words(library.toPostgres()));
      }),
      { numRuns: 1000 },
    );
  });

  it('writes itself for a parameter and as ISO 8601', () => {
    const interval = new PostgresInterval({ years: 1, days: -2, hours: 3, seconds: 4, milliseconds: 5.006 });
    expect(interval.toPostgres()).to.equal('4.005006 seconds 3 hours -2 days 1 years');
    expect(interval.toISOString()).to.equal('P1Y0M-2DT3H0M4.005006S');
    expect(interval.toISO()).to.equal(interval.toISOString());
    expect(new PostgresInterval({}).toPostgres()).to.equal('0');
    expect(new PostgresInterval({}).toISOString()).to.equal('P0Y0M0DT0H0M0S');
    expect(new PostgresInterval({ milliseconds: 0.001 }).toPostgres()).to.equal('0.000001 seconds');
    expect(new PostgresInterval({ seconds: -1, milliseconds: -500 }).toPostgres()).to.equal('-1.5 seconds');
    expect(JSON.stringify(interval)).to.equal('{"years":1,"days":-2,"hours":3,"seconds":4,"milliseconds":5.006}');
  });

  it('gives infinities as numbers: node-postgres gives an empty interval', () => {
    expect(parseInterval('infinity')).to.equal(Infinity);
    expect(parseInterval('-infinity')).to.equal(-Infinity);
    expect(plain(libraryValue(typeOids.interval, 'infinity'))).to.deep.equal({});
  });

  it('leaves other styles as text', () => {
    const styles = [
      'P1Y2M-3DT4H5M6.7S',
      'PT0S',
      '1-2',
      '+1-2 -3 +4:05:06',
      '@ 1 year 2 mons',
      '@ 0',
      '0',
      '@ 4 hours ago',
    ];
    for (const text of [...styles, '', ' ', '1 year ', '1 year 2', 'year', '00:00:00 1 day', '1 days ago']) {
      expect(parseInterval(text), text).to.equal(text);
    }
  });

  it('takes hostile text in one pass', () => {
    for (const part of ['1', '1 day ', ' ', '00:00:00', '1 year x', ':', '.']) {
      const text = part.repeat(500_000);
      expect(parseInterval(text)).to.equal(text);
    }
  });
});

/** The parts of `1 seconds 2 minutes` in any order. */
function words(text: string): string[] {
  return (text.match(/\S+ \S+/g) ?? [text]).sort();
}
