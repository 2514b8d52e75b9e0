import { pbkdf2 } from 'node:crypto';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { expect } from 'chai';
import { VirtualClock, VirtualTimeError } from './virtual-clock.js';

async function failure(promise: Promise<unknown>): Promise<unknown> {
  try {
    await promise;
  } catch (error) {
    return error;
  }
  throw new Error('did not fail');
}

describe('VirtualClock', () => {
  let clock: VirtualClock;
  const sleep = (ms: number) => new Promise<void>((resolve) => clock.after(ms, resolve));

  beforeEach(() => {
    clock = new VirtualClock();
  });

  it('fires timers in the order of their time, then of their making', async () => {
    const order: string[] = [];
    for (const [delay, name] of [
      [20, 'd'],
      [10, 'a'],
      [10, 'b'],
      [15, 'c'],
      [0, '0'],
    ] as const) {
      clock.after(delay, () => order.push(`${name}@${clock.now()}`));
    }
    await clock.runUntilIdle();
    expect(order).to.deep.equal(['0@0', 'a@10', 'b@10', 'c@15', 'd@20']);
  });

  it('orders ten thousand timers, half of them cancelled', async () => {
    const fired: number[] = [];
    const timers = Array.from({ length: 10_000 }, (_, index) => {
      const at = (index * 7919) % 1_000;
      return clock.after(at, () => fired.push(at));
    });
    for (let index = 0; index < timers.length; index += 2) timers[index]?.cancel();
    expect(clock.pending).to.equal(5_000);
    await clock.runUntilIdle();
    expect(fired).to.have.length(5_000);
    expect(fired).to.deep.equal(fired.toSorted((one, other) => one - other));
  });

  it('lets a timer cancel another one of the same instant', async () => {
    let fired = false;
    clock.after(5, () => second.cancel());
    const second = clock.after(5, () => {
      fired = true;
    });
    await clock.runUntilIdle();
    expect(fired).to.equal(false);
    expect(clock.pending).to.equal(0);
  });

  it('runs nextTicks and microtasks between timers of one instant', async () => {
    const order: string[] = [];
    for (const name of ['a', 'b']) {
      clock.after(1, () => {
        order.push(name);
        process.nextTick(() => void Promise.resolve().then(() => order.push(`${name} then`)));
      });
    }
    await clock.runUntilIdle();
    expect(order).to.deep.equal(['a', 'a then', 'b', 'b then']);
  });

  it('returns what the promise gives, at the instant at which it gave it', async () => {
    const work = (async () => {
      await sleep(30);
      await sleep(12.5);
      return 'done';
    })();
    clock.after(10_000, () => {});
    expect(await clock.run(work)).to.equal('done');
    expect(clock.now()).to.equal(42.5);
  });

  it('rethrows what the promise or a timer throws', async () => {
    expect(await failure(clock.run(Promise.reject(new Error('mine'))))).to.have.property('message', 'mine');
    clock.after(1, () => {
      throw new Error('in a timer');
    });
    expect(await failure(clock.run(sleep(2)))).to.have.property('message', 'in a timer');
  });

  it('waits for streams that hop from immediate to immediate', async () => {
    let at: number | undefined;
    clock.after(1, () => {
      let hops = 50;
      const hop = () => {
        if (hops-- > 0) setImmediate(hop);
        else at = clock.now();
      };
      hop();
    });
    clock.after(2, () => {});
    await clock.runUntilIdle();
    expect(at).to.equal(1);

    const stages = Array.from({ length: 20 }, () => new PassThrough());
    const last = stages.at(-1) as PassThrough;
    let end = -1;
    last.resume().on('end', () => {
      end = clock.now();
    });
    void pipeline(stages);
    clock.after(1, () => stages[0]?.end('x'));
    clock.after(1.001, () => {});
    await clock.run(() => end >= 0);
    expect(end).to.equal(3);
  });

  it('stands still during work that it cannot see', async () => {
    const work = clock.during(new Promise((resolve) => pbkdf2('a', 'b', 20_000, 32, 'sha256', resolve)));
    let wasFirst = false;
    void work.then(() => {
      wasFirst = clock.now() === 0;
    });
    await clock.run(sleep(1));
    expect(wasFirst).to.equal(true);
  });

  it('tells a deadlock, a passed limit and time that stands still', async () => {
    const never = new Promise(() => {});
    expect(await failure(clock.run(never)))
      .to.be.instanceOf(VirtualTimeError)
      .with.property('message')
      .match(/deadlock/);
    clock.after(1_000, () => {});
    expect(await failure(clock.run(never, { limitMs: 999 })))
      .to.have.property('message')
      .that.matches(/999 ms/);
    expect(clock.now()).to.be.below(1_000);
    const again = () => clock.after(0, again);
    again();
    expect(await failure(clock.run(never)))
      .to.have.property('message')
      .that.matches(/stands still/);
  }).timeout(20_000);

  it('steps, advances and settles', async () => {
    const fired: number[] = [];
    for (const at of [1, 2, 2, 7]) clock.after(at, () => fired.push(at));
    await clock.settle();
    expect(fired).to.deep.equal([]);
    expect(await clock.step()).to.equal(true);
    expect(clock.now()).to.equal(1);
    await clock.advance(4);
    expect(clock.now()).to.equal(5);
    expect(fired).to.deep.equal([1, 2, 2]);
    expect(clock.nextAt).to.equal(7);
    await clock.step();
    expect(await clock.step()).to.equal(false);
  });

  it('refuses two drivers at once', async () => {
    const first = clock.run(sleep(1));
    expect(await failure(clock.settle())).to.be.instanceOf(VirtualTimeError);
    await first;
  });
});
