import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { inspect } from 'node:util';
import { expect } from 'chai';
import { type SaltedPasswordInput, SaltedPasswords } from '../../../../src/codec/pg/auth/salted-passwords.js';
import { defaultPgLimits } from '../../../../src/codec/pg/limits.js';
import { ScramServer } from './scram-server.js';
import { countPbkdf2, scramClient } from './support.js';

const INPUT: SaltedPasswordInput = {
  server: 'db.example:5432',
  user: 'alice',
  password: Buffer.from('pencil'),
  salt: Buffer.from('salt'),
  iterations: 10,
};

describe('codec/pg/auth/salted-passwords', () => {
  it('gives the keys of RFC 5802', async () => {
    const salted = pbkdf2Sync('pencil', 'salt', 10, 32, 'sha256');
    const clientKey = createHmac('sha256', salted).update('Client Key').digest();
    expect(await new SaltedPasswords(defaultPgLimits).keys(INPUT)).to.deep.equal({
      clientKey,
      storedKey: createHash('sha256').update(clientKey).digest(),
      serverKey: createHmac('sha256', salted).update('Server Key').digest(),
    });
  });

  it('computes once for whoever asks for the same, now and later', async () => {
    const salted = new SaltedPasswords(defaultPgLimits);
    const runs = await countPbkdf2(async () => {
      await Promise.all(Array.from({ length: 50 }, () => salted.keys({ ...INPUT })));
      await salted.keys({ ...INPUT, password: Buffer.from('pencil'), salt: Buffer.from('salt') });
    });
    expect(runs).to.equal(1);
  });

  it('computes anew where anything is different', async () => {
    const salted = new SaltedPasswords(defaultPgLimits);
    const different: Partial<SaltedPasswordInput>[] = [
      {},
      { server: 'db.example:5433' },
      { user: 'bob' },
      { password: Buffer.from('pencil2') },
      { salt: Buffer.from('salt2') },
      { iterations: 11 },
      // Fields that would run into each other if they were simply joined.
      { server: 'db.example:5432alice', user: '' },
      { server: 'db.example:5432","alice', user: '' },
      { salt: Buffer.from('sal'), password: Buffer.from('tpencil') },
      { iterations: 1, password: Buffer.from('0]pencil') },
    ];
    const runs = await countPbkdf2(async () => {
      for (const change of [...different, ...different]) await salted.keys({ ...INPUT, ...change });
    });
    expect(runs).to.equal(different.length);
  });

  it('remembers no more than the limit, the latest used', async () => {
    const salted = new SaltedPasswords({ saltedPasswords: 2 });
    const ask = (user: string) => () => salted.keys({ ...INPUT, user });
    for (const user of ['a', 'b', 'a', 'c']) await ask(user)();
    expect(await countPbkdf2(ask('a')), 'used again').to.equal(0);
    expect(await countPbkdf2(ask('c')), 'the latest').to.equal(0);
    expect(await countPbkdf2(ask('b')), 'the oldest').to.equal(1);
  });

  it('remembers nothing where the limit is 0, and nothing after clear', async () => {
    const none = new SaltedPasswords({ saltedPasswords: 0 });
    await none.keys(INPUT);
    expect(await countPbkdf2(() => none.keys(INPUT))).to.equal(1);
    none.clear();
    const some = new SaltedPasswords({ saltedPasswords: 1 });
    await some.keys(INPUT);
    some.clear();
    expect(await countPbkdf2(() => some.keys(INPUT))).to.equal(1);
  });

  it('does not remember a failure', async () => {
    const salted = new SaltedPasswords(defaultPgLimits);
    const broken = { ...INPUT, iterations: -1 };
    const fail = () => salted.keys(broken).catch((reason: unknown) => reason);
    const [first, second] = [await fail(), await fail()];
    expect(first).to.be.an.instanceof(RangeError);
    expect(second, 'it was tried again').to.be.an.instanceof(RangeError).and.not.equal(first);
    await salted.keys(INPUT);
  });

  it('shows no password', async () => {
    const salted = new SaltedPasswords(defaultPgLimits);
    await salted.keys(INPUT);
    const shown = inspect(salted, { depth: 10, showHidden: true, maxArrayLength: null });
    expect(shown).not.to.include('pencil').and.not.to.include(INPUT.password.toString('hex'));
  });

  it('lets a client that reconnects log in without PBKDF2, until the salt changes', async () => {
    const salted = new SaltedPasswords(defaultPgLimits);
    const logIn = async (salt: string) => {
      const client = scramClient({ salted });
      const server = new ScramServer({ password: 'pencil', iterations: 4096, salt: Buffer.from(salt) });
      client.verify(server.final(await client.continue(server.first(client.clientFirst))));
    };
    expect(await countPbkdf2(() => logIn('one'))).to.equal(1);
    expect(await countPbkdf2(() => logIn('one'))).to.equal(0);
    expect(await countPbkdf2(() => logIn('two'))).to.equal(1);
  });
});
