import { expect } from 'chai';
import * as fc from 'fast-check';
import { TurboError } from '../../src/errors.js';
import { PAYLOAD_MAX, SEQUENCE_MAX } from '../../src/wire/constants.js';
import { type Datagram, type DatagramFault, decodeDatagram, encodeDatagram } from '../../src/wire/datagram.js';
import {
  BYTES,
  bytesField,
  checked,
  clientDatagram,
  FIXED32,
  FIXED64,
  hex,
  serverDatagram,
  tag,
  VARINT,
  varint,
  varintField,
  withoutCheck,
} from '../support/bytes.js';
import { holds } from '../support/property.js';

const ID = hex('7958ffa1ebf4e31454e0b31ad84d9c51');
const INSTANCE = hex('a0a1a2a3a4a5a6a7');
const HELLO = Buffer.from('hello');

/** Literal datagrams and what they say; the checks were computed elsewhere. */
const VECTORS: { name: string; bytes: Buffer; value: Datagram }[] = [
  {
    name: 'a client datagram with payload, padded to 400 bytes',
    bytes: hex(`0a107958ffa1ebf4e31454e0b31ad84d9c51 1001 1801 2a0568656c6c6f
      32e602${'00'.repeat(358)} 7a08c3b2ffe955b4f676`),
    value: { side: 'client', connectionId: ID, sequence: 1, acknowledged: 0, payload: HELLO },
  },
  {
    name: 'a request',
    bytes: hex(`0a107958ffa1ebf4e31454e0b31ad84d9c51 1001 2003
      32ed02${'00'.repeat(365)} 7a088c7e705e0042d39b`),
    value: { side: 'client', connectionId: ID, sequence: 0, acknowledged: 3, payload: Buffer.alloc(0) },
  },
  {
    name: 'a server datagram',
    bytes: hex(`0a107958ffa1ebf4e31454e0b31ad84d9c51 1002 1802 2001 2a026869 3a08a0a1a2a3a4a5a6a7
      40904e 48ac02 7a08cd375afb40b094ce`),
    value: {
      side: 'server',
      connectionId: ID,
      sequence: 2,
      acknowledged: 1,
      payload: Buffer.from('hi'),
      instance: INSTANCE,
      lifetimeMs: 10_000,
      remaining: 300,
    },
  },
];

const id = () => fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes));
const sequenced = () =>
  fc.oneof(
    fc.constant({ sequence: 0, payload: Buffer.alloc(0) }),
    fc.record({
      sequence: fc.integer({ min: 1, max: SEQUENCE_MAX }),
      payload: fc.uint8Array({ minLength: 1, maxLength: PAYLOAD_MAX }).map((bytes) => Buffer.from(bytes)),
    }),
  );

/** Any datagram that the wire allows. */
function anyDatagram(): fc.Arbitrary<Datagram> {
  const acknowledged = fc.integer({ min: 0, max: SEQUENCE_MAX });
  const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
  const instance = fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Buffer.from(bytes));
  return fc.oneof(
    fc
      .tuple(id(), acknowledged, sequenced())
      .map(([connectionId, ack, part]) => ({ side: 'client' as const, connectionId, acknowledged: ack, ...part })),
    fc
      .tuple(id(), acknowledged, sequenced(), instance, uint32, uint32)
      .map(([connectionId, ack, part, nonce, lifetimeMs, remaining]) => ({
        side: 'server' as const,
        connectionId,
        acknowledged: ack,
        ...part,
        instance: nonce,
        lifetimeMs,
        remaining,
      })),
  );
}

describe('wire/datagram', () => {
  for (const { name, bytes, value } of VECTORS) {
    it(`encodes and decodes ${name}`, () => {
      expect(encodeDatagram(value).toString('hex')).to.equal(bytes.toString('hex'));
      expect(decodeDatagram(bytes)).to.deep.equal(value);
    });

    it(`refuses every truncated prefix of ${name}`, () => {
      for (let length = 0; length < bytes.length; length++) {
        expect(decodeDatagram(bytes.subarray(0, length)), `${length} bytes`).to.be.a('string');
      }
    });

    it(`refuses every flip of one bit of ${name}`, () => {
      for (let bit = 0; bit < bytes.length * 8; bit++) {
        const flipped = Buffer.from(bytes);
        flipped[bit >> 3] = (flipped[bit >> 3] as number) ^ (1 << (bit & 7));
        expect(decodeDatagram(flipped), `bit ${bit}`).to.be.oneOf(['corrupt', 'malformed']);
      }
    });

    it(`refuses bytes before and behind ${name}`, () => {
      expect(decodeDatagram(Buffer.concat([bytes, Buffer.alloc(1)]))).to.be.a('string');
      expect(decodeDatagram(Buffer.concat([Buffer.alloc(1), bytes]))).to.equal('malformed');
    });
  }

  it('gives back what it was given, begins with 0A 10 and is at most 1,200 bytes long', () => {
    holds(
      fc.property(anyDatagram(), (datagram) => {
        const bytes = encodeDatagram(datagram);
        expect(bytes.subarray(0, 2)).to.deep.equal(hex('0a10'));
        expect(bytes.length).to.be.at.most(1200);
        expect(decodeDatagram(bytes)).to.deep.equal(datagram);
      }),
      { numRuns: 500 },
    );
  });

  it('writes the same bytes as another encoder', () => {
    holds(
      fc.property(anyDatagram(), (datagram) => {
        const { side, connectionId, sequence, acknowledged, payload } = datagram;
        const other = checked(
          bytesField(1, connectionId),
          varintField(2, side === 'client' ? 1 : 2),
          ...(sequence > 0 ? [varintField(3, sequence)] : []),
          ...(acknowledged > 0 ? [varintField(4, acknowledged)] : []),
          ...(sequence > 0 ? [bytesField(5, payload)] : []),
          ...(datagram.side === 'server'
            ? [
                bytesField(7, datagram.instance),
                ...(datagram.lifetimeMs > 0 ? [varintField(8, datagram.lifetimeMs)] : []),
                ...(datagram.remaining > 0 ? [varintField(9, datagram.remaining)] : []),
              ]
            : []),
        );
        const bytes = encodeDatagram(datagram);
        if (datagram.side === 'server' || other.length >= 400) expect(bytes).to.deep.equal(other);
        // The padding stands last but for the check.
        else expect(withoutCheck(bytes).subarray(0, other.length - 10)).to.deep.equal(withoutCheck(other));
      }),
      { numRuns: 500 },
    );
  });

  it('pads every client datagram to between 400 and 1,200 bytes, whatever its payload', () => {
    const payload = Buffer.alloc(PAYLOAD_MAX, 7);
    for (let length = 0; length <= PAYLOAD_MAX; length++) {
      const sequence = length === 0 ? 0 : SEQUENCE_MAX;
      for (const acknowledged of [0, 1]) {
        const bytes = encodeDatagram({
          side: 'client',
          connectionId: ID,
          sequence,
          acknowledged,
          payload: payload.subarray(0, length),
        });
        expect(bytes.length, `payload ${length}`).to.be.within(400, 1200);
        const bare = 18 + 2 + (length && 2) + acknowledged * 2 + (length && length + (length < 128 ? 2 : 3)) + 10;
        const missing = 400 - bare;
        // A padding field takes 3 bytes at least, and none is 130 bytes long: its length takes a second byte from 128 on.
        const padding = missing <= 0 ? 0 : missing === 130 ? 131 : Math.max(3, missing);
        expect(bytes.length, `payload ${length}`).to.equal(bare + padding);
        expect(decodeDatagram(bytes), `payload ${length}`).to.have.property('sequence', sequence);
      }
    }
  });

  it('gives views: decoding copies no payload', () => {
    const bytes = (VECTORS[0] as (typeof VECTORS)[0]).bytes;
    const { payload } = decodeDatagram(bytes) as Datagram;
    expect(payload.buffer).to.equal(bytes.buffer);
  });

  it('refuses to encode what the wire does not allow', () => {
    const good: Datagram = { side: 'client', connectionId: ID, sequence: 1, acknowledged: 0, payload: HELLO };
    const bad: Partial<Datagram>[] = [
      { connectionId: ID.subarray(1) },
      { sequence: 0 },
      { sequence: -1 },
      { sequence: 1.5 },
      { sequence: Number.NaN },
      { sequence: SEQUENCE_MAX + 1 },
      { acknowledged: -1 },
      { acknowledged: SEQUENCE_MAX + 1 },
      { payload: Buffer.alloc(0) },
      { payload: Buffer.alloc(PAYLOAD_MAX + 1) },
      { side: 'server', instance: INSTANCE.subarray(1), lifetimeMs: 1, remaining: 0 },
    ];
    for (const change of bad) {
      expect(() => encodeDatagram({ ...good, ...change } as Datagram), JSON.stringify(change))
        .to.throw(TurboError)
        .with.property('code', 'ERR_TURBO_BAD_DATAGRAM');
    }
  });

  describe('refuses, with a check that is right,', () => {
    const one = bytesField(1, ID);
    const client = varintField(2, 1);
    const server = varintField(2, 2);
    const sequence = varintField(3, 1);
    const acknowledged = varintField(4, 1);
    const payload = bytesField(5, HELLO);
    const padding = bytesField(6, Buffer.alloc(400));
    const instance = bytesField(7, INSTANCE);
    const lifetime = varintField(8, 10_000);
    const remaining = varintField(9, 5);
    const clientFields = [one, client, sequence, acknowledged, payload, padding];
    const serverFields = [one, server, sequence, acknowledged, payload, instance, lifetime, remaining];

    it('nothing, for a control', () => {
      expect(decodeDatagram(checked(...clientFields))).to.have.property('side', 'client');
      expect(decodeDatagram(checked(...serverFields))).to.have.property('side', 'server');
    });

    const refused: [string, Buffer[], DatagramFault][] = [
      ['an ID of 15 bytes', [bytesField(1, ID.subarray(1)), ...clientFields.slice(1)], 'malformed'],
      [
        'an ID of 17 bytes',
        [bytesField(1, Buffer.concat([ID, ID.subarray(15)])), ...clientFields.slice(1)],
        'malformed',
      ],
      ['no side', [one, sequence, payload, padding], 'malformed'],
      ['an unknown side', [one, varintField(2, 3), sequence, payload, padding], 'malformed'],
      ['a side of 2^32 - 1', [one, varintField(2, 0xffff_ffff), sequence, payload, padding], 'malformed'],
      ['a payload without a sequence', [one, client, payload, padding], 'malformed'],
      ['a sequence without a payload', [one, client, sequence, padding], 'malformed'],
      ['a sequence of 65', [one, client, varintField(3, 65), payload, padding], 'malformed'],
      ['a sequence of 2^32 - 1', [one, client, varintField(3, 0xffff_ffff), payload, padding], 'malformed'],
      ['an acknowledgement of 65', [one, client, varintField(4, 65), padding], 'malformed'],
      ['a payload that is too long', [one, client, sequence, bytesField(5, Buffer.alloc(1137))], 'malformed'],
      ['a client with an instance', [...clientFields, instance], 'malformed'],
      ['a client with a lifetime', [...clientFields, lifetime], 'malformed'],
      ['a client with remaining bytes', [...clientFields, remaining], 'malformed'],
      ['a server without an instance', [one, server, sequence, payload, lifetime], 'malformed'],
      ['a server with a short instance', [one, server, sequence, payload, bytesField(7, ID.subarray(9))], 'malformed'],
      ['a short client datagram', [one, client, sequence, payload, bytesField(6, Buffer.alloc(346))], 'too-short'],
      ['one of 1,201 bytes', [...clientFields.slice(0, -1), bytesField(6, Buffer.alloc(1157))], 'too-long'],
      ['a field in fixed32', [one, client, tag(3, FIXED32), Buffer.alloc(4, 1), payload, padding], 'malformed'],
      ['a field in fixed64', [one, client, tag(3, FIXED64), Buffer.alloc(8, 1), payload, padding], 'malformed'],
      ['a group', [one, client, tag(3, 3), tag(3, 4), payload, padding], 'malformed'],
      ['field 0', [one, client, sequence, payload, padding, varintField(0, 1)], 'malformed'],
      ['field 10', [...serverFields, varintField(10, 1)], 'malformed'],
      ['field 14', [...serverFields, bytesField(14, HELLO)], 'malformed'],
      ['field 16', [...serverFields, bytesField(16, HELLO)], 'malformed'],
      ['a second check', [...serverFields, bytesField(15, Buffer.alloc(8))], 'malformed'],
      ['a tag of two bytes', [one, client, hex('988000'), varint(1), payload, padding], 'malformed'],
      ['a varint of 6 bytes', [one, client, varintField(3, 1, 6), payload, padding], 'malformed'],
      ['a varint over 32 bits', [one, server, sequence, payload, instance, varintField(8, 2 ** 32)], 'malformed'],
      ['a length that passes the end', [...clientFields.slice(0, -1), tag(6, BYTES), varint(500), ID], 'malformed'],
      ['a tag at the end', [...serverFields.slice(0, -1), tag(9, VARINT)], 'malformed'],
      ['an unfinished varint at the end', [...serverFields.slice(0, -1), tag(9, VARINT), hex('80')], 'malformed'],
    ];
    for (const [index, name] of ['1', '2', '3', '4', '5'].entries()) {
      const fields = clientFields.toSpliced(index, 0, clientFields[index] as Buffer);
      refused.push([`field ${name} twice`, fields, 'malformed']);
    }
    for (const [index, field] of [instance, lifetime, remaining].entries()) {
      refused.push([`field ${7 + index} twice`, serverFields.toSpliced(5 + index, 0, field), 'malformed']);
    }
    for (const [index, field] of [one, server, sequence, acknowledged, payload, instance, lifetime].entries()) {
      const fields = serverFields.toSpliced(index, 2, serverFields[index + 1] as Buffer, field);
      refused.push([`fields ${index + 1} and the next one swapped`, fields, 'malformed']);
    }
    for (const [name, wrong] of [
      ['side', varintField(2, 0)],
      ['sequence', varintField(3, 0)],
      ['acknowledged', varintField(4, 0)],
      ['payload', bytesField(5, Buffer.alloc(0))],
      ['padding', bytesField(6, Buffer.alloc(0))],
      ['instance', bytesField(7, Buffer.alloc(0))],
      ['lifetime', varintField(8, 0)],
      ['remaining', varintField(9, 0)],
    ] as const) {
      const number = (wrong[0] as number) >> 3;
      const fields = [one, server, sequence, acknowledged, payload, padding, instance, lifetime, remaining];
      refused.push([`a zero that is written: ${name}`, fields.with(number - 1, wrong), 'malformed']);
    }
    for (const field of [2, 3, 4, 8, 9]) {
      const fields = [one, server, sequence, acknowledged, payload, padding, instance, lifetime, remaining];
      const value = field === 2 ? 2 : 1;
      refused.push([
        `an overlong varint in field ${field}`,
        fields.with(field - 1, varintField(field, value, 2)),
        'malformed',
      ]);
      refused.push([
        `bytes in place of the number in field ${field}`,
        fields.with(field - 1, bytesField(field, Buffer.from([value]))),
        'malformed',
      ]);
    }
    for (const field of [5, 6, 7]) {
      const fields = [one, server, sequence, acknowledged, payload, padding, instance, lifetime, remaining];
      refused.push([
        `a number in place of the bytes in field ${field}`,
        fields.with(field - 1, varintField(field, 8)),
        'malformed',
      ]);
      refused.push([
        `an overlong length in field ${field}`,
        fields.with(field - 1, Buffer.concat([tag(field, BYTES), varint(8, 2), Buffer.alloc(8, 1)])),
        'malformed',
      ]);
    }

    for (const [name, fields, fault] of refused) {
      it(name, () => {
        expect(decodeDatagram(checked(...fields))).to.equal(fault);
      });
    }
  });

  it('tells a wrong check from a wrong form', () => {
    const good = clientDatagram({ connectionId: ID, sequence: 1, payload: HELLO });
    const bad = (change: (bytes: Buffer) => void) => {
      const bytes = Buffer.from(good);
      change(bytes);
      return decodeDatagram(bytes);
    };
    expect(bad((bytes) => bytes.writeUInt8(0, bytes.length - 1))).to.equal('corrupt');
    expect(bad((bytes) => bytes.writeUInt8(0x7b, bytes.length - 10))).to.equal('malformed');
    expect(bad((bytes) => bytes.writeUInt8(0x09, bytes.length - 9))).to.equal('malformed');
    expect(bad((bytes) => bytes.writeUInt8(0x12, 0))).to.equal('malformed');
    expect(bad((bytes) => bytes.writeUInt8(0x11, 1))).to.equal('malformed');
    expect(decodeDatagram(Buffer.alloc(0))).to.equal('too-short');
    expect(decodeDatagram(Buffer.alloc(27))).to.equal('too-short');
    expect(decodeDatagram(Buffer.alloc(1201))).to.equal('too-long');
  });

  it('takes a server datagram of any length, and a client one from 400 bytes on', () => {
    const server = serverDatagram({ connectionId: ID, sequence: 1, payload: Buffer.alloc(1), instance: INSTANCE });
    expect(server.length).to.be.below(400);
    expect(decodeDatagram(server)).to.have.property('side', 'server');
    for (const [length, fault] of [
      [398, 'too-short'],
      [399, 'too-short'],
    ] as const) {
      const bytes = clientDatagram({ connectionId: ID, sequence: 1, payload: HELLO, length });
      expect(bytes.length).to.equal(length);
      expect(decodeDatagram(bytes)).to.equal(fault);
    }
    expect(decodeDatagram(clientDatagram({ connectionId: ID, length: 1200 }))).to.have.property('sequence', 0);
  });
});
