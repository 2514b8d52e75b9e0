/** PostgreSQL messages by hand, independent of the shipped encoder, able to write what that one never would. */
import { expect } from 'chai';
import { DataRow } from '../../../src/codec/pg/data-row.js';
import { PgError, type PgErrorCode } from '../../../src/codec/pg/errors.js';

/** Bytes as they are written down: what stands in quotes is text, the rest hexadecimal digits. */
export function wire(text: string): Buffer {
  return Buffer.concat(
    text
      .split("'")
      .map((part, index) => Buffer.from(index % 2 ? part : part.replaceAll(/\s/g, ''), index % 2 ? 'utf8' : 'hex')),
  );
}

export function int16(value: number): Buffer {
  return Buffer.of((value >> 8) & 0xff, value & 0xff);
}

export function int32(value: number): Buffer {
  return Buffer.of((value >> 24) & 0xff, (value >> 16) & 0xff, (value >> 8) & 0xff, value & 0xff);
}

/** A message whose length is right, or off by `lie`; no type for the startup phase. */
export function framed(type: string, body: Uint8Array, lie = 0): Buffer {
  return Buffer.concat([Buffer.from(type, 'latin1'), int32(body.length + 4 + lie), body]);
}

/** A DataRow's body. */
export function rowBody(values: readonly (string | Uint8Array | null)[]): Buffer {
  const parts = values.flatMap((value) => {
    if (value === null) return [wire('ffffffff')];
    const bytes = Buffer.from(value as string);
    return [int32(bytes.length), bytes];
  });
  return Buffer.concat([int16(values.length), ...parts]);
}

/** What a decoder does, as far as these tests are concerned. */
export interface AnyDecoder<Message> {
  push(chunk: Buffer): void;
  next(): Message | undefined;
  readonly buffered: number;
}

/** All messages that are there. */
export function drain<Message>(decoder: AnyDecoder<Message>): Message[] {
  const messages: Message[] = [];
  for (let message = decoder.next(); message !== undefined; message = decoder.next()) messages.push(message);
  return messages;
}

/** Pushes a stream in chunks of these lengths, the last one over and over, and drains after each. */
export function feed<Message>(decoder: AnyDecoder<Message>, stream: Buffer, ...lengths: number[]): Message[] {
  const messages: Message[] = [];
  for (let at = 0, index = 0; at < stream.length; index++) {
    const length = lengths[Math.min(index, lengths.length - 1)] ?? stream.length;
    decoder.push(Buffer.from(stream.subarray(at, at + length)));
    messages.push(...drain(decoder));
    at += length;
  }
  return messages;
}

/** A message to compare: a row as its values. */
export function plain(message: unknown): unknown {
  if (!(message instanceof DataRow)) return message;
  const values = Array.from({ length: message.length }, (_, column) => message.bytes(column));
  return { name: message.name, values };
}

export function expectPgError(run: () => unknown, code: PgErrorCode, what?: string): void {
  expect(run, what).to.throw(PgError).with.property('code', code);
}
