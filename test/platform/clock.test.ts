import { expect } from 'chai';
import { systemClock, after as timer } from '../../src/platform/clock.js';
import { ManualClock } from '../support/manual-clock.js';

describe('platform/clock', () => {
  it('of the system goes forward, calls back once, and not when cancelled', async () => {
    const start = systemClock.now();
    let cancelled = 0;
    systemClock.after(1, () => cancelled++).cancel();
    const fired = await new Promise<{ cancel(): void }>((resolve) => {
      const started = systemClock.after(5, () => resolve(started));
      setTimeout(() => {}, 50); // timers of the clock do not keep the process alive
    });
    expect(systemClock.now()).to.be.above(start);
    expect(cancelled).to.equal(0);
    fired.cancel();
  });

  it('as an observable emits once and completes', () => {
    const clock = new ManualClock();
    const heard: string[] = [];
    timer(clock, 10).subscribe({ next: () => heard.push('next'), complete: () => heard.push('complete') });
    clock.advance(9);
    expect(heard).to.deep.equal([]);
    clock.advance(1);
    expect(heard).to.deep.equal(['next', 'complete']);
    expect(clock.pending).to.equal(0);
  });

  it('as an observable starts with each subscription, and ends its timer with it', () => {
    const clock = new ManualClock();
    const timer$ = timer(clock, 10);
    expect(clock.pending).to.equal(0);
    const one = timer$.subscribe(() => expect.fail('it was unsubscribed'));
    timer$.subscribe();
    expect(clock.pending).to.equal(2);
    one.unsubscribe();
    expect(clock.pending).to.equal(1);
    clock.advance(10);
  });
});
