/**
 * Matrix item 2, SCRAM: whatever a server sends in place of server-first and server-final, the client fails with a code,
 * in time that is linear, or the exchange was right. More than half of the messages are right ones with something
 * changed.
 *
 * TURBOTLS_COUNT sets how many messages, TURBOTLS_SEED which.
 */
import { expect } from 'chai';
import { SaltedPasswords } from '../../src/codec/pg/auth/salted-passwords.js';
import { ScramClient } from '../../src/codec/pg/auth/scram.js';
import { parseServerFinal, parseServerFirst } from '../../src/codec/pg/auth/scram-messages.js';
import { PgError } from '../../src/codec/pg/errors.js';
import { defaultPgLimits } from '../../src/codec/pg/limits.js';
import { ScramServer } from '../codec/pg/auth/scram-server.js';
import { Random } from '../simulator/random.js';
import { announceSeed, byForm, isLong, seed } from './support.js';

const COUNT = Number(process.env.TURBOTLS_COUNT ?? byForm({ short: 100_000, long: 5_000_000 }));
/** Whole exchanges, which take PBKDF2 and are as many times slower. */
const EXCHANGES = Math.ceil(COUNT / 50);
const TIMEOUT_MS = isLong ? 3_600_000 : 60_000;
const LIMITS = { ...defaultPgLimits, scramIterations: 40 };
const PASSWORD = 'pencil';
const NONCE = 'rOprNGfwEbeRWgbNEkqO';
const PIECES = [
  'r=',
  's=',
  'i=',
  'v=',
  'e=',
  'm=',
  ',',
  '=',
  '==',
  NONCE,
  'QUJD',
  '1',
  '0',
  '-1',
  '41',
  '\0',
  'é',
  ' ',
];

function change(message: Buffer, random: Random): Buffer {
  const bytes = Buffer.from(message);
  const at = random.int(bytes.length + 1);
  switch (random.int(9)) {
    case 0:
      return bytes.subarray(0, at);
    case 1:
      return bytes.subarray(at);
    case 2:
      bytes[random.int(bytes.length)] = random.int(256);
      return bytes;
    case 3: {
      const index = random.int(bytes.length);
      bytes[index] = (bytes[index] as number) ^ (1 << random.int(8));
      return bytes;
    }
    case 4:
      return Buffer.concat([bytes.subarray(0, at), Buffer.from(random.pick(PIECES)), bytes.subarray(at)]);
    case 5:
      return Buffer.from(random.shuffle(bytes.toString('latin1').split(',')).join(','), 'latin1');
    case 6: {
      const attributes = bytes.toString('latin1').split(',');
      const index = random.int(attributes.length);
      const changed = random.chance(0.5)
        ? attributes.toSpliced(index, 1)
        : attributes.toSpliced(index, 0, random.pick(attributes));
      return Buffer.from(changed.join(','), 'latin1');
    }
    case 7:
      return Buffer.concat([bytes, random.bytes(random.int(40))]);
    default:
      return Buffer.concat([bytes, Buffer.alloc(random.int(2 * LIMITS.scramMessageBytes), random.pick(PIECES))]);
  }
}

function noise(random: Random): Buffer {
  if (random.chance(0.5)) return random.bytes(random.int(300));
  return Buffer.from(Array.from({ length: random.int(30) }, () => random.pick(PIECES)).join(''));
}

function serverFirst(random: Random): Buffer {
  const nonce = NONCE + random.bytes(random.int(30)).toString('base64');
  return Buffer.from(`r=${nonce},s=${random.bytes(random.int(40)).toString('base64')},i=${random.int(45)}`);
}

function serverFinal(random: Random): Buffer {
  const verifier = Buffer.from(`v=${random.bytes(32).toString('base64')}`);
  return random.chance(0.9) ? verifier : Buffer.from('e=invalid-proof');
}

/** The code, or what was parsed; anything else that is thrown stays thrown. */
function attempt<T>(run: () => T): T | string {
  try {
    return run();
  } catch (error) {
    if (error instanceof PgError) return error.code;
    throw error;
  }
}

describe('matrix 2: SCRAM fuzz', () => {
  announceSeed();

  it(`${COUNT.toLocaleString('en-US')} server-first and server-final messages through the parser`, function () {
    this.timeout(TIMEOUT_MS);
    const random = new Random(`${seed} scram messages`);
    const counts = { changed: 0, noise: 0, first: 0, final: 0, refused: 0 };
    const begin = performance.now();
    for (let count = 0; count < COUNT; count++) {
      const isNoise = random.chance(0.3);
      const valid = random.chance(0.6) ? serverFirst(random) : serverFinal(random);
      const message = isNoise ? noise(random) : random.chance(0.2) ? valid : change(valid, random);
      counts[isNoise ? 'noise' : 'changed']++;
      const first = attempt(() => parseServerFirst(message, NONCE, LIMITS));
      if (typeof first !== 'string') {
        counts.first++;
        expect(first.nonce)
          .to.match(/^[\x21-\x2b\x2d-\x7e]+$/)
          .and.satisfy((nonce: string) => nonce.startsWith(NONCE));
        expect(first.nonce.length).to.be.above(NONCE.length);
        expect(first.salt.length).to.be.above(0);
        expect(first.iterations).to.be.within(1, LIMITS.scramIterations);
        expect(message.length).to.be.at.most(LIMITS.scramMessageBytes);
        // Nothing that was read differs from what was sent.
        const { nonce, salt, iterations } = first;
        const written = `r=${nonce},s=${salt.toString('base64')},i=${iterations}`;
        expect(message.toString('latin1').slice(0, written.length)).to.equal(written);
      }
      const final = attempt(() => parseServerFinal(message, LIMITS));
      if (typeof final !== 'string') {
        counts.final++;
        expect(message.toString('latin1'))
          .to.match(/^v=/)
          .and.satisfy((text: string) => text.includes(final.toString('base64')));
        expect(final.length).to.equal(32);
      }
      if (typeof first === 'string' && typeof final === 'string') {
        counts.refused++;
        expect([first, final]).to.deep.equal(['ERR_PG_SCRAM', 'ERR_PG_SCRAM']);
      }
    }
    const rate = COUNT / ((performance.now() - begin) / 1000);
    console.log(`      ${JSON.stringify(counts)}; ${rate.toFixed(0)}/s`);
    expect(counts.changed).to.be.above(counts.noise);
    for (const [what, times] of Object.entries(counts)) expect(times, what).to.be.above(COUNT / 100);
  });

  it(`${EXCHANGES.toLocaleString('en-US')} exchanges of which one message is changed`, async function () {
    this.timeout(TIMEOUT_MS);
    const random = new Random(`${seed} scram exchanges`);
    const salted = new SaltedPasswords(defaultPgLimits);
    const salts = [random.bytes(16), random.bytes(16)];
    const outcomes = new Map<string, number>();
    for (let count = 0; count < EXCHANGES; count++) {
      const client = new ScramClient({
        password: async () => PASSWORD,
        binding: { type: 'none' },
        account: { server: 'fuzz', user: 'fuzz' },
        salted,
        limits: LIMITS,
        nonce: NONCE,
      });
      const server = new ScramServer({
        password: PASSWORD,
        salt: random.pick(salts),
        iterations: 5,
        nonce: random.bytes(18).toString('base64'),
      });
      const first = server.first(client.clientFirst);
      const sentFirst = random.chance(0.3) ? change(first, random) : first;
      let isRight = sentFirst.equals(first);
      let outcome = 'logged in';
      try {
        const clientFinal = await client.continue(sentFirst);
        const final = isRight ? server.final(clientFinal) : Buffer.from(`v=${random.bytes(32).toString('base64')}`);
        const sentFinal = random.chance(0.3) ? change(final, random) : final;
        // An extension behind the signature is allowed, and changes nothing.
        isRight &&= sentFinal.equals(final) || sentFinal.toString('latin1').startsWith(`${final},`);
        client.verify(sentFinal);
      } catch (error) {
        if (!(error instanceof PgError)) throw error;
        outcome = error.code;
      }
      outcomes.set(outcome, (outcomes.get(outcome) ?? 0) + 1);
      if (outcome === 'logged in') expect(isRight).to.equal(true);
      else expect(outcome).to.be.oneOf(['ERR_PG_SCRAM', 'ERR_PG_SERVER_PROOF']);
    }
    console.log(`      ${JSON.stringify(Object.fromEntries(outcomes))}`);
    for (const what of ['logged in', 'ERR_PG_SCRAM', 'ERR_PG_SERVER_PROOF']) {
      expect(outcomes.get(what), what).to.be.above(EXCHANGES / 200);
    }
  });

  it('takes time that is linear in the length of a message', () => {
    const limits = { ...LIMITS, scramMessageBytes: defaultPgLimits.loginMessageBytes };
    const time = (length: number, piece: string) => {
      const message = Buffer.from(`r=${NONCE}x,s=QUJD,i=1,`.padEnd(length, piece));
      const begin = performance.now();
      for (let count = 0; count < 200; count++) {
        attempt(() => parseServerFirst(message, NONCE, limits));
        attempt(() => parseServerFinal(message, limits));
      }
      return performance.now() - begin;
    };
    for (const piece of ['x=y,', 'x', '=', ',', 'AAAA']) {
      const [short, long] = [time(1_850, piece), time(29_600, piece)];
      console.log(
        `      ${JSON.stringify(piece)}: 16 times the length takes ${(long / short).toFixed(1)} times as long`,
      );
    }
  });
});
