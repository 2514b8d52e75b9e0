/** Figures of samples. */
import { expect } from 'chai';
import * as fc from 'fast-check';
import type { CaseResult, Sample } from '../../src/compare/model.js';
import { medianSample, percentile, referenceOf, summaryOf } from '../../src/compare/statistics.js';

function result(times: readonly number[], more: Partial<CaseResult> = {}): CaseResult {
  const samples = times.map((ms): Sample => ({ ms, phases: [] }));
  return { id: 'a', title: 'A', group: 'echo', reference: 'a', samples, failures: [], startMs: 0, ...more };
}

function upTo(count: number): number[] {
  return Array.from({ length: count }, (_, index) => index + 1);
}

describe('compare: statistics', () => {
  for (const [values, per, expected] of [
    [[7], 1, 7],
    [[7], 50, 7],
    [[7], 100, 7],
    [[1, 2], 50, 1],
    [[1, 2], 51, 2],
    [[3, 1, 2], 50, 2],
    [[10, 9, 2, 1], 50, 2],
    [upTo(20), 95, 19],
    [upTo(20), 99, 20],
    [upTo(100), 7, 7],
    [upTo(100), 95, 95],
    [upTo(100), 99, 99],
    [upTo(100), 100, 100],
    [upTo(101), 99, 100],
    [[], 50, undefined],
  ] as const) {
    it(`percentile ${per} of ${values.length} values is ${expected}`, () => {
      expect(percentile(values, per)).to.equal(expected);
    });
  }

  it('a percentile is the smallest value that so many do not exceed', () => {
    const values = fc.array(fc.double({ noNaN: true }), { minLength: 1 });
    fc.assert(
      fc.property(values, fc.integer({ min: 1, max: 100 }), (values, per) => {
        const found = percentile(values, per) as number;
        const notAbove = (bound: number) => values.filter((value) => value <= bound).length * 100;
        expect(values).to.include(found);
        expect(notAbove(found)).to.be.at.least(values.length * per);
        for (const value of values) if (value < found) expect(notAbove(value)).to.be.below(values.length * per);
      }),
    );
  });

  it('sums up a case', () => {
    const times = upTo(200).map((n) => 1000 + n);
    const reference = result(upTo(200).map((n) => 2 * (1000 + n)));
    const failures = [
      { message: 'one', count: 2 },
      { message: 'other', count: 3 },
    ];
    const { roundTrips, ...summary } = summaryOf(result(times, { failures, startMs: 100 }), reference, 500);
    expect(summary).to.deep.equal({
      median: 1100,
      p95: 1190,
      p99: 1198,
      ratio: 0.5,
      ratioP95: 0.5,
      ratioP99: 0.5,
      carriers: { udp: 0, tcp: 0 },
      samples: 200,
      failures: 5,
    });
    expect(roundTrips).to.equal(2); // without what starting the program takes
  });

  it('ratios of p95 and p99 are their own', () => {
    const { ratio, ratioP95, ratioP99 } = summaryOf(
      result(upTo(100)),
      result(upTo(100).map((n) => (n <= 50 ? n : n <= 95 ? 2 * n : 4 * n))),
      undefined,
    );
    expect([ratio, ratioP95, ratioP99]).to.deep.equal([1, 0.5, 0.25]);
  });

  it('counts what carried the first flights, where the client tells', () => {
    const samples: Sample[] = ['udp', 'tcp', 'udp', undefined].map((carrier) => ({
      ms: 1,
      phases: [],
      carrier: carrier as Sample['carrier'],
    }));
    expect(summaryOf(result([], { samples }), undefined, 50)).to.deep.include({ carriers: { udp: 2, tcp: 1 } });
  });

  it('says nothing of what it cannot know', () => {
    const empty = result([]);
    expect(summaryOf(empty, result([5]), 50)).to.deep.include({ median: undefined, ratio: undefined, samples: 0 });
    expect(summaryOf(empty, result([5]), 50).roundTrips).to.equal(undefined);
    const some = result([5]);
    for (const reference of [undefined, empty, result([0])]) {
      expect(summaryOf(some, reference, 50).ratio).to.equal(undefined);
    }
    for (const roundTrip of [undefined, 0]) expect(summaryOf(some, some, roundTrip).roundTrips).to.equal(undefined);
  });

  it('finds the reference, and the sample that the median is of', () => {
    const a = result([5, 1, 9]);
    const b = result([4], { id: 'b' });
    expect(referenceOf(b, [b, a])).to.equal(a);
    expect(referenceOf(b, [b])).to.equal(undefined);
    expect(medianSample(a.samples)).to.equal(a.samples[0]);
    expect(medianSample([])).to.equal(undefined);
  });
});
