import { expect } from 'chai';
import { DataRow } from '../../../src/codec/pg/data-row.js';
import { BackendDecoder, FrontendDecoder } from '../../../src/codec/pg/decoder.js';
import { BackendEncoder, FrontendEncoder } from '../../../src/codec/pg/encoder.js';
import { defaultPgLimits } from '../../../src/codec/pg/limits.js';
import type { BackendMessage, FrontendMessage } from '../../../src/codec/pg/messages.js';
import { collectGarbage } from '../../support/garbage.js';
import { backendVectors, frontendVectors, listed } from './vectors.js';
import { drain, expectPgError, feed, framed, int32, plain, wire } from './wire.js';

const STARTUP = wire("00000012 00030000 'user' 00 'bob' 00 00");

function loggedIn(): BackendDecoder {
  const decoder = new BackendDecoder();
  decoder.loginDone();
  return decoder;
}

function arrayBuffers(): number {
  collectGarbage();
  collectGarbage();
  return process.memoryUsage().arrayBuffers;
}

describe('codec/pg decoder', () => {
  it('gives a stream of all messages the same at every split point', () => {
    const vectors = listed<BackendMessage>(backendVectors);
    const stream = Buffer.concat(vectors.map(({ bytes }) => bytes));
    const expected = vectors.map(({ message }) => plain(message));
    for (let split = 0; split <= stream.length; split++) {
      const messages = feed(new BackendDecoder(), stream, split, stream.length - split || 1);
      expect(messages.map(plain), `split at ${split}`).to.deep.equal(expected);
    }
    for (const length of [1, 2, 3, 5, 7, 64]) {
      expect(feed(new BackendDecoder(), stream, length).map(plain), `by ${length}`).to.deep.equal(expected);
    }
  });

  it('gives nothing that is not asked for, and says how much it holds', () => {
    const decoder = new BackendDecoder();
    const row = new BackendEncoder().write(DataRow.of(['x'])).take();
    for (let count = 0; count < 10; count++) decoder.push(row);
    expect(decoder.buffered).to.equal(10 * row.length);
    decoder.next();
    expect(decoder.buffered).to.equal(9 * row.length);
    expect(drain(decoder)).to.have.lengthOf(9);
    expect(decoder.buffered).to.equal(0);
  });

  it('does not copy a message that lies within a chunk', () => {
    const decoder = loggedIn();
    const chunk = new BackendEncoder()
      .writeAll([DataRow.of(['one']), { name: 'CopyData', data: Buffer.from('two') }])
      .take();
    decoder.push(chunk);
    const [row, copy] = drain(decoder);
    expect((row as DataRow).bytes(0)?.buffer).to.equal(chunk.buffer);
    expect(copy).to.have.nested.property('data.buffer', chunk.buffer);
    expect(decoder.copied).to.equal(0);
  });

  it('gives rows that stay as they are, whatever comes later', () => {
    const encoder = new BackendEncoder();
    for (let row = 0; row < 2000; row++) encoder.write(DataRow.of([`row ${row}`, 'x'.repeat(row % 300)]));
    const rows = feed(loggedIn(), encoder.take(), 64) as DataRow[];
    expect(rows).to.have.lengthOf(2000);
    rows.forEach((row, index) => {
      expect(row.texts()).to.deep.equal([`row ${index}`, 'x'.repeat(index % 300)]);
    });
  });

  it('copies each byte a few times at most, in splits of 64 bytes', () => {
    const copied = (length: number) => {
      const decoder = loggedIn();
      const [row] = feed(decoder, framed('D', Buffer.concat([wire('0001'), int32(length), Buffer.alloc(length)])), 64);
      expect((row as DataRow).bytes(0)).to.have.lengthOf(length);
      return decoder.copied / length;
    };
    for (const length of [10_000, 40_000, 2_500_000, 10_000_000]) expect(copied(length), `${length}`).to.be.below(3);
  });

  it('takes no memory for a length that is only claimed', () => {
    const before = process.memoryUsage().arrayBuffers;
    const decoders = Array.from({ length: 100 }, () => {
      const decoder = loggedIn();
      decoder.push(Buffer.concat([Buffer.from('D'), int32(defaultPgLimits.messageBytes), Buffer.alloc(10)]));
      decoder.next();
      decoder.push(Buffer.alloc(10));
      expect(decoder.next()).to.equal(undefined);
      return decoder;
    });
    expect(decoders.every(({ buffered }) => buffered === 25)).to.equal(true);
    expect(process.memoryUsage().arrayBuffers - before).to.be.below(1024 * 1024);
  });

  it('keeps nothing of messages that are gone', () => {
    const bytes = 32 * 1024 * 1024;
    const before = arrayBuffers();
    const decoders = [1_000_000, bytes].map((length) => {
      const decoder = loggedIn();
      const messages = feed(decoder, framed('d', Buffer.alloc(bytes)), length);
      expect(messages).to.have.lengthOf(1);
      return decoder;
    });
    expect(arrayBuffers() - before).to.be.below(bytes / 2);
    expect(decoders.every(({ buffered }) => buffered === 0)).to.equal(true);
  });

  describe('refuses a message that is too long', () => {
    const { startupBytes, loginMessageBytes, messageBytes } = defaultPgLimits;

    it('before login, and after it', () => {
      for (const [decoder, type, limit] of [
        [new BackendDecoder(), 'N', loginMessageBytes],
        [loggedIn(), 'd', messageBytes],
      ] as const) {
        decoder.push(Buffer.concat([Buffer.from(type), int32(limit + 4)]));
        expect(decoder.next(), 'at the limit').to.equal(undefined);
      }
      for (const [decoder, limit] of [
        [new BackendDecoder(), loginMessageBytes],
        [loggedIn(), messageBytes],
        [loggedIn(), 0x7fff_ffff - 5],
      ] as const) {
        decoder.push(Buffer.concat([Buffer.from('d'), int32(limit + 5)]));
        expectPgError(() => decoder.next(), 'ERR_PG_MESSAGE_TOO_LONG', `${limit}`);
      }
    });

    it('the first of a connection, as PostgreSQL does', () => {
      const atLimit = new FrontendDecoder();
      atLimit.push(int32(startupBytes + 4));
      expect(atLimit.next()).to.equal(undefined);
      for (const length of [startupBytes + 5, 0x1603_0100]) {
        const decoder = new FrontendDecoder();
        decoder.push(int32(length));
        expectPgError(() => decoder.next(), 'ERR_PG_MESSAGE_TOO_LONG', `${length}`);
      }
    });

    it('from a client that is not logged in', () => {
      const decoder = new FrontendDecoder();
      decoder.push(STARTUP);
      decoder.next();
      decoder.push(Buffer.concat([Buffer.from('p'), int32(loginMessageBytes + 5)]));
      expectPgError(() => decoder.next(), 'ERR_PG_MESSAGE_TOO_LONG');
    });

    it('by limits of the caller', () => {
      const limits = { ...defaultPgLimits, startupBytes: 8, loginMessageBytes: 10, messageBytes: 20 };
      const decoder = new BackendDecoder({ limits });
      decoder.push(framed('d', Buffer.alloc(10)));
      expect(decoder.next()).to.have.property('name', 'CopyData');
      decoder.loginDone();
      decoder.push(framed('d', Buffer.alloc(20)));
      expect(decoder.next()).to.have.property('name', 'CopyData');
      decoder.push(framed('d', Buffer.alloc(21)));
      expectPgError(() => decoder.next(), 'ERR_PG_MESSAGE_TOO_LONG');
      const frontend = new FrontendDecoder({ limits });
      frontend.push(STARTUP);
      expectPgError(() => frontend.next(), 'ERR_PG_MESSAGE_TOO_LONG');
    });
  });

  it('stays failed, with the same error, and holds nothing', () => {
    const decoder = new BackendDecoder();
    decoder.push(Buffer.concat([framed('Z', wire("'?'")), framed('Z', wire("'I'"))]));
    let first: unknown;
    try {
      decoder.next();
    } catch (error) {
      first = error;
    }
    expect(first).to.have.property('code', 'ERR_PG_PROTOCOL');
    expect(decoder.buffered).to.equal(0);
    decoder.push(framed('Z', wire("'I'")));
    expect(decoder.buffered).to.equal(0);
    expect(() => decoder.next())
      .to.throw()
      .equal(first);
  });

  it('gives what came before the failure', () => {
    const decoder = new BackendDecoder();
    decoder.push(Buffer.concat([framed('Z', wire("'I'")), framed('Z', wire("'?'"))]));
    expect(decoder.next()).to.deep.equal({ name: 'ReadyForQuery', status: 'I' });
    expectPgError(() => decoder.next(), 'ERR_PG_PROTOCOL');
  });

  it('keeps a message of an unknown type, and goes on', () => {
    const decoder = loggedIn();
    decoder.push(Buffer.concat([framed('\xfe', wire('0102')), framed('Z', wire("'I'"))]));
    const [unknown, ready] = drain(decoder);
    expect(unknown).to.deep.equal({ name: 'Unknown', code: 0xfe, body: wire('0102') });
    expect(ready).to.have.property('name', 'ReadyForQuery');
  });

  describe('of a frontend', () => {
    it('goes from requests for encryption to the startup message to messages with a type', () => {
      const typed = listed<FrontendMessage>(frontendVectors);
      const stream = Buffer.concat([
        wire('00000008 04d21630'),
        wire('00000008 04d2162f'),
        STARTUP,
        ...typed.map(({ bytes }) => bytes),
      ]);
      const expected = ['GSSENCRequest', 'SSLRequest', 'StartupMessage', ...typed.map(({ message }) => message.name)];
      for (const length of [1, 64, stream.length]) {
        const names = feed(new FrontendDecoder(), stream, length).map(({ name }) => name);
        expect(names).to.deep.equal(expected);
      }
    });

    it('shows what was sent before the answer to SSLRequest', () => {
      const decoder = new FrontendDecoder();
      decoder.push(Buffer.concat([wire('00000008 04d2162f'), STARTUP]));
      expect(decoder.next()).to.deep.equal({ name: 'SSLRequest' });
      expect(decoder.buffered).to.equal(STARTUP.length);
    });

    it('takes nothing behind a CancelRequest', () => {
      const decoder = new FrontendDecoder();
      decoder.push(wire('00000010 04d2162e 00000539 deadbeef'));
      expect(decoder.next()).to.have.property('name', 'CancelRequest');
      expect(decoder.next()).to.equal(undefined);
      decoder.push(Buffer.of(0));
      expectPgError(() => decoder.next(), 'ERR_PG_PROTOCOL');
    });

    it('takes long messages once login is done', () => {
      const decoder = new FrontendDecoder();
      decoder.push(STARTUP);
      decoder.next();
      decoder.loginDone();
      const query = 'x'.repeat(100_000);
      decoder.push(new FrontendEncoder().write({ name: 'Query', query }).take());
      expect(decoder.next()).to.deep.equal({ name: 'Query', query });
    });
  });
});
