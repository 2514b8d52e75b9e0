import { expect } from 'chai';
import * as fc from 'fast-check';
import { SEQUENCE_MAX } from '../../src/wire/constants.js';
import { DatagramStream } from '../../src/wire/datagram-stream.js';
import { holds } from '../support/property.js';

const WIDE = { bytes: 1_000_000, datagrams: SEQUENCE_MAX };

const payloads = () =>
  fc.array(
    fc.uint8Array({ minLength: 1, maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
    { minLength: 1, maxLength: SEQUENCE_MAX },
  );

/** Payloads, and an order in which all of them come, some more than once. */
const arrivals = () =>
  payloads().chain((list) => {
    const all = list.map((_, index) => index);
    return fc
      .tuple(
        fc.shuffledSubarray(all, { minLength: all.length }),
        fc.array(fc.tuple(fc.nat(), fc.constantFrom(...all)), { maxLength: 30 }),
      )
      .map(([order, repeats]) => {
        const arrival = [...order];
        for (const [at, index] of repeats) arrival.splice(at % (arrival.length + 1), 0, index);
        return { list, arrival };
      });
  });

describe('wire/datagram-stream', () => {
  it('gives the same stream for every order of arrival, with duplicates', () => {
    holds(
      fc.property(arrivals(), ({ list, arrival }) => {
        const stream = new DatagramStream(WIDE);
        const read: Buffer[] = [];
        const seen = new Set<number>();
        for (const index of arrival) {
          const duplicate = seen.has(index);
          const before = stream.delivered;
          const pushed = stream.push(index + 1, list[index] as Buffer);
          seen.add(index);
          let whole = 0;
          while (seen.has(whole)) whole++;
          expect(stream.delivered).to.equal(whole);
          expect(pushed).to.equal(duplicate ? 'duplicate' : whole > before ? 'in-order' : 'held');
          const peeked = stream.peek();
          const now = stream.read();
          expect(peeked).to.deep.equal(now);
          expect(stream.peek()).to.deep.equal([]);
          read.push(...now);
          expect(stream.deliveredBytes).to.equal(Buffer.concat(list.slice(0, whole)).length);
        }
        expect(Buffer.concat(read)).to.deep.equal(Buffer.concat(list));
        expect(stream.bytes).to.equal(Buffer.concat(list).length);
      }),
      { numRuns: 300 },
    );
  });

  it('counts the bytes behind any datagram that it has delivered', () => {
    holds(
      fc.property(payloads(), (list) => {
        const stream = new DatagramStream(WIDE);
        for (const [index, payload] of list.entries()) stream.push(index + 1, payload);
        for (let sequence = 0; sequence <= list.length; sequence++) {
          expect(stream.bytesAfter(sequence)).to.equal(Buffer.concat(list.slice(sequence)).length);
        }
      }),
    );
  });

  it('counts no bytes that are held, and none behind a datagram that is not there', () => {
    const stream = new DatagramStream(WIDE);
    stream.push(1, Buffer.alloc(10));
    stream.push(3, Buffer.alloc(30));
    expect(stream.bytesAfter(0)).to.equal(10);
    expect(stream.bytesAfter(1)).to.equal(0);
    expect(stream.bytesAfter(3)).to.equal(0);
    expect(stream.bytes).to.equal(40);
    stream.push(2, Buffer.alloc(20));
    expect(stream.bytesAfter(0)).to.equal(60);
    expect(stream.bytesAfter(2)).to.equal(30);
  });

  it('never passes its bounds, whatever comes', () => {
    const bounds = fc.record({ bytes: fc.integer({ min: 1, max: 200 }), datagrams: fc.integer({ min: 1, max: 80 }) });
    const pushes = fc.array(fc.tuple(fc.integer({ min: 1, max: 80 }), fc.integer({ min: 1, max: 60 })));
    holds(
      fc.property(bounds, pushes, (bound, list) => {
        const stream = new DatagramStream(bound);
        const taken = new Map<number, number>();
        for (const [sequence, length] of list) {
          const held = [...taken.values()].reduce((sum, each) => sum + each, 0);
          const room = sequence <= Math.min(bound.datagrams, SEQUENCE_MAX) && held + length <= bound.bytes;
          const pushed = stream.push(sequence, Buffer.alloc(length));
          if (taken.has(sequence)) expect(pushed).to.equal('duplicate');
          else if (room) expect(pushed).to.be.oneOf(['in-order', 'held']);
          else expect(pushed).to.equal('over-limit');
          if (room && !taken.has(sequence)) taken.set(sequence, length);
        }
        expect(stream.bytes).to.be.at.most(bound.bytes);
        expect(stream.delivered).to.be.at.most(Math.min(bound.datagrams, SEQUENCE_MAX));
      }),
      { numRuns: 300 },
    );
  });

  it('keeps the first of two payloads of one sequence', () => {
    const stream = new DatagramStream(WIDE);
    stream.push(2, Buffer.from('first'));
    expect(stream.push(2, Buffer.from('second'))).to.equal('duplicate');
    stream.push(1, Buffer.from('0'));
    expect(stream.push(2, Buffer.from('third'))).to.equal('duplicate');
    expect(Buffer.concat(stream.read()).toString()).to.equal('0first');
  });
});
