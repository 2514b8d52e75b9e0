/** What the tests of the codec share: bytes by hand, ways to split them, and decoders that are read out. */
import { expect } from 'chai';
import {
  Push,
  RedisError,
  type RedisErrorCode,
  RedisServerError,
  type Reply,
  ReplyDecoder,
  type ReplyDecoderOptions,
  RequestDecoder,
  type RequestDecoderOptions,
} from '../../../src/codec/redis/index.js';

/** One byte for each char, so that "\xff" is the byte ff. */
export function raw(text: string): Buffer {
  return Buffer.from(text, 'latin1');
}

export function splitAt(bytes: Buffer, ...points: number[]): Buffer[] {
  const ends = [...points, bytes.length];
  return ends.map((end, index) => Buffer.from(bytes.subarray(ends[index - 1] ?? 0, end)));
}

export function splitEvery(bytes: Buffer, size: number): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(Buffer.from(bytes.subarray(at, at + size)));
  return chunks;
}

/** All that a decoder gives, read out after each chunk. */
export function readOut<T>(decoder: { push(chunk: Buffer): void; next(): T | undefined }, chunks: Buffer[]): T[] {
  const values: T[] = [];
  for (const chunk of chunks) {
    decoder.push(chunk);
    for (let value = decoder.next(); value !== undefined; value = decoder.next()) values.push(value);
  }
  return values;
}

export function decodeReplies(chunks: Buffer | Buffer[], options?: ReplyDecoderOptions): (Reply | Push)[] {
  return readOut(new ReplyDecoder(options), [chunks].flat());
}

export function decodeRequests(chunks: Buffer | Buffer[], options?: RequestDecoderOptions): Buffer[][] {
  return readOut(new RequestDecoder(options), [chunks].flat());
}

/** Values in a form that compares as their content does: errors by text, buffers by bytes, numbers by bits. */
export function plain(value: unknown): unknown {
  if (value instanceof RedisServerError) return { error: value.message, code: value.code };
  if (value instanceof Push) return { push: value.kind, data: value.data.map(plain) };
  if (Buffer.isBuffer(value)) return { buffer: value.toString('latin1') };
  if (value instanceof Map) return { map: [...value].map(([key, item]) => [plain(key), plain(item)]) };
  if (value instanceof Set) return { set: [...value].map(plain) };
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value === 'number') return { number: Object.is(value, -0) ? '-0' : String(value) };
  return value;
}

export function expectError(run: () => unknown, code: RedisErrorCode, detail?: RegExp): void {
  try {
    run();
  } catch (error) {
    expect(error).to.be.instanceOf(RedisError);
    expect((error as RedisError).code, (error as Error).message).to.equal(code);
    if (detail) expect((error as Error).message).to.match(detail);
    return;
  }
  expect.fail(`no ${code}`);
}
