import { expect } from 'chai';
import { type Direction, QUEUE_MAX_MS, Schedule } from '../../../../examples/latency/link/schedule.js';
import type { Conditions } from '../../../../src/compare/model.js';
import { PLAIN } from './support.js';

const TCP = { protocol: 'tcp', bytes: 1_000 } as const;
const UDP = { protocol: 'udp', bytes: 1_000 } as const;
const MANY = 20_000;

function fates(conditions: Partial<Conditions>, count = MANY, direction: Direction = 'to-server'): number[][] {
  const schedule = new Schedule(direction, { ...PLAIN, ...conditions });
  return Array.from({ length: count }, (_, index) => schedule.pass(TCP, index));
}

/** What arrives of packets that are sent 1 ms after another, as what each waited for. */
function delays(conditions: Partial<Conditions>): number[] {
  return fates(conditions).flatMap((arrivals, index) => arrivals.map((dueMs) => dueMs - index));
}

describe('link schedule', () => {
  it('delays each packet by half a round trip and does nothing else', () => {
    expect(fates({ roundTripMs: 50 }, 3)).to.deep.equal([[25], [26], [27]]);
    expect(fates({ roundTripMs: 0 }, 2)).to.deep.equal([[0], [1]]);
  });

  it('adds jitter evenly from 0 to what is asked for', () => {
    const jitters = delays({ jitterMs: 8 }).map((delay) => delay - 10);
    expect(Math.min(...jitters)).to.be.within(0, 0.1);
    expect(Math.max(...jitters)).to.be.within(7.9, 8);
    expect(average(jitters)).to.be.closeTo(4, 0.1);
  });

  for (const loss of [0.01, 0.1, 0.5]) {
    it(`loses ${loss * 100} % of the packets`, () => {
      const lost = fates({ loss }).filter((arrivals) => arrivals.length === 0).length;
      expect(lost / MANY).to.be.closeTo(loss, 0.01);
    });
  }

  it('loses everything where all is lost', () => {
    expect(fates({ loss: 1 }).flat()).to.deep.equal([]);
  });

  it('duplicates packets, each copy with a jitter of its own', () => {
    const arrivals = fates({ duplicate: 0.2, jitterMs: 4 });
    const twice = arrivals.filter(({ length }) => length === 2);
    expect(twice.length / MANY).to.be.closeTo(0.2, 0.01);
    expect(arrivals.filter(({ length }) => length === 1)).to.have.length(MANY - twice.length);
    expect(twice.filter(([one, other]) => one === other)).to.have.length(0);
  });

  it('lets reordered packets overtake: they wait for nothing', () => {
    const waited = delays({ reorder: 0.1 });
    expect(new Set(waited)).to.deep.equal(new Set([0, 10]));
    expect(waited.filter((delay) => delay === 0).length / MANY).to.be.closeTo(0.1, 0.01);
  });

  it('sends one packet after the other at a rate', () => {
    const schedule = new Schedule('to-server', { ...PLAIN, rateKbit: 8_000 }); // 1,000 bytes take 1 ms
    expect([0, 0, 0.5, 10].map((atMs) => schedule.pass(TCP, atMs))).to.deep.equal([[11], [12], [13], [21]]);
  });

  it('loses what would wait for its turn too long', () => {
    const schedule = new Schedule('to-server', { ...PLAIN, rateKbit: 8_000 });
    const atOnce = Array.from({ length: 500 }, () => schedule.pass(TCP, 0));
    expect(atOnce.filter(({ length }) => length === 1)).to.have.length(QUEUE_MAX_MS + 1);
    expect(schedule.pass(TCP, 300), 'once there is room again').to.deep.equal([311]);
  });

  const filters = [
    { udp: 'pass', toServer: 1, toClient: 1 },
    { udp: 'drop', toServer: 0, toClient: 0 },
    { udp: 'drop-to-server', toServer: 0, toClient: 1 },
    { udp: 'drop-to-client', toServer: 1, toClient: 0 },
  ] as const;
  for (const { udp, toServer, toClient } of filters) {
    it(`UDP ${udp}`, () => {
      for (const [direction, passes] of [
        ['to-server', toServer],
        ['to-client', toClient],
      ] as const) {
        const schedule = new Schedule(direction, { ...PLAIN, udp });
        expect(schedule.pass(UDP, 0), direction).to.have.length(passes);
        expect(schedule.pass(TCP, 0), 'TCP always passes').to.have.length(1);
        expect(schedule.pass({ protocol: 'other', bytes: 84 }, 0), 'and so does the rest').to.have.length(1);
      }
    });
  }

  const RANDOM = { loss: 0.1, duplicate: 0.1, reorder: 0.1, jitterMs: 5 };

  it('does the same with the same seed, something else with another one and in the other direction', () => {
    const once = fates({ ...RANDOM, seed: 7 }, 200);
    expect(fates({ ...RANDOM, seed: 7 }, 200)).to.deep.equal(once);
    expect(fates({ ...RANDOM, seed: 8 }, 200)).to.not.deep.equal(once);
    expect(fates({ ...RANDOM, seed: 7 }, 200, 'to-client')).to.not.deep.equal(once);
  });

  it('loses the same packets whatever else it does to them', () => {
    const lost = (conditions: Partial<Conditions>) =>
      fates({ loss: 0.1, ...conditions }).map(({ length }) => length === 0);
    expect(lost(RANDOM)).to.deep.equal(lost({}));
  });
});

function average(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
