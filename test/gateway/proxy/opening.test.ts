import { PassThrough } from 'node:stream';
import { setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { type Opening, readOpening } from '../../../src/gateway/proxy/opening.js';
import { clientHello } from '../../support/client-hello.js';
import { duplexPair, type Ends } from './duplex-pair.js';

const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);
const GSSENC_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 48]);
const CANCEL_REQUEST = Buffer.from([0, 0, 0, 16, 4, 210, 22, 46, 0, 0, 0, 1, 0, 0, 0, 2]);
const STARTUP = Buffer.from('\0\0\0\x14\0\x03\0\0user\0alice\0\0', 'latin1');
const HELLO = clientHello({ servername: 'db.example.test', ALPNProtocols: ['postgresql'] });
const OPTIONS = { ssl: 'S', limit: 16_384 } as const;

type Read = Awaited<ReturnType<typeof readOpening>>;

describe('gateway: opening', () => {
  /** Says each part once the one before was read, and answers came where they are due. */
  async function open(parts: readonly Buffer[], ssl: 'S' | 'N' = 'S'): Promise<Read & { answers: string }> {
    const { here, there }: Ends = duplexPair();
    const answers: Buffer[] = [];
    there.on('data', (chunk: Buffer) => answers.push(chunk));
    const reading = readOpening(here, { ...OPTIONS, ssl, signal: new AbortController().signal });
    for (const part of parts) {
      there.write(part);
      await turn();
      await turn();
    }
    const read = await reading;
    await turn();
    return { ...read, answers: Buffer.concat(answers).toString() };
  }

  for (const [what, parts, kind, negotiated, answers] of [
    ['TLS', [HELLO], 'tls', false, ''],
    ['SSLRequest, then TLS', [SSL_REQUEST, HELLO], 'tls', true, 'S'],
    ['GSSENCRequest, SSLRequest, TLS', [GSSENC_REQUEST, SSL_REQUEST, HELLO], 'tls', true, 'NS'],
    ['SSLRequest, GSSENCRequest, TLS', [SSL_REQUEST, GSSENC_REQUEST, HELLO], 'tls', true, 'SN'],
    ['a StartupMessage', [STARTUP], 'startup', false, ''],
    ['GSSENCRequest, then a StartupMessage', [GSSENC_REQUEST, STARTUP], 'startup', false, 'N'],
    ['a CancelRequest', [CANCEL_REQUEST], 'cancel', false, ''],
    ['SSLRequest, then a CancelRequest', [SSL_REQUEST, CANCEL_REQUEST], 'cancel', true, 'S'],
    ['HTTP', [Buffer.from('GET / HTTP/1.1\r\n')], 'unknown', false, ''],
    ['SSLRequest twice', [SSL_REQUEST, SSL_REQUEST], 'unknown', true, 'S'],
    ['SSLRequest together with TLS', [Buffer.concat([SSL_REQUEST, HELLO])], 'unknown', false, ''],
  ] as [string, Buffer[], Opening['kind'], boolean, string][]) {
    it(`reads ${what}`, async () => {
      const read = await open(parts);
      expect(read.opening.kind).to.equal(kind);
      expect(read.answers).to.equal(answers);
      if (kind === 'unknown') return;
      expect(read.negotiated).to.equal(negotiated);
      expect(read.opening.head.equals(parts.at(-1) as Buffer)).to.equal(true);
    });
  }

  it('reads the same however the bytes are cut', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(HELLO, STARTUP, CANCEL_REQUEST),
        fc.array(fc.integer({ min: 1, max: HELLO.length - 1 }), { maxLength: 4 }),
        async (bytes, cuts) => {
          const places = [0, ...cuts.filter((cut) => cut < bytes.length).sort((a, b) => a - b), bytes.length];
          const parts = places.slice(1).map((end, i) => bytes.subarray(places[i], end));
          const { opening } = await open(parts.filter(({ length }) => length > 0));
          const whole = await open([bytes]);
          expect(opening.kind).to.equal(whole.opening.kind);
          // Of a StartupMessage and a CancelRequest the beginning is enough.
          expect(bytes.subarray(0, opening.head.length).equals(opening.head)).to.equal(true);
          if (opening.kind === 'tls') expect(opening.hello?.serverName).to.equal('db.example.test');
        },
      ),
      { numRuns: 50 },
    );
  });

  it('passes a ClientHello on that it cannot read', async () => {
    const broken = Buffer.from(HELLO);
    broken[5] = 9; // no ClientHello
    const { opening } = await open([broken]);
    expect(opening).to.deep.include({ kind: 'tls', hello: undefined });
    expect(opening.head.equals(broken)).to.equal(true);
  });

  it('says who left, and gives up when it is told to', async () => {
    const left = new PassThrough();
    left.end(HELLO.subarray(0, 100));
    const signal = new AbortController().signal;
    const gone = await readOpening(left, { ...OPTIONS, signal }).catch((error) => error);
    expect(gone).to.include({ code: 'ERR_GATEWAY_CLIENT_GONE' });
    const abort = new AbortController();
    const waiting = readOpening(new PassThrough(), { ...OPTIONS, signal: abort.signal }).catch((error) => error);
    abort.abort(new Error('enough'));
    expect(await waiting).to.include({ message: 'enough' });
  });
});
