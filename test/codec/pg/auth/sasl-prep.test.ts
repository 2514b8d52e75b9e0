import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { expect } from 'chai';
import pg from 'pg';
import { preparePassword } from '../../../../src/codec/pg/auth/sasl-prep.js';
import { type PostgresServer, requirePart, startPostgres } from '../../../servers/index.js';
import { Random } from '../../../simulator/random.js';

const seed = process.env.TURBOTLS_SEED ?? String(Math.floor(Math.random() * 2 ** 32));
const PASSWORDS = 6_000;

/** Keeps the password as PostgreSQL has prepared it: `SCRAM-SHA-256$1:<salt>$<StoredKey>:<ServerKey>`. */
const PROCEDURE = `
  CREATE PROCEDURE prepare(passwords text[]) LANGUAGE plpgsql AS $$
  BEGIN
    FOR i IN 1..array_length(passwords, 1) LOOP
      EXECUTE format('ALTER ROLE alice PASSWORD %L', passwords[i]);
      INSERT INTO prepared SELECT i, rolpassword FROM pg_authid WHERE rolname = 'alice';
      IF i % 200 = 0 THEN COMMIT; END IF;
    END LOOP;
  END $$`;

/** Every character, those that NFKC changes more often than others, alone and among others. */
function anyPassword(random: Random): string {
  let character = '';
  do {
    character = String.fromCodePoint(0x80 + random.int(random.pick([0x3000, 0x10000, 0x20000, 0x10ff80])));
  } while (/\p{Surrogate}/u.test(character) || (random.chance(0.8) && character.normalize('NFKC') === character));
  const [before, after] = random.pick([
    ['', ''],
    ['a', 'b'],
    ['\u0627', '\u0628'],
    ['', '\u05d0'],
    ['\u05d0', ''],
    ['\u00ad', '\u200b'],
    ['e\u0301', 'e'],
    ['\u0340', '\u0301'],
  ]);
  return `${before}${character}${after}`;
}

function storedKey(password: Buffer, salt: string): string {
  const salted = pbkdf2Sync(password, Buffer.from(salt, 'base64'), 1, 32, 'sha256');
  return createHash('sha256').update(createHmac('sha256', salted).update('Client Key').digest()).digest('base64');
}

describe('codec/pg/auth/sasl-prep', () => {
  const cases: [string, string, string][] = [
    ['leaves ASCII alone, control characters too', 'a b\tc\x7f', 'a b\tc\x7f'],
    ['maps a soft hyphen to nothing (RFC 4013 section 3)', 'I\u00adX', 'IX'],
    ['normalises a feminine ordinal (RFC 4013 section 3)', '\u00aa', 'a'],
    ['normalises a Roman numeral (RFC 4013 section 3)', '\u2168', 'IX'],
    ['maps spaces that are not ASCII to one that is', 'a\u00a0b\u3000c', 'a b c'],
    ['composes', 'e\u0301', '\u00e9'],
    ['leaves what SASLprep prohibits as it is', '\u00e9\u0007', '\u00e9\u0007'],
    ['leaves mixed directions as they are', '\u0627\u00aa\u0628', '\u0627\u00aa\u0628'],
    ['leaves what ends in another direction as it is', '\u0627\u2122', '\u0627\u2122'],
    ['leaves what begins in another direction as it is', '\u2122\u0627', '\u2122\u0627'],
    ['leaves what was not assigned in Unicode 3.2 as it is', '\u{1f600}', '\u{1f600}'],
    ['leaves what SASLprep would make nothing of', '\u00ad', '\u00ad'],
    ['looks for what was not assigned before it normalises', '\u1d43', '\u1d43'],
    ['looks for what is prohibited before it normalises', '\u0340', '\u0340'],
    ['looks at directions before it normalises', '\u0627\u2122\u0628', '\u0627TM\u0628'],
    ['leaves half a surrogate pair as UTF-8 has it', '\u00e9\ud800', '\u00e9\ufffd'],
  ];
  for (const [name, password, expected] of cases) {
    it(name, async () => {
      expect((await preparePassword(password)).toString()).to.equal(expected);
    });
  }

  it('takes a password of any length', async () => {
    const long = 'é'.repeat(300_000);
    expect((await preparePassword(long)).length).to.equal(600_000);
  });

  describe('beside PostgreSQL 18', function () {
    this.timeout(60_000);
    let server: PostgresServer;

    before(async function () {
      requirePart(this, 'postgresql-18');
      server = await startPostgres({ version: 18, users: [{ name: 'alice', password: 'secret' }] });
    });
    after(() => server?.stop());

    it(`prepares ${PASSWORDS.toLocaleString('en-US')} passwords as it does (TURBOTLS_SEED=${seed})`, async () => {
      const random = new Random(`${seed} passwords`);
      const passwords = Array.from({ length: PASSWORDS }, () => anyPassword(random));
      const login = { host: server.socketDir, port: server.port, ...server.superuser, database: 'postgres' };
      const client = new pg.Client(login);
      await client.connect();
      try {
        await client.query('SET scram_iterations = 1');
        await client.query(`CREATE TABLE prepared (index int, secret text); ${PROCEDURE}`);
        await client.query('CALL prepare($1)', [passwords]);
        const { rows } = await client.query<{ secret: string }>('SELECT secret FROM prepared ORDER BY index');
        expect(rows).to.have.lengthOf(PASSWORDS);
        let changed = 0;
        for (const [index, { secret }] of rows.entries()) {
          const password = passwords[index] as string;
          const [, salt = '', expected] = /^SCRAM-SHA-256\$1:([^$]+)\$([^:]+):/.exec(secret) ?? [];
          const prepared = await preparePassword(password);
          expect(storedKey(prepared, salt), `password ${JSON.stringify(password)}`).to.equal(expected);
          if (prepared.toString() !== password) changed++;
        }
        expect(changed).to.be.within(PASSWORDS / 10, (PASSWORDS * 9) / 10);
      } finally {
        await client.end();
      }
    });
  });
});
