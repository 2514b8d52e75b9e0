import { once } from 'node:events';
import { Duplex } from 'node:stream';
import { expect } from 'chai';
import { type Head, readHead } from '../../src/gateway/read-head.js';
import { readAll, settle } from '../support/engine-rig.js';

const NEVER = new AbortController().signal;

function source(): Duplex {
  return new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() });
}

/** The text up to a line feed. */
function line(bytes: Buffer): Head<string> | 'incomplete' {
  const end = bytes.indexOf('\n');
  return end < 0 ? 'incomplete' : { value: bytes.toString('utf8', 0, end), length: end + 1 };
}

async function rejection(promise: Promise<unknown>): Promise<Error & { code?: string }> {
  return promise.then(
    () => new Error('it succeeded'),
    (error) => error,
  );
}

/** Of ours: the stream's own are not counted. */
function listenersOf(stream: Duplex): number {
  return ['readable', 'end', 'close', 'error'].reduce((sum, event) => sum + stream.listenerCount(event), 0);
}

describe('gateway/read-head', () => {
  it('gives back what it did not take, wherever the stream is split', async () => {
    const text = Buffer.from('first\nsecond\nrest');
    for (let split = 0; split <= text.length; split++) {
      const stream = source();
      const before = listenersOf(stream);
      const first = readHead(stream, line, NEVER);
      stream.push(text.subarray(0, split));
      await settle();
      stream.push(text.subarray(split));
      expect(await first).to.equal('first');
      expect(await readHead(stream, line, NEVER)).to.equal('second');
      expect(listenersOf(stream)).to.equal(before);
      expect(String(readAll(stream))).to.equal('rest');
    }
  });

  it('leaves everything where the parser takes nothing', async () => {
    const stream = source();
    stream.push('first\n');
    expect(await readHead(stream, (bytes) => ({ value: bytes.length, length: 0 }), NEVER)).to.equal(6);
    expect(String(stream.read())).to.equal('first\n');
  });

  it('reads what came together with the end', async () => {
    const stream = source();
    stream.push('first\nrest');
    stream.push(null);
    expect(await readHead(stream, line, NEVER)).to.equal('first');
    await settle();
    expect(String(readAll(stream))).to.equal('rest');
    stream.resume();
    await once(stream, 'end');
  });

  it('ends when the stream does: by an end, a failure, or long before', async () => {
    const ended = source();
    ended.push('half');
    ended.push(null);
    expect((await rejection(readHead(ended, line, NEVER))).code).to.equal('ERR_GATEWAY_CLIENT_GONE');
    expect((await rejection(readHead(ended, line, NEVER))).code).to.equal('ERR_GATEWAY_CLIENT_GONE');

    const failed = source();
    const failure = new Error('it broke');
    const reading = rejection(readHead(failed, line, NEVER));
    failed.destroy(failure);
    expect(await reading).to.equal(failure);
    expect((await rejection(readHead(failed, line, NEVER))).code).to.equal('ERR_GATEWAY_CLIENT_GONE');
  });

  it("ends with the signal, for the signal's reason; the stream stays", async () => {
    const reason = new Error('enough');
    const controller = new AbortController();
    const stream = source();
    const before = listenersOf(stream);
    const reading = rejection(readHead(stream, line, controller.signal));
    controller.abort(reason);
    expect(await reading).to.equal(reason);
    expect(await rejection(readHead(stream, line, controller.signal))).to.equal(reason);
    expect(stream.destroyed).to.equal(false);
    expect(listenersOf(stream)).to.equal(before);
  });

  it('throws what the parser throws', async () => {
    const stream = source();
    stream.push('x');
    const failure = new Error('not for me');
    const parse = () => {
      throw failure;
    };
    expect(await rejection(readHead(stream, parse, NEVER))).to.equal(failure);
  });
});
