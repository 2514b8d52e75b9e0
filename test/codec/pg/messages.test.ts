import { expect } from 'chai';
import { BackendDecoder, FrontendDecoder } from '../../../src/codec/pg/decoder.js';
import { BackendEncoder, FrontendEncoder } from '../../../src/codec/pg/encoder.js';
import {
  decodeGSSResponse,
  decodePasswordMessage,
  decodeSASLInitialResponse,
  decodeSASLResponse,
} from '../../../src/codec/pg/message/authentication.js';
import type { BackendMessage, FrontendMessage } from '../../../src/codec/pg/messages.js';
import { backendVectors, frontendVectors, listed, passwordVectors, startupVectors, type Vector } from './vectors.js';
import { type AnyDecoder, drain, expectPgError, feed, framed, int16, int32, plain, rowBody, wire } from './wire.js';

type Message = BackendMessage | FrontendMessage;

interface Direction {
  name: string;
  vectors: Vector<Message>[];
  decoder(): AnyDecoder<Message>;
  encode(message: Message): Buffer;
}

function typedFrontend(): FrontendDecoder {
  const decoder = new FrontendDecoder();
  decoder.push(wire('00000009 00030000 00'));
  decoder.next();
  return decoder;
}

const encodeFrontend = (message: Message) => new FrontendEncoder().write(message as FrontendMessage).take();

const directions: Direction[] = [
  {
    name: 'from the backend',
    vectors: listed<BackendMessage>(backendVectors),
    decoder: () => new BackendDecoder(),
    encode: (message) => new BackendEncoder().write(message as BackendMessage).take(),
  },
  {
    name: 'from the frontend, first',
    vectors: listed<FrontendMessage>(startupVectors),
    decoder: () => new FrontendDecoder(),
    encode: encodeFrontend,
  },
  {
    name: 'from the frontend',
    vectors: listed<FrontendMessage>(frontendVectors),
    decoder: typedFrontend,
    encode: encodeFrontend,
  },
];

/** Messages that end with bytes of any number: nothing inside them says how many. */
const OPEN_ENDED = [
  'AuthenticationSASLContinue',
  'AuthenticationSASLFinal',
  'AuthenticationOther',
  'CopyData',
  'PasswordOrSASL',
  'Unknown',
];

describe('codec/pg messages', () => {
  for (const { name: from, vectors, decoder, encode } of directions) {
    describe(from, () => {
      for (const { name, bytes, message } of vectors) {
        it(`${name}: a vector, both ways`, () => {
          expect(encode(message).toString('hex')).to.equal(bytes.toString('hex'));
          expect(feed(decoder(), bytes).map(plain)).to.deep.equal([plain(message)]);
        });
      }

      it('wait at every truncated prefix, and are the same at every split point', () => {
        for (const { name, bytes, message } of vectors) {
          for (let split = 1; split < bytes.length; split++) {
            const one = decoder();
            one.push(bytes.subarray(0, split));
            expect(one.next(), `${name}, ${split} bytes`).to.equal(undefined);
            expect(one.buffered).to.equal(split);
            one.push(bytes.subarray(split));
            expect(drain(one).map(plain), `${name}, split at ${split}`).to.deep.equal([plain(message)]);
            expect(one.buffered).to.equal(0);
          }
          expect(feed(decoder(), bytes, 1).map(plain), `${name}, byte by byte`).to.deep.equal([plain(message)]);
        }
      });

      it('are refused where length and contents do not agree', () => {
        for (const { name, bytes } of vectors) {
          const hasType = from !== 'from the frontend, first';
          const type = hasType ? bytes.toString('latin1', 0, 1) : '';
          const body = bytes.subarray(hasType ? 5 : 4);
          if (OPEN_ENDED.some((each) => name.startsWith(each))) continue;
          const isKey = name.startsWith('BackendKeyData') || name.startsWith('CancelRequest');
          if (!isKey || body.length > 200) {
            expectPgError(
              () => feed(decoder(), framed(type, Buffer.concat([body, wire('58')]))),
              'ERR_PG_PROTOCOL',
              `${name}, one byte more`,
            );
          }
          for (let length = isKey ? 11 : body.length - 1; length >= 0; length--) {
            if (isKey && length >= body.length - 252) continue;
            expectPgError(
              () => feed(decoder(), framed(type, body.subarray(0, length))),
              'ERR_PG_PROTOCOL',
              `${name}, ${length} bytes of its body`,
            );
          }
        }
      });

      it('have a length of 4 at least', () => {
        const type = from === 'from the frontend, first' ? '' : 'S';
        for (const length of [3, 0, -1, -0x8000_0000]) {
          expectPgError(
            () => feed(decoder(), Buffer.concat([Buffer.from(type), int32(length), Buffer.alloc(100)])),
            'ERR_PG_PROTOCOL',
            `${length}`,
          );
        }
      });
    });
  }

  describe("of type 'p'", () => {
    const bodyOf = (bytes: string) => {
      const decoder = typedFrontend();
      decoder.push(wire(bytes));
      const message = decoder.next();
      return message?.name === 'PasswordOrSASL' ? message.body : expect.fail(`it is ${message?.name}`);
    };
    const decode = {
      PasswordMessage: decodePasswordMessage,
      SASLInitialResponse: decodeSASLInitialResponse,
      SASLResponse: decodeSASLResponse,
      GSSResponse: decodeGSSResponse,
    };

    for (const [name, vectors] of Object.entries(passwordVectors)) {
      it(`${name}: a vector, both ways`, () => {
        for (const [bytes, message] of vectors) {
          expect(encodeFrontend(message).toString('hex')).to.equal(wire(bytes).toString('hex'));
          expect(decode[name as keyof typeof decode](bodyOf(bytes))).to.deep.equal(message);
        }
      });
    }

    it('are refused where they are not what is expected', () => {
      for (const body of ["'pw'", "'pw' 00 00", '']) {
        expectPgError(() => decodePasswordMessage(wire(body)), 'ERR_PG_PROTOCOL', body);
      }
      for (const body of [
        "'X'",
        "'X' 00",
        "'X' 00 00000001",
        "'X' 00 00000000 00",
        "'X' 00 fffffffe",
        "'X' 00 7fffffff 00",
      ]) {
        expectPgError(() => decodeSASLInitialResponse(wire(body)), 'ERR_PG_PROTOCOL', body);
      }
    });
  });

  describe('that lie', () => {
    const lies: [string, AnyDecoder<Message>, Buffer][] = [
      ['columns that are not there', new BackendDecoder(), framed('T', wire('ffff'))],
      ['OIDs that are not there', new BackendDecoder(), framed('t', wire('ffff 00000017'))],
      ['formats that are not there', new BackendDecoder(), framed('G', wire('00 ffff 0000'))],
      ['options that are not there', new BackendDecoder(), framed('v', wire('00030000 7fffffff 00'))],
      ['fewer options than none', new BackendDecoder(), framed('v', wire('00030000 ffffffff'))],
      ['a value longer than the message', new BackendDecoder(), framed('V', wire('7fffffff 00'))],
      ['a value shorter than null', new BackendDecoder(), framed('V', wire('fffffffe'))],
      ['a format that is none', new BackendDecoder(), framed('G', wire('02 0000'))],
      ['a column format that is none', new BackendDecoder(), framed('G', wire('00 0001 0002'))],
      ['a status that is none', new BackendDecoder(), framed('Z', wire("'i'"))],
      ['a key of 3 bytes', new BackendDecoder(), framed('K', wire('00000539 010203'))],
      ['a key of 257 bytes', new BackendDecoder(), framed('K', Buffer.alloc(4 + 257))],
      ['a cancel key of 3 bytes', new FrontendDecoder(), framed('', wire('04d2162e 00000539 010203'))],
      [
        'a cancel key of 257 bytes',
        new FrontendDecoder(),
        framed('', Buffer.concat([wire('04d2162e'), Buffer.alloc(261)])),
      ],
      ['protocol 2.0', new FrontendDecoder(), framed('', wire('00020000 00'))],
      ['a startup parameter without a value', new FrontendDecoder(), framed('', wire("00030000 'user' 00"))],
      ['a startup message without an end', new FrontendDecoder(), framed('', wire("00030000 'user' 00 'bob' 00"))],
      ['bytes behind the end of a startup message', new FrontendDecoder(), framed('', wire('00030000 00 00'))],
      ['values that are not there', typedFrontend(), framed('B', wire('00 00 0000 ffff 0000'))],
      ['arguments that are not there', typedFrontend(), framed('F', wire('00000539 0000 ffff 0000'))],
      ['parameter types that are not there', typedFrontend(), framed('P', wire('00 00 ffff'))],
      ['neither statement nor portal', typedFrontend(), framed('D', wire("'T' 00"))],
      [
        'a string that ends in the next message',
        new BackendDecoder(),
        Buffer.concat([framed('C', wire("'ab'")), wire('00 00')]),
      ],
      [
        'a long string that ends in the next message',
        new BackendDecoder(),
        Buffer.concat([framed('C', Buffer.alloc(500, 'a')), wire('00 00')]),
      ],
    ];

    for (const [what, decoder, bytes] of lies) {
      it(`are refused: ${what}`, () => {
        expectPgError(() => feed(decoder, bytes), 'ERR_PG_PROTOCOL');
      });
    }
  });

  it('may repeat a startup parameter: the last counts, as in PostgreSQL', () => {
    const decoder = new FrontendDecoder();
    decoder.push(framed('', wire("00030000 'user' 00 'a' 00 'user' 00 'b' 00 00")));
    expect(decoder.next()).to.deep.include({ parameters: new Map([['user', 'b']]) });
  });

  it('may have as many columns as an unsigned Int16 says', () => {
    const count = 65_535;
    const decoder = new BackendDecoder();
    decoder.loginDone();
    decoder.push(framed('t', Buffer.concat([int16(count), Buffer.alloc(4 * count)])));
    expect(decoder.next()).to.have.property('typeOids').with.lengthOf(count);
    decoder.push(framed('D', rowBody(new Array<string>(count).fill('x'))));
    expect(decoder.next()).to.have.lengthOf(count);
  });
});
