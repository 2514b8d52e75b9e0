import { expect } from 'chai';
import { HandshakeBudget } from '../../src/engine/handshake-budget.js';
import { ManualClock } from '../support/manual-clock.js';

describe('engine/handshake-budget', () => {
  let clock: ManualClock;
  let budget: HandshakeBudget;

  beforeEach(() => {
    clock = new ManualClock();
    budget = new HandshakeBudget(0.25, clock);
  });

  /** Nothing yields to the event loop between two readings: it counts as fully used. */
  const whileBusy = (): boolean => {
    clock.advance(100);
    return budget.allows();
  };

  it('allows handshakes until they have used the share of one second', () => {
    expect(whileBusy()).to.equal(true);
    budget.charge(249);
    expect(budget.allows()).to.equal(true);
    budget.charge(2);
    expect(budget.allows()).to.equal(false);
  });

  it('gives the share back as time passes, and never more than that of one second, owed or in hand', () => {
    budget.charge(1250);
    expect(whileBusy()).to.equal(false);
    clock.advance(900);
    expect(budget.allows()).to.equal(false);
    clock.advance(200);
    expect(budget.allows()).to.equal(true);
    clock.advance(3_600_000);
    expect(budget.allows()).to.equal(true);
    budget.charge(251);
    expect(budget.allows()).to.equal(false);
  });

  it('does not hold anything back while the event loop has time', async () => {
    budget.charge(10_000);
    expect(whileBusy()).to.equal(false);
    await new Promise((resolve) => setTimeout(resolve, 50));
    clock.advance(100);
    expect(budget.allows()).to.equal(true);
  });

  it('looks at the event loop again only after a while', async () => {
    budget.charge(10_000);
    expect(whileBusy()).to.equal(false);
    await new Promise((resolve) => setTimeout(resolve, 50));
    clock.advance(99);
    expect(budget.allows()).to.equal(false);
  });
});
