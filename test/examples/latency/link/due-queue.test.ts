import { expect } from 'chai';
import fc from 'fast-check';
import { DueQueue } from '../../../../examples/latency/link/due-queue.js';

function takeAll<T>(queue: DueQueue<T>, nowMs: number): T[] {
  const taken: T[] = [];
  for (let item = queue.take(nowMs); item !== undefined; item = queue.take(nowMs)) taken.push(item);
  return taken;
}

describe('link due queue', () => {
  it('gives what is due, the earliest first', () => {
    const queue = new DueQueue<string>();
    for (const [dueMs, item] of [
      [3, 'c'],
      [1, 'a'],
      [2, 'b'],
      [9, 'd'],
    ] as const)
      queue.add(dueMs, item);
    expect(queue.nextDueMs).to.equal(1);
    expect(takeAll(queue, 0.9)).to.deep.equal([]);
    expect(takeAll(queue, 3)).to.deep.equal(['a', 'b', 'c']);
    expect(queue.size).to.equal(1);
    expect(queue.nextDueMs).to.equal(9);
  });

  it('has nothing due where it is empty', () => {
    const queue = new DueQueue<string>();
    expect(queue.nextDueMs).to.equal(Number.POSITIVE_INFINITY);
    expect(queue.take(1e9)).to.equal(undefined);
  });

  it('orders as a stable sort does', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 0, max: 20 })), fc.integer({ min: 0, max: 20 }), (dues, nowMs) => {
        const items = dues.map((dueMs, order) => ({ dueMs, order }));
        const queue = new DueQueue<(typeof items)[number]>();
        for (const item of items) queue.add(item.dueMs, item);
        const sorted = items.toSorted((a, b) => a.dueMs - b.dueMs);
        const due = sorted.filter(({ dueMs }) => dueMs <= nowMs);
        expect(takeAll(queue, nowMs)).to.deep.equal(due);
        expect(takeAll(queue, 20)).to.deep.equal(sorted.slice(due.length));
      }),
    );
  });
});
