import { expect } from 'chai';
import * as fc from 'fast-check';
import { BackendEncoder, type BackendMessage } from '../../../src/codec/pg/index.js';
import { readLoginOffer } from '../../../src/gateway/proxy/sasl-filter.js';
import { duplexPair } from './duplex-pair.js';

const LIMIT = 1_000;

function encoded(...messages: BackendMessage[]): Buffer {
  return new BackendEncoder().writeAll(messages).take();
}

const PLUS: BackendMessage = { name: 'AuthenticationSASL', mechanisms: ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'] };
const PLAIN: BackendMessage = { name: 'AuthenticationSASL', mechanisms: ['SCRAM-SHA-256'] };
const PLUS_ALONE: BackendMessage = { name: 'AuthenticationSASL', mechanisms: ['SCRAM-SHA-256-PLUS'] };
const NEGOTIATE: BackendMessage = { name: 'NegotiateProtocolVersion', version: 0x0003_0000, options: ['_pq_.x'] };
const MD5: BackendMessage = { name: 'AuthenticationMD5Password', salt: Buffer.from([1, 2, 3, 4]) };
const OK: BackendMessage = { name: 'AuthenticationOk' };
const READY: BackendMessage = { name: 'ReadyForQuery', status: 'I' };
const REFUSED: BackendMessage = { name: 'ErrorResponse', fields: { S: 'FATAL', C: '28000', M: 'no' } };

describe('gateway: SASL filter', () => {
  /** What the client gets first, and what is left for later. */
  async function filtered(parts: readonly Buffer[]): Promise<{ offer: Buffer; left: Buffer }> {
    const { here, there } = duplexPair();
    const reading = readLoginOffer(here, LIMIT, new AbortController().signal);
    for (const part of parts) there.write(part);
    there.end();
    const offer = await reading;
    const left: Buffer[] = [];
    for await (const chunk of here) left.push(chunk);
    return { offer, left: Buffer.concat(left) };
  }

  for (const [what, sent, offered, left] of [
    ['takes channel binding out', [PLUS], [PLAIN], []],
    ['leaves an offer without it', [PLAIN], [PLAIN], []],
    ['leaves an offer of nothing else', [PLUS_ALONE], [PLUS_ALONE], []],
    ['looks behind NegotiateProtocolVersion', [NEGOTIATE, PLUS], [NEGOTIATE, PLAIN], []],
    ['leaves other requests', [MD5], [MD5], []],
    ['leaves what comes behind the request', [OK, READY], [OK], [READY]],
    ['leaves an error', [REFUSED], [], [REFUSED]],
    ['leaves an error behind NegotiateProtocolVersion', [NEGOTIATE, REFUSED], [NEGOTIATE], [REFUSED]],
  ] as [string, BackendMessage[], BackendMessage[], BackendMessage[]][]) {
    it(`${what}, however the bytes are cut`, async () => {
      const bytes = encoded(...sent);
      await fc.assert(
        fc.asyncProperty(fc.array(fc.integer({ min: 1, max: bytes.length - 1 }), { maxLength: 5 }), async (cuts) => {
          const places = [0, ...new Set(cuts.sort((a, b) => a - b)), bytes.length];
          const got = await filtered(places.slice(1).map((end, i) => bytes.subarray(places[i], end)));
          expect(got.offer.equals(encoded(...offered))).to.equal(true);
          expect(got.left.equals(encoded(...left))).to.equal(true);
        }),
        { numRuns: 30 },
      );
    });
  }

  it('leaves what is longer than its limit', async () => {
    const long = encoded({ name: 'AuthenticationSASL', mechanisms: ['x'.repeat(LIMIT)] });
    const { offer, left } = await filtered([long]);
    expect(offer.length).to.equal(0);
    expect(left.equals(long)).to.equal(true);
  });

  it('says that the server left', async () => {
    const failure = await filtered([encoded(PLUS).subarray(0, 20)]).catch((error) => error);
    expect(failure).to.include({ code: 'ERR_GATEWAY_CLIENT_GONE' });
  });
});
