import { expect } from 'chai';
import fc from 'fast-check';
import { linearScale, logScale, logTicks, niceTicks } from '../../../src/compare/report/scale.js';

describe('compare report: scales', () => {
  it('finds round ticks that reach the value', () => {
    expect(niceTicks(3.1, 10, 1)).to.deep.equal([0, 1, 2, 3, 4]);
    expect(niceTicks(624, 6)).to.deep.equal([0, 200, 400, 600, 800]);
    expect(niceTicks(0.2, 4)).to.deep.equal([0, 0.05, 0.1, 0.15, 0.2]);
    expect(niceTicks(0, 5)[0]).to.equal(0);
  });

  it('finds ticks around what a log axis shows, fewer where there are too many', () => {
    expect(logTicks(109, 2700, 8)).to.deep.equal([100, 200, 500, 1000, 2000, 5000]);
    expect(logTicks(109, 2700, 5)).to.deep.equal([100, 300, 1000, 3000]);
    expect(logTicks(109, 2700, 3)).to.deep.equal([100, 1000, 10_000]);
  });

  it('covers whatever it is given', () => {
    const positive = fc.double({ min: 1e-3, max: 1e6, noNaN: true });
    fc.assert(
      fc.property(positive, positive, fc.integer({ min: 2, max: 10 }), (one, other, count) => {
        const [from, to] = [Math.min(one, other), Math.max(one, other)];
        const ticks = logTicks(from, to, count);
        expect(ticks[0]).to.be.at.most(from * 1.000001);
        expect(ticks.at(-1)).to.be.at.least(to * 0.999999);
        const nice = niceTicks(to, count);
        expect(nice.at(-1)).to.be.at.least(to * 0.99999);
        expect(nice.length).to.be.at.most(count + 1);
      }),
    );
  });

  it('puts equal differences, or equal ratios, at equal distances', () => {
    const linear = linearScale(0, 100, 10, 210, []);
    expect([0, 50, 100].map(linear.at)).to.deep.equal([10, 110, 210]);
    const log = logScale(1, 100, 0, 200, []);
    expect([1, 10, 100].map((value) => Math.round(log.at(value)))).to.deep.equal([0, 100, 200]);
  });
});
