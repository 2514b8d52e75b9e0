import { expect } from 'chai';
import * as fc from 'fast-check';
import { HandshakeWatch } from '../../../src/gateway/proxy/handshake-watch.js';
import { holds } from '../../support/property.js';

const HANDSHAKE = 22;
const CHANGE_CIPHER_SPEC = 20;
const ALERT = 21;
const APPLICATION_DATA = 23;

function record(type: number, length: number): Buffer {
  return Buffer.concat([Buffer.from([type, 3, 3, length >> 8, length & 0xff]), Buffer.alloc(length, type)]);
}

/** What a client says of TLS 1.3 whose Finished has 48 bytes: 4 + 48 + 1 + 16 of them. */
const AGREED = [record(HANDSHAKE, 300), record(CHANGE_CIPHER_SPEC, 1), record(APPLICATION_DATA, 69)];

describe('gateway: handshake watch', () => {
  for (const [what, records, expected] of [
    ['a Finished of TLS 1.3', AGREED, true],
    [
      'an encrypted alert',
      [record(HANDSHAKE, 300), record(CHANGE_CIPHER_SPEC, 1), record(APPLICATION_DATA, 19)],
      false,
    ],
    ['a plain alert', [record(HANDSHAKE, 300), record(ALERT, 2)], false],
    ['a Finished of TLS 1.2', [record(HANDSHAKE, 300), record(CHANGE_CIPHER_SPEC, 1), record(HANDSHAKE, 40)], false],
    ['an empty record before', [record(HANDSHAKE, 0), record(APPLICATION_DATA, 100)], true],
  ] as const) {
    it(`${expected ? 'takes' : 'does not take'} ${what} for agreement, however it is cut`, () => {
      const bytes = Buffer.concat(records);
      holds(
        fc.property(fc.array(fc.integer({ min: 0, max: bytes.length })), (cuts) => {
          const watch = new HandshakeWatch();
          const places = [0, ...cuts.sort((a, b) => a - b), bytes.length];
          const seen = places.slice(1).map((end, i) => watch.sees(bytes.subarray(places[i], end)));
          expect(seen.includes(true)).to.equal(expected);
        }),
      );
    });
  }

  it('takes any bytes', () => {
    holds(
      fc.property(fc.array(fc.uint8Array({ maxLength: 50 })), (chunks) => {
        const watch = new HandshakeWatch();
        for (const chunk of chunks) watch.sees(chunk);
      }),
    );
  });
});
