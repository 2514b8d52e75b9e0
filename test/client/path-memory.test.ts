import { expect } from 'chai';
import * as fc from 'fast-check';
import { PathMemory } from '../../src/client/path-memory.js';
import { defaultLimits } from '../../src/limits.js';
import { ManualClock } from '../support/manual-clock.js';
import { holds } from '../support/property.js';

const A = 'a.example:443';
const B = 'b.example:443';
const SECOND = 1000;
const HOUR = 3600 * SECOND;
const TWO_DAYS = 48 * HOUR;

describe('client/path-memory', () => {
  let clock: ManualClock;
  let network: string;
  let memory: PathMemory;

  beforeEach(() => {
    clock = new ManualClock();
    network = 'home';
    memory = new PathMemory({ clock, localNetwork: () => network });
  });

  describe('of an unknown path', () => {
    it('plans UDP, as the caller wants it, with six datagrams and no group', () => {
      expect(memory.plan(A)).to.include({ udp: true, contact: 'fast', datagrams: 6, group: undefined });
      expect(memory.plan(A, 'careful').contact).to.equal('careful');
    });

    it('grants a quarter of the connect time as grace, three quarters when it is renewed, and never less than 2 ms', () => {
      const { graceMs, graceMaxMs } = memory.plan(A);
      expect([graceMs(80), graceMaxMs(80)]).to.deep.equal([20, 60]);
      expect([graceMs(16), graceMaxMs(16)]).to.deep.equal([4, 12]);
      expect([graceMs(1), graceMaxMs(1)]).to.deep.equal([2, 2]);
      expect([graceMs(0), graceMaxMs(0)]).to.deep.equal([2, 2]);
    });
  });

  describe('of a path that answered', () => {
    it('waits a quarter of the connect time or one and a half times its lag, at most three quarters of the connect time', () => {
      const lag = fc.double({ min: 0, max: 10_000, noNaN: true });
      const connect = fc.double({ min: 0, max: 10_000, noNaN: true });
      holds(
        fc.property(lag, connect, fc.boolean(), (lagMs, connectMs, isLate) => {
          if (isLate) memory.late(A, lagMs);
          else memory.answered(A, { lagMs, flightDatagrams: 2 });
          const plan = memory.plan(A);
          expect(plan.graceMs(connectMs)).to.equal(
            Math.max(2, Math.min(Math.max(1.5 * lagMs, connectMs / 4), connectMs * 0.75)),
          );
          expect(plan.graceMaxMs(connectMs)).to.equal(Math.max(2, connectMs * 0.75));
        }),
      );
    });

    it('sends twice as many datagrams as the last flight took, or an eighth more, from three to sixteen', () => {
      const expected: [number, number][] = [
        [1, 3],
        [2, 4],
        [4, 8],
        [8, 16],
        [9, 11],
        [14, 16],
        [15, 16],
        [64, 16],
      ];
      for (const [flightDatagrams, datagrams] of expected) {
        memory.answered(A, { lagMs: 0, flightDatagrams });
        expect(memory.plan(A).datagrams, `flight of ${flightDatagrams}`).to.equal(datagrams);
      }
    });

    it('is fast from then on, whatever the caller wants of unknown paths', () => {
      memory.answered(A, { lagMs: 0, flightDatagrams: 2 });
      expect(memory.plan(A, 'careful').contact).to.equal('fast');
      expect(memory.plan(B, 'careful').contact).to.equal('careful');
    });

    it('leaves the contact to the caller where the answer was too late to be claimed', () => {
      memory.late(A, 5);
      expect(memory.plan(A, 'careful').contact).to.equal('careful');
      expect(memory.plan(A).datagrams).to.equal(6);
    });
  });

  describe('of a path where a session was lost', () => {
    it('is careful, also after it has answered again, whatever the caller wants', () => {
      memory.answered(A, { lagMs: 0, flightDatagrams: 2 });
      memory.lost(A);
      expect(memory.plan(A, 'fast').contact).to.equal('careful');
      memory.answered(A, { lagMs: 0, flightDatagrams: 2 });
      expect(memory.plan(A, 'fast').contact).to.equal('careful');
      expect(memory.plan(B, 'fast').contact).to.equal('fast');
    });
  });

  it('forgets within hours that a session was lost', () => {
    memory.lost(A);
    clock.advance(6 * HOUR - 1);
    memory.answered(A, { lagMs: 0, flightDatagrams: 2 });
    expect(memory.plan(A).contact).to.equal('careful');
    clock.advance(2);
    expect(memory.plan(A).contact).to.equal('fast');
  });

  it('takes limits of one connection, and undefined for the default', () => {
    const plan = memory.plan(A, 'fast', { graceMinMs: undefined, clientDatagramsUnknown: 3 });
    expect([plan.datagrams, plan.graceMs(80)]).to.deep.equal([3, 20]);
  });

  function breakPath(): void {
    for (let count = 0; count < 4; count++) memory.failed(A);
  }

  it('counts connections that fail together as one failure', () => {
    for (let count = 0; count < 12; count++) memory.failed(A);
    clock.advance(300 * SECOND + 1);
    expect(memory.plan(A).udp).to.equal(true);
  });

  describe('of a silent path', () => {
    it('suspects it after the first time: UDP is sent and not waited for', () => {
      memory.failed(A);
      const plan = memory.plan(A);
      expect(plan.udp).to.equal(true);
      expect([plan.graceMs(1000), plan.graceMaxMs(1000)]).to.deep.equal([0, 0]);
    });

    it('suspects one that worked only after the second time', () => {
      memory.answered(A, { lagMs: 0, flightDatagrams: 2 });
      memory.failed(A);
      expect(memory.plan(A).graceMs(80)).to.equal(20);
      memory.failed(A);
      expect(memory.plan(A).graceMs(80)).to.equal(0);
    });

    it('believes it again once it has answered, be it late', () => {
      for (const relieve of [() => memory.answered(A, { lagMs: 0, flightDatagrams: 2 }), () => memory.late(A, 1)]) {
        memory.failed(A);
        relieve();
        expect(memory.plan(A).graceMs(80)).to.be.above(0);
        memory.failed(A);
        expect(memory.plan(A).udp, 'it is the first in a row again').to.equal(true);
        relieve();
      }
    });

    for (const [how, times] of [
      ['silent', 4],
      ['rejected', 2],
    ] as const) {
      it(`leaves UDP alone once it was ${how} ${times} times in a row: 300 s, doubling, at most two days`, () => {
        for (let count = 1; count < times; count++) {
          expect(memory.plan(A).udp).to.equal(true);
          memory.failed(A, how);
        }
        const periods: number[] = [];
        for (let count = 0; count < 14; count++) {
          memory.failed(A, how);
          const expected = Math.min(300 * SECOND * 2 ** count, TWO_DAYS);
          expect(memory.plan(A).udp).to.equal(false);
          clock.advance(expected - 1);
          expect(memory.plan(A).udp, `1 ms before ${expected} ms are over`).to.equal(false);
          clock.advance(1);
          expect(memory.plan(A).udp, `after ${expected} ms`).to.equal(true);
          periods.push(expected);
          // The next connection comes when it comes.
          clock.advance(HOUR);
        }
        expect(periods.slice(-5)).to.deep.equal([153_600_000, TWO_DAYS, TWO_DAYS, TWO_DAYS, TWO_DAYS]);
      });
    }

    it('begins at 300 s again after it has answered', () => {
      for (let count = 0; count < 6; count++) memory.failed(A);
      memory.answered(A, { lagMs: 0, flightDatagrams: 2 });
      expect(memory.plan(A).udp).to.equal(true);
      breakPath();
      clock.advance(300 * SECOND);
      expect(memory.plan(A).udp).to.equal(true);
    });

    it('does not take silence and rejection together for two in a row', () => {
      memory.failed(A, 'silent');
      memory.failed(A, 'rejected');
      expect(memory.plan(A).udp).to.equal(true);
    });

    it('says nothing of other paths', () => {
      breakPath();
      expect(memory.plan(B).udp).to.equal(true);
      expect(memory.plan(B).graceMs(80)).to.equal(20);
    });
  });

  describe('of a key-share group', () => {
    it('offers it first for six hours', () => {
      memory.choseGroup(A, 'P-256');
      expect(memory.plan(A).group).to.equal('P-256');
      expect(memory.plan(B).group).to.equal(undefined);
      clock.advance(6 * HOUR - 1);
      expect(memory.plan(A).group).to.equal('P-256');
      clock.advance(1);
      expect(memory.plan(A).group).to.equal(undefined);
    });

    it('takes the last one, and counts from then', () => {
      memory.choseGroup(A, 'P-256');
      clock.advance(5 * HOUR);
      memory.choseGroup(A, 'P-384');
      clock.advance(5 * HOUR);
      expect(memory.plan(A).group).to.equal('P-384');
    });
  });

  describe('forgets', () => {
    it('a path two days after it learnt of it last', () => {
      memory.answered(A, { lagMs: 40, flightDatagrams: 8 });
      clock.advance(TWO_DAYS - HOUR);
      memory.answered(A, { lagMs: 40, flightDatagrams: 8 });
      clock.advance(TWO_DAYS - HOUR);
      expect(memory.plan(A).datagrams).to.equal(16);
      clock.advance(HOUR + 1);
      expect(memory.plan(A).datagrams).to.equal(6);
    });

    it('the oldest path where there are more than it may keep', () => {
      memory = new PathMemory({ clock, localNetwork: () => network, limits: { ...defaultLimits, pathEntries: 3 } });
      const endpoints = ['1', '2', '3', '4', '5'];
      for (const endpoint of endpoints) memory.answered(endpoint, { lagMs: 0, flightDatagrams: 8 });
      expect(endpoints.map((endpoint) => memory.plan(endpoint).datagrams)).to.deep.equal([6, 6, 16, 16, 16]);
    });

    it('everything when it is told to', () => {
      memory.answered(A, { lagMs: 0, flightDatagrams: 8 });
      memory.clear();
      expect(memory.plan(A).datagrams).to.equal(6);
    });

    it('nothing of a plan that was made: it is the state of that moment', () => {
      const plan = memory.plan(A);
      breakPath();
      expect(plan.udp).to.equal(true);
    });
  });

  it('keeps what it learnt on one local network apart from another', () => {
    breakPath();
    memory.choseGroup(A, 'P-256');
    network = 'office';
    expect(memory.plan(A)).to.include({ udp: true, group: undefined });
    memory.lost(A);
    network = 'home';
    expect(memory.plan(A)).to.include({ udp: false, contact: 'fast', group: 'P-256' });
  });

  it('takes limits of one connection over its own', () => {
    memory.answered(A, { lagMs: 100, flightDatagrams: 8 });
    const plan = memory.plan(A, 'fast', { clientDatagramsMax: 4, graceMinMs: 50, graceMaxRatio: 0.1 });
    expect(plan.datagrams).to.equal(4);
    expect([plan.graceMs(1000), plan.graceMs(100)]).to.deep.equal([100, 50]);
  });

  it('works on the real clock and interfaces', () => {
    const real = new PathMemory();
    real.answered(A, { lagMs: 0, flightDatagrams: 8 });
    expect(real.plan(A).datagrams).to.equal(16);
  });
});
