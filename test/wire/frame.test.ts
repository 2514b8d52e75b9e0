import { expect } from 'chai';
import * as fc from 'fast-check';
import { TurboError } from '../../src/errors.js';
import { SEQUENCE_MAX } from '../../src/wire/constants.js';
import { decodeReply, decodeTombstone, encodeReply, encodeTombstone } from '../../src/wire/frame.js';
import { bytesField, framed, hex, tag, tombstone, varint, varintField } from '../support/bytes.js';
import { holds } from '../support/property.js';

const SECRET = hex('000102030405060708090a0b0c0d0e0f 101112131415161718191a1b1c1d1e1f');
const INSTANCE = hex('a0a1a2a3a4a5a6a7');
const CLAIM = { secret: SECRET, instance: INSTANCE, serverSequence: 5, clientSequence: 2 };
const CLAIM_BYTES = hex(`54544c53 0030
  0a20 000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f
  1208 a0a1a2a3a4a5a6a7 1805 2002`);
const REJECTION = { accepted: false, reason: 'claimed' };
const REJECTION_BYTES = hex('54544c53 000b 0802 1207 636c61696d6564');
const ACCEPTANCE_BYTES = hex('54544c53 0004 0801 1200');

type Decode = (bytes: Buffer) => { length: number } | undefined;

function expectBadFrame(run: () => unknown, message: string): void {
  expect(run, message).to.throw(TurboError).with.property('code', 'ERR_TURBO_BAD_FRAME');
}

describe('wire/frame', () => {
  const frames: [string, Buffer, Decode][] = [
    ['a tombstone', CLAIM_BYTES, decodeTombstone],
    ['a rejecting Reply', REJECTION_BYTES, decodeReply],
    ['an accepting Reply', ACCEPTANCE_BYTES, decodeReply],
  ];

  it('encodes and decodes a tombstone: a vector', () => {
    expect(encodeTombstone(CLAIM).toString('hex')).to.equal(CLAIM_BYTES.toString('hex'));
    expect(decodeTombstone(CLAIM_BYTES)).to.deep.equal({ tombstone: CLAIM, length: 54 });
    expect(tombstone(CLAIM)).to.deep.equal(CLAIM_BYTES);
  });

  it('encodes and decodes Replies: vectors', () => {
    expect(encodeReply(REJECTION).toString('hex')).to.equal(REJECTION_BYTES.toString('hex'));
    expect(decodeReply(REJECTION_BYTES)).to.deep.equal({ reply: REJECTION, length: 17 });
    expect(decodeReply(encodeReply({ accepted: true, reason: '' }))?.reply.accepted).to.equal(true);
    expect(decodeReply(ACCEPTANCE_BYTES)).to.deep.equal({ reply: { accepted: true, reason: '' }, length: 10 });
    expect(decodeReply(hex('54544c53 0002 0801'))).to.deep.equal({ reply: { accepted: true, reason: '' }, length: 8 });
  });

  it('gives back any tombstone', () => {
    const number = fc.integer({ min: 0, max: SEQUENCE_MAX });
    holds(
      fc.property(
        fc.uint8Array({ minLength: 32, maxLength: 32 }),
        fc.uint8Array({ minLength: 8, maxLength: 8 }),
        number,
        number,
        (secret, instance, serverSequence, clientSequence) => {
          const claim = {
            secret: Buffer.from(secret),
            instance: Buffer.from(instance),
            serverSequence,
            clientSequence,
          };
          expect(decodeTombstone(encodeTombstone(claim))?.tombstone).to.deep.equal(claim);
        },
      ),
    );
  });

  for (const [name, bytes, decode] of frames) {
    it(`waits at every truncated prefix of ${name}`, () => {
      for (let length = 0; length < bytes.length; length++) {
        expect(decode(bytes.subarray(0, length)), `${length} bytes`).to.equal(undefined);
      }
    });

    it(`gives ${name} the same however it was split, and says where it ends`, () => {
      const stream = Buffer.concat([bytes, Buffer.from('TTLS and whatever follows')]);
      for (let split = bytes.length; split <= stream.length; split++) {
        expect(decode(stream.subarray(0, split)), `${split} bytes`).to.deep.equal(decode(bytes));
      }
      expect(decode(stream)?.length).to.equal(bytes.length);
    });

    it(`refuses ${name} that does not begin with TTLS, as soon as that is seen`, () => {
      for (let at = 0; at < 4; at++) {
        const wrong = Buffer.from(bytes);
        wrong[at] = (wrong[at] as number) ^ 1;
        for (let length = at + 1; length <= bytes.length; length++) {
          expectBadFrame(() => decode(wrong.subarray(0, length)), `byte ${at}, ${length} bytes`);
        }
      }
    });
  }

  it('refuses a length over 256 before any byte of the message', () => {
    for (const length of [257, 1000, 0xffff]) {
      expectBadFrame(() => decodeTombstone(framed(Buffer.alloc(0), length)), `tombstone of ${length}`);
      expectBadFrame(() => decodeReply(framed(Buffer.alloc(0), length)), `Reply of ${length}`);
    }
    expect(decodeReply(framed(Buffer.alloc(0), 256))).to.equal(undefined);
  });

  it('takes a Reply of 256 bytes', () => {
    const reason = 'r'.repeat(251);
    const reply = framed(Buffer.concat([varintField(1, 2), bytesField(2, Buffer.from(reason))]));
    expect(reply.length).to.equal(6 + 256);
    expect(decodeReply(reply)).to.deep.equal({ reply: { accepted: false, reason }, length: 262 });
  });

  describe('refuses a tombstone', () => {
    const secret = bytesField(1, SECRET);
    const instance = bytesField(2, INSTANCE);
    const bad: [string, Buffer[]][] = [
      ['without anything', []],
      ['without a secret', [instance]],
      ['without an instance', [secret]],
      ['with a secret of 31 bytes', [bytesField(1, SECRET.subarray(1)), instance]],
      ['with a secret of 33 bytes', [bytesField(1, Buffer.alloc(33)), instance]],
      ['with an instance of 7 bytes', [secret, bytesField(2, INSTANCE.subarray(1))]],
      ['with an instance of 9 bytes', [secret, bytesField(2, Buffer.alloc(9))]],
      ['with a server sequence of 65', [secret, instance, varintField(3, 65)]],
      ['with a client sequence of 65', [secret, instance, varintField(4, 65)]],
      ['with a sequence of 2^32 - 1', [secret, instance, varintField(3, 0xffff_ffff)]],
      ['that ends in a tag', [secret, instance, tag(3, 0)]],
      ['whose length passes the end', [secret, tag(2, 2), varint(200), INSTANCE]],
      ['with an unfinished varint', [secret, instance, tag(3, 0), hex('ffffff')]],
      ['with a wire type that there is not', [secret, instance, tag(3, 7)]],
    ];
    for (const [name, fields] of bad) {
      it(name, () => {
        expectBadFrame(() => decodeTombstone(framed(Buffer.concat(fields))), name);
      });
    }
  });

  describe('refuses a Reply', () => {
    const bad: [string, Buffer][] = [
      ['without a status', Buffer.alloc(0)],
      ['with the status 0', hex('0800')],
      ['with the status 3', hex('0803')],
      ['that is cut short', hex('0802 1207 6e6f')],
      ['of plain text', Buffer.from('HTTP/1.1 400 Bad Request')],
    ];
    for (const [name, body] of bad) {
      it(name, () => {
        expectBadFrame(() => decodeReply(framed(body)), name);
      });
    }
  });

  it('keeps none of the bytes of a tombstone: they may be a view of a socket buffer', () => {
    const bytes = Buffer.from(CLAIM_BYTES);
    const decoded = decodeTombstone(bytes);
    bytes.fill(0);
    expect(decoded?.tombstone).to.deep.equal(CLAIM);
  });
});
