import { expect } from 'chai';
import * as fc from 'fast-check';
import { formatDate, parseDate } from '../../../../src/codec/pg/types/date.js';
import { typeOids } from '../../../../src/codec/pg/types/oids.js';
import { holds } from '../../../support/property.js';
import { libraryValue, prepareValue } from './library.js';
import { inTimeZone, timeZones } from './time-zones.js';

const DAY = 86_400_000;

function iso(text: string): string {
  return (parseDate(text) as Date).toISOString();
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}

/** Texts of PostgreSQL's timestamps, with or without an offset. */
function timestamps(zone: fc.Arbitrary<string>): fc.Arbitrary<string> {
  return fc
    .tuple(
      fc.oneof(
        fc.integer({ min: 1, max: 9999 }),
        fc.integer({ min: 1, max: 120 }),
        fc.integer({ min: 10_000, max: 294_276 }),
      ),
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 28 }),
      fc.tuple(fc.nat(23), fc.nat(59), fc.nat(59)),
      fc.option(fc.nat(999_999), { nil: undefined }),
      zone,
      fc.boolean(),
    )
    .map(([year, month, day, clock, micros, offset, bc]) => {
      const isBc = bc && year <= 4713;
      const fraction = micros ? `.${String(micros).padStart(6, '0').replace(/0+$/, '')}` : '';
      const date = `${String(year).padStart(4, '0')}-${two(month)}-${two(day)}`;
      return `${date} ${clock.map(two).join(':')}${fraction}${offset}${isBc ? ' BC' : ''}`;
    });
}

const offsets = fc.oneof(
  fc.constantFrom('+00', '-00:00:01', '+14', '-12', '+05:30', '+05:45', '-03:30:52', '+00:19:32', '-00:44:30'),
  fc
    .tuple(fc.constantFrom('+', '-'), fc.nat(15), fc.nat(59), fc.nat(59))
    .map(([sign, hours, minutes, seconds]) => `${sign}${two(hours)}:${two(minutes)}:${two(seconds)}`),
);

describe('codec/pg/types/date', () => {
  it('parses timestamptz: vectors', () => {
    expect(iso('2024-02-29 12:34:56.789123+00')).to.equal('2024-02-29T12:34:56.789Z');
    expect(iso('2024-02-29 12:34:56+05:30')).to.equal('2024-02-29T07:04:56.000Z');
    expect(iso('2024-02-29 12:34:56.1-0330')).to.equal('2024-02-29T16:04:56.100Z');
    expect(iso('1800-01-01 00:00:00+00:19:32')).to.equal('1799-12-31T23:40:28.000Z');
    expect(iso('1969-12-31 23:59:59.9999-00:00:01')).to.equal('1970-01-01T00:00:00.999Z');
    expect(iso('2024-02-29 12:34:56Z')).to.equal('2024-02-29T12:34:56.000Z');
    expect(iso('0044-03-15 12:00:00+00 BC')).to.equal('-000043-03-15T12:00:00.000Z');
    expect(iso('0001-02-29 00:00:00+00 BC')).to.equal('0000-02-29T00:00:00.000Z');
    expect(iso('0099-12-31 23:59:59+00')).to.equal('0099-12-31T23:59:59.000Z');
    expect(iso('275760-09-13 00:00:00+00')).to.equal('+275760-09-13T00:00:00.000Z');
    expect(iso('275760-09-13 05:45:00+05:45')).to.equal('+275760-09-13T00:00:00.000Z');
  });

  it('parses timestamp and date as local time: vectors', () => {
    inTimeZone('Asia/Kathmandu', () => {
      expect(iso('2024-02-29 12:34:56.789')).to.equal('2024-02-29T06:49:56.789Z');
      expect(iso('2024-02-29')).to.equal('2024-02-28T18:15:00.000Z');
    });
    inTimeZone('America/New_York', () => {
      expect(iso('2024-07-01')).to.equal('2024-07-01T04:00:00.000Z');
      expect(iso('2024-03-10 02:30:00')).to.equal('2024-03-10T07:30:00.000Z');
    });
    inTimeZone('UTC', () => {
      expect(iso('0001-02-29 BC')).to.equal('0000-02-29T00:00:00.000Z');
      expect(iso('0004-02-29')).to.equal('0004-02-29T00:00:00.000Z');
    });
  });

  it('keeps an hour that only the same year of the 20th century has not', () => {
    inTimeZone('America/New_York', () => {
      const date = parseDate('0041-04-27 02:30:00') as Date;
      expect([date.getFullYear(), date.getMonth(), date.getDate(), date.getHours()]).to.deep.equal([41, 3, 27, 2]);
      expect((libraryValue(typeOids.timestamp, '0041-04-27 02:30:00') as Date).getHours()).to.equal(3);
    });
  });

  it('gives infinities as numbers, dates past the last of JavaScript as invalid ones', () => {
    expect(parseDate('infinity')).to.equal(Infinity);
    expect(parseDate('-infinity')).to.equal(-Infinity);
    for (const text of ['294276-12-31 23:59:59+00', '294276-12-31 23:59:59', '5874897-12-31']) {
      expect((parseDate(text) as Date).getTime(), text).to.deep.equal(Number.NaN);
    }
  });

  it('leaves other styles as text', () => {
    const styles = [
      '12/17/1997 07:37:16.00 PST',
      'Wed Dec 17 07:37:16 1997 PST',
      '17.12.1997 07:37:16.00 PST',
      '12-17-1997',
    ];
    for (const text of [...styles, '', 'x', ' 2024-01-01', '2024-01-01 ', '+infinity']) {
      expect(parseDate(text)).to.equal(text);
    }
  });

  for (const zone of timeZones) {
    it(`gives the dates that node-postgres gives in ${zone}`, () => {
      inTimeZone(zone, () => {
        holds(
          fc.property(timestamps(fc.oneof(fc.constant(''), offsets)), (text) => {
            // node-postgres makes the year 41 from 1941, and so leaves out the hour that summer time began with.
            fc.pre(!/^00\d\d-\d\d-\d\d 0[0-4][^+-]*$/.test(text));
            expect(parseDate(text), text).to.deep.equal(libraryValue(typeOids.timestamptz, text));
          }),
          { numRuns: 500 },
        );
      });
    });

    it(`gives back each Date that it has written in ${zone}`, () => {
      inTimeZone(zone, () => {
        holds(
          fc.property(fc.date({ noInvalidDate: true }), (date) => {
            expect(parseDate(formatDate(date).replace('T', ' ')), formatDate(date)).to.deep.equal(date);
          }),
          { numRuns: 500 },
        );
      });
    });

    it(`writes the text that node-postgres writes in ${zone}, where offsets have no seconds`, () => {
      inTimeZone(zone, () => {
        holds(
          fc.property(fc.date({ noInvalidDate: true, min: new Date(10 * 365 * DAY) }), (date) => {
            expect(formatDate(date)).to.equal(prepareValue(date));
          }),
          { numRuns: 500 },
        );
      });
    });
  }

  it('writes dates: vectors', () => {
    inTimeZone('Europe/Amsterdam', () => {
      expect(formatDate(new Date('2024-07-01T00:00:00.001Z'))).to.equal('2024-07-01T02:00:00.001+02:00');
      expect(formatDate(new Date(8.64e15))).to.equal('275760-09-13T02:00:00.000+02:00');
    });
    inTimeZone('America/St_Johns', () => {
      expect(formatDate(new Date('2024-01-01T00:00:00Z'))).to.equal('2023-12-31T20:30:00.000-03:30');
    });
    inTimeZone('UTC', () => {
      expect(formatDate(new Date('-000043-03-15T12:00:00Z'))).to.equal('0044-03-15T12:00:00.000+00:00 BC');
      expect(formatDate(new Date('0000-02-29T00:00:00Z'))).to.equal('0001-02-29T00:00:00.000+00:00 BC');
      expect(formatDate(new Date('0001-01-01T00:00:00Z'))).to.equal('0001-01-01T00:00:00.000+00:00');
      expect(formatDate(new Date('+012345-01-01T00:00:00Z'))).to.equal('12345-01-01T00:00:00.000+00:00');
    });
  });

  it('keeps the seconds of a mean time, which node-postgres cuts off', () => {
    inTimeZone('Africa/Monrovia', () => {
      const date = new Date('1960-01-01T00:00:00Z');
      expect(formatDate(date)).to.equal('1959-12-31T23:15:30.000-00:44:30');
      expect(prepareValue(date)).to.equal('1959-12-31T23:15:30.000-00:44');
    });
  });

  it('takes hostile text in one pass', () => {
    for (const part of ['1', '1-', ' ', '2024-01-01 ', '.', '+00:00', '\n', 'infinity']) {
      const text = part.repeat(1_000_000);
      expect(parseDate(text)).to.equal(text);
    }
    const long = `2024-01-01 00:00:00.${'1'.repeat(1_000_000)}\n`;
    expect(parseDate(long)).to.equal(long);
  });
});
