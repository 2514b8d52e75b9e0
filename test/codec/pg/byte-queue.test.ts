import { expect } from 'chai';
import * as fc from 'fast-check';
import { ByteQueue } from '../../../src/codec/pg/byte-queue.js';
import { holds } from '../../support/property.js';

function numbered(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let index = 0; index < length; index++) bytes[index] = (index * 7 + (index >> 8)) & 0xff;
  return bytes;
}

/** Reads all bytes that are there in pieces of `length`, as views. */
function read(queue: ByteQueue, length: number): Buffer[] {
  const views: Buffer[] = [];
  while (queue.has(length)) {
    views.push(queue.bytes.subarray(queue.start, queue.start + length));
    queue.skip(length);
  }
  return views;
}

describe('codec/pg byte queue', () => {
  it('gives what lies within a chunk without copying it', () => {
    const queue = new ByteQueue();
    const chunk = numbered(100);
    queue.push(chunk);
    const views = read(queue, 25);
    expect(views).to.have.lengthOf(4);
    expect(views[3]?.buffer).to.equal(chunk.buffer);
    expect(queue.copied).to.equal(0);
    expect(queue.length).to.equal(0);
  });

  it('copies only what lies across large chunks', () => {
    const queue = new ByteQueue();
    const stream = numbered(1_000_000);
    const views: Buffer[] = [];
    for (let at = 0; at < stream.length; at += 65_536) {
      queue.push(stream.subarray(at, at + 65_536));
      views.push(...read(queue, 100));
    }
    expect(Buffer.concat(views)).to.deep.equal(stream);
    expect(queue.copied).to.be.below(16 * 200);
  });

  it('gives the same however it was pushed and read, in views that stay as they are', () => {
    const sizes = fc.array(fc.oneof(fc.integer({ min: 0, max: 100 }), fc.integer({ min: 900, max: 5000 })), {
      minLength: 1,
      maxLength: 60,
    });
    // After which pushes nobody reads.
    const pauses = fc.array(fc.boolean(), { minLength: 1, maxLength: 10 });
    holds(
      fc.property(sizes, sizes, pauses, (pushed, asked, paused) => {
        const queue = new ByteQueue();
        const total = pushed.reduce((sum, size) => sum + size, 0);
        const stream = numbered(total);
        const views: Buffer[] = [];
        let at = 0;
        let next = 0;
        let gone = 0;
        let pushes = 0;
        const drain = () => {
          for (;;) {
            const length = Math.max(1, asked[next % asked.length] as number);
            if (!queue.has(length)) return;
            views.push(queue.bytes.subarray(queue.start, queue.start + length));
            queue.skip(length);
            gone += length;
            next++;
          }
        };
        for (const size of pushed) {
          queue.push(stream.subarray(at, at + size));
          at += size;
          expect(queue.length).to.equal(at - gone);
          if (!paused[pushes++ % paused.length]) drain();
        }
        drain();
        // Looked at last: what was pushed later has not changed them.
        expect(Buffer.concat(views)).to.deep.equal(stream.subarray(0, gone));
        expect(queue.length).to.equal(total - gone);
        queue.clear();
        expect(queue.length).to.equal(0);
        expect(queue.has(1)).to.equal(false);
      }),
    );
  });

  it('lets go of chunks that were pushed far ahead', () => {
    const queue = new ByteQueue();
    const stream = numbered(30_000);
    for (let at = 0; at < stream.length; at += 3) queue.push(stream.subarray(at, at + 3));
    expect(queue.length).to.equal(stream.length);
    expect(Buffer.concat(read(queue, 10))).to.deep.equal(stream);
    expect(queue.length).to.equal(0);
  });

  it('copies a number of bytes that grows with their number, not with the number of chunks', () => {
    const copied = (length: number, chunk: number) => {
      const queue = new ByteQueue();
      const stream = Buffer.alloc(length);
      for (let at = 0; at < length; at += chunk) {
        queue.push(stream.subarray(at, at + chunk));
        queue.has(length);
      }
      expect(queue.has(length)).to.equal(true);
      return queue.copied;
    };
    for (const chunk of [1, 64, 1000, 1460, 16_384]) {
      for (const length of [100_000, 400_000, 1_600_000]) {
        if (chunk === 1 && length > 400_000) continue;
        expect(copied(length, chunk), `${length} bytes by ${chunk}`).to.be.below(3 * length);
      }
    }
    expect(copied(10_000_000, 64)).to.be.below(30_000_000);
  });
});
