/**
 * `node dist/bench/redis-codec.js [--quick]`: how fast replies are decoded, beside the parsers inside @redis/client and
 * ioredis in the same run. The parsers are no public API of theirs: their files are loaded by path.
 */
import { createRequire } from 'node:module';
import { cpus } from 'node:os';
import { ReplyDecoder } from '../src/codec/redis/index.js';
import { median } from './measure.js';

const BULK_STRINGS = 100;
const TOTAL_BYTES = 4 * 1024 * 1024;
const ROUND_MS = 100;

/** Decodes all chunks, and gives how many characters all strings had: the proof that each did the whole work. */
type Parser = (chunks: readonly Buffer[]) => number;

interface TheirDecoder {
  write(chunk: Buffer): void;
}

type TheirDecoderClass = new (options: {
  onReply: (reply: string[]) => void;
  onErrorReply: (error: Error) => void;
  onPush: (push: unknown) => void;
  getTypeMapping: () => object;
}) => TheirDecoder;

const require = createRequire(import.meta.url);

const parsers: Readonly<Record<string, Parser>> = {
  turbotls: parseByReplyDecoder,
  '@redis/client': parseBy(require('@redis/client/dist/lib/RESP/decoder.js').Decoder),
  ioredis: parseBy(require('ioredis/built/resp/decoder.js').Decoder),
};

function parseByReplyDecoder(chunks: readonly Buffer[]): number {
  const decoder = new ReplyDecoder();
  let characters = 0;
  for (const chunk of chunks) {
    decoder.push(chunk);
    for (let reply = decoder.next(); reply !== undefined; reply = decoder.next()) {
      for (const string of reply as string[]) characters += string.length;
    }
  }
  return characters;
}

function parseBy(Decoder: TheirDecoderClass): Parser {
  return (chunks) => {
    let characters = 0;
    const decoder = new Decoder({
      onReply: (reply) => {
        for (const string of reply) characters += string.length;
      },
      onErrorReply: fail,
      onPush: fail,
      getTypeMapping: () => ({}),
    });
    for (const chunk of chunks) decoder.write(chunk);
    return characters;
  };
}

function fail(): never {
  throw new Error('neither an error nor a push was sent');
}

/** Arrays of bulk strings of `length` characters, about TOTAL_BYTES in all. */
function arrays(length: number): Buffer {
  const array = [`*${BULK_STRINGS}\r\n`];
  for (let index = 0; index < BULK_STRINGS; index++) {
    array.push(`$${length}\r\n${`value:${index}:`.padEnd(length, 'abcdefghij')}\r\n`);
  }
  const bytes = Buffer.from(array.join(''));
  return Buffer.concat(new Array(Math.ceil(TOTAL_BYTES / bytes.length)).fill(bytes));
}

function split(bytes: Buffer, size: number): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < bytes.length; at += size) chunks.push(bytes.subarray(at, at + size));
  return chunks;
}

/** MB/s of each parser in each round; all take their turns within one. */
function measure(chunks: readonly Buffer[], rounds: number): number[][] {
  const names = Object.keys(parsers);
  const rates = new Map<string, number[]>(names.map((name) => [name, []]));
  const expected = parseByReplyDecoder(chunks);
  const bytes = chunks.reduce((sum, { length }) => sum + length, 0);
  for (let round = -2; round < rounds; round++) {
    for (let turn = 0; turn < names.length; turn++) {
      const name = names[(Math.max(round, 0) + turn) % names.length] as string;
      const rate = bytes / 1e3 / timePass(name, chunks, expected);
      // The first rounds warm up.
      if (round >= 0) rates.get(name)?.push(rate);
    }
  }
  return [...rates.values()];
}

/** ms for one pass over the chunks, from as many as take long enough to be measured. */
function timePass(name: string, chunks: readonly Buffer[], expected: number): number {
  const parser = parsers[name] as Parser;
  const startedAt = performance.now();
  for (let passes = 1; ; passes++) {
    const characters = parser(chunks);
    if (characters !== expected) throw new Error(`${name} decoded ${characters} characters, not ${expected}`);
    const took = performance.now() - startedAt;
    if (took >= ROUND_MS) return took / passes;
  }
}

const rounds = process.argv.includes('--quick') ? 5 : 15;
const names = Object.keys(parsers);
console.log(`Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model}; MB/s decoded, medians of ${rounds}\n`);
console.log(`${''.padEnd(44)}${names.map((name) => name.padStart(15)).join('')}   ahead of the best by`);
for (const length of [10, 32, 200, 2000]) {
  const bytes = arrays(length);
  for (const size of [64 * 1024, 64]) {
    const rates = measure(split(bytes, size), rounds);
    const [ours = [], ...theirs] = rates;
    const cells = rates.map((rate) => median(rate).toFixed(0).padStart(15)).join('');
    // Of the rounds' own ratios, so that what the machine does meanwhile hits both sides.
    const ratios = ours.map((rate, round) => rate / Math.max(...theirs.map((their) => their[round] as number)));
    const ratio = median(ratios).toFixed(2);
    const form = size === 64 ? '64-byte splits' : '64 KiB chunks';
    console.log(`${`${BULK_STRINGS} x ${length} characters, ${form}`.padEnd(44)}${cells}   x ${ratio}`);
  }
}
