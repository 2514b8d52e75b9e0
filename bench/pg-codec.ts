/**
 * `node dist/bench/pg-codec.js [--quick]`: our PostgreSQL decoder beside pg-protocol's, in the same run and by turns.
 * pg-protocol makes strings of all values of a row at once; where a case says so, ours does too.
 */
import { Parser } from 'pg-protocol/dist/parser.js';
import { DataRow } from '../src/codec/pg/data-row.js';
import { BackendDecoder } from '../src/codec/pg/decoder.js';
import { BackendEncoder } from '../src/codec/pg/encoder.js';
import type { BackendMessage } from '../src/codec/pg/messages.js';
import { median } from './measure.js';

const WHOLE_BYTES = 64 * 1024;
const SPLIT_BYTES = 64;
const MiB = 1024 * 1024;

type Read = (message: BackendMessage) => number;

interface Case {
  name: string;
  stream: Buffer;
  chunkBytes: number;
  /** What our side does with a message; gives something, so that nothing is left out. */
  read: Read;
}

/** Ten columns as applications have them: numbers, dates, a UUID, names, a null, a sentence. */
function usualRow(row: number): DataRow {
  return DataRow.of([
    String(row),
    String(row * 7919),
    `customer ${row}`,
    `customer.${row}@example.com`,
    '2026-01-01 12:34:56.789+00',
    '5f2c1d7e-9a4b-4c3d-8e2f-1a2b3c4d5e6f',
    row % 3 === 0 ? null : 't',
    `${row}.25`,
    row % 10 === 0 ? 'Zürich, Bahnhofstraße' : 'Springfield',
    'A sentence that somebody wrote about this customer, and then some.',
  ]);
}

function rowsOf(bytes: number, row: (index: number) => DataRow): Buffer {
  const encoder = new BackendEncoder();
  const parts: Buffer[] = [];
  for (let total = 0, index = 0; total < bytes; index++) {
    parts.push(encoder.write(row(index)).take());
    total += (parts.at(-1) as Buffer).length;
  }
  return Buffer.concat(parts);
}

/** What a server answers to small prepared queries. */
function smallMessages(bytes: number): Buffer {
  const encoder = new BackendEncoder();
  const parts: Buffer[] = [];
  for (let total = 0; total < bytes; total += (parts.at(-1) as Buffer).length) {
    encoder.writeAll([
      { name: 'BindComplete' },
      { name: 'NoData' },
      { name: 'CommandComplete', tag: 'INSERT 0 1' },
      { name: 'ReadyForQuery', status: 'I' },
    ]);
    parts.push(encoder.take());
  }
  return Buffer.concat(parts);
}

const texts: Read = (message) => (message.name === 'DataRow' ? message.texts().length : 0);
const nothing: Read = () => 1;

function eachText(message: BackendMessage): number {
  if (message.name !== 'DataRow') return 0;
  let characters = 0;
  for (let column = 0; column < message.length; column++) characters += message.text(column)?.length ?? 0;
  return characters;
}

function casesOf(bytes: number): Case[] {
  const usual = rowsOf(bytes, usualRow);
  const numbers = rowsOf(bytes, (row) => DataRow.of(Array.from({ length: 10 }, (_, column) => String(row + column))));
  const foreign = rowsOf(bytes, () => DataRow.of(new Array<string>(10).fill('Привет, Ελλάδα, 日本')));
  const long = rowsOf(bytes, () => DataRow.of(new Array<string>(10).fill('a long text '.repeat(100))));
  const small = smallMessages(bytes / 4);
  const at = (chunkBytes: number, where: string): Case[] => [
    { name: `rows, all values by texts(), ${where}`, stream: usual, chunkBytes, read: texts },
    { name: `rows, all values by text(i), ${where}`, stream: usual, chunkBytes, read: eachText },
    { name: `rows of short numbers, texts(), ${where}`, stream: numbers, chunkBytes, read: texts },
    { name: `rows not in ASCII, texts(), ${where}`, stream: foreign, chunkBytes, read: texts },
    { name: `rows of 1,200-byte texts, texts(), ${where}`, stream: long, chunkBytes, read: texts },
    { name: `rows, no value read, ${where}`, stream: usual, chunkBytes, read: nothing },
    { name: `small messages, ${where}`, stream: small, chunkBytes, read: nothing },
  ];
  return [...at(WHOLE_BYTES, '64 KiB chunks'), ...at(SPLIT_BYTES, '64-byte splits')];
}

function split(stream: Buffer, chunkBytes: number): Buffer[] {
  const chunks: Buffer[] = [];
  for (let at = 0; at < stream.length; at += chunkBytes) chunks.push(stream.subarray(at, at + chunkBytes));
  return chunks;
}

let sink = 0;

function ours(chunks: readonly Buffer[], read: Read): void {
  const decoder = new BackendDecoder();
  decoder.loginDone();
  for (const chunk of chunks) {
    decoder.push(chunk);
    for (let message = decoder.next(); message !== undefined; message = decoder.next()) sink += read(message);
  }
}

function theirs(chunks: readonly Buffer[]): void {
  const parser = new Parser();
  for (const chunk of chunks) {
    parser.parse(chunk, (message) => {
      sink += message.length;
    });
  }
}

/** MB/s. */
function rate(bytes: number, run: () => void): number {
  const startedAt = performance.now();
  run();
  return bytes / 1e6 / ((performance.now() - startedAt) / 1000);
}

const quick = process.argv.includes('--quick');
const rounds = quick ? 5 : 15;
console.log(`Node ${process.version}; MB/s, medians of ${rounds} rounds, ratio = ours / pg-protocol\n`);
console.log(`${''.padEnd(58)}${'pg-protocol'.padStart(12)}${'ours'.padStart(10)}${'ratio'.padStart(7)}`);
for (const { name, stream, chunkBytes, read } of casesOf(quick ? 2 * MiB : 8 * MiB)) {
  const chunks = split(stream, chunkBytes);
  const figures: { ours: number; theirs: number }[] = [];
  // The first rounds warm up; who begins changes, as the second one collects the first one's garbage.
  for (let round = -2; round < rounds; round++) {
    const figure = { ours: 0, theirs: 0 };
    for (const side of round % 2 ? (['ours', 'theirs'] as const) : (['theirs', 'ours'] as const)) {
      figure[side] = rate(stream.length, () => (side === 'ours' ? ours(chunks, read) : theirs(chunks)));
    }
    if (round >= 0) figures.push(figure);
  }
  const cells = [
    median(figures.map((figure) => figure.theirs))
      .toFixed(0)
      .padStart(12),
    median(figures.map((figure) => figure.ours))
      .toFixed(0)
      .padStart(10),
    median(figures.map((figure) => figure.ours / figure.theirs))
      .toFixed(2)
      .padStart(7),
  ];
  console.log(`${name.padEnd(58)}${cells.join('')}`);
}
if (sink === 0) throw new Error('nothing was decoded');
