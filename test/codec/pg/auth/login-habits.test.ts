import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import { type GuessInput, guessFor, type HabitOf, LoginHabits } from '../../../../src/codec/pg/auth/login-habits.js';
import { type LinkSecurity, type LoginMethod, mayGuess } from '../../../../src/codec/pg/auth/rules.js';
import type { AuthMethod } from '../../../../src/codec/pg/conninfo/target.js';
import { defaultPgLimits } from '../../../../src/codec/pg/limits.js';
import { makeCertificate } from '../../../support/certificates.js';
import { ManualClock } from '../../../support/manual-clock.js';

let certificate: Buffer;
const verified: LinkSecurity = { encryption: 'tls', verified: true, certificate: () => certificate };
const unverified: LinkSecurity = { encryption: 'tls', verified: false, certificate: () => certificate };
const hashless: LinkSecurity = { encryption: 'tls', verified: true, certificate: () => Buffer.alloc(0) };
const plain: LinkSecurity = { encryption: 'plain' };
const local: LinkSecurity = { encryption: 'local' };

const ALICE: HabitOf = { server: 'db.example:5432', user: 'alice', dbname: 'shop', link: verified };

function guess(input: Partial<Omit<GuessInput, 'requireAuth'>> & { requireAuth?: AuthMethod[] }) {
  const { requireAuth, ...rest } = input;
  return guessFor({
    requireAuth: requireAuth && new Set(requireAuth),
    hasPassword: true,
    habit: undefined,
    link: verified,
    channelBinding: 'prefer',
    ...rest,
  });
}

describe('codec/pg/auth/login-habits', () => {
  before(async () => {
    const { cert } = await makeCertificate({ names: ['localhost'] });
    certificate = new X509Certificate(cert).raw;
  });

  describe('habits', () => {
    it('are of a server, a user, a database, and what protects the connection', () => {
      const habits = new LoginHabits(defaultPgLimits);
      habits.learn(ALICE, 'md5');
      expect(habits.get({ ...ALICE, link: { ...verified } })).to.equal('md5');
      const others: Partial<HabitOf>[] = [
        { server: 'db.example:5433' },
        { user: 'bob' },
        { dbname: 'other' },
        { link: unverified },
        { link: plain },
        { link: local },
        { user: 'alice","shop', dbname: '' },
      ];
      for (const other of others) expect(habits.get({ ...ALICE, ...other }), JSON.stringify(other)).to.equal(undefined);
    });

    it('change, and are forgotten', () => {
      const habits = new LoginHabits(defaultPgLimits);
      habits.learn(ALICE, 'md5');
      habits.learn(ALICE, 'scram-sha-256');
      expect(habits.get(ALICE)).to.equal('scram-sha-256');
      habits.forget(ALICE);
      expect(habits.get(ALICE)).to.equal(undefined);
    });

    it('grow old', () => {
      const clock = new ManualClock();
      const habits = new LoginHabits({ loginHabits: 10, loginHabitAgeMs: 1000 }, () => clock.now());
      habits.learn(ALICE, 'none');
      clock.advance(1000);
      expect(habits.get(ALICE)).to.equal('none');
      clock.advance(1);
      expect(habits.get(ALICE)).to.equal(undefined);
    });

    it('are no more than the limit, and none where it is 0', () => {
      const habits = new LoginHabits({ loginHabits: 2, loginHabitAgeMs: 1000 });
      for (const user of ['a', 'b', 'c']) habits.learn({ ...ALICE, user }, 'md5');
      expect(['a', 'b', 'c'].map((user) => habits.get({ ...ALICE, user }))).to.deep.equal([undefined, 'md5', 'md5']);
      const none = new LoginHabits({ loginHabits: 0, loginHabitAgeMs: 1000 });
      none.learn(ALICE, 'md5');
      none.forget(ALICE);
      expect(none.get(ALICE)).to.equal(undefined);
    });
  });

  describe('a guess', () => {
    it('is what servers ask for by default', () => {
      expect(guess({}), 'TLS').to.equal('scram-sha-256-plus');
      expect(guess({ link: unverified })).to.equal('scram-sha-256-plus');
      expect(guess({ channelBinding: 'require' })).to.equal('scram-sha-256-plus');
      expect(guess({ channelBinding: 'disable' })).to.equal('scram-sha-256');
      expect(guess({ link: hashless })).to.equal('scram-sha-256');
      expect(guess({ link: plain })).to.equal('scram-sha-256');
      expect(guess({ link: local })).to.equal('scram-sha-256');
      expect(guess({ hasPassword: false })).to.equal('none');
      expect(guess({ hasPassword: false, link: unverified })).to.equal(undefined);
      expect(guess({ hasPassword: false, link: plain })).to.equal(undefined);
    });

    it('is the habit', () => {
      for (const habit of ['none', 'password', 'scram-sha-256', 'scram-sha-256-plus'] as const) {
        expect(guess({ habit })).to.equal(habit);
      }
      expect(guess({ habit: 'md5' }), 'it needs the salt').to.equal(undefined);
      expect(guess({ habit: 'password', link: unverified }), 'not to anyone').to.equal(undefined);
      expect(guess({ habit: 'password', link: plain })).to.equal(undefined);
    });

    it('is the one method that require_auth names, whatever the habit', () => {
      const habits: (LoginMethod | undefined)[] = [undefined, 'none', 'password', 'md5', 'scram-sha-256'];
      for (const habit of habits) {
        expect(guess({ requireAuth: ['none'], habit })).to.equal('none');
        expect(guess({ requireAuth: ['password'], habit })).to.equal('password');
        for (const method of ['md5', 'gss', 'sspi', 'oauth'] as const) {
          expect(guess({ requireAuth: [method], habit }), method).to.equal(undefined);
        }
      }
      expect(guess({ requireAuth: ['scram-sha-256'] })).to.equal('scram-sha-256-plus');
      expect(guess({ requireAuth: ['scram-sha-256'], habit: 'md5' })).to.equal('scram-sha-256-plus');
      expect(guess({ requireAuth: ['scram-sha-256'], habit: 'scram-sha-256' })).to.equal('scram-sha-256');
      expect(guess({ requireAuth: ['md5', 'password'], habit: 'password' })).to.equal('password');
    });

    it('is never what the rules forbid', () => {
      const methods: (AuthMethod[] | undefined)[] = [undefined, ['none'], ['password'], ['md5', 'scram-sha-256'], []];
      const habits = [undefined, 'none', 'password', 'md5', 'scram-sha-256', 'scram-sha-256-plus'] as const;
      let guesses = 0;
      for (const requireAuth of methods) {
        for (const channelBinding of ['disable', 'prefer', 'require'] as const) {
          for (const link of [verified, unverified, hashless, plain, local]) {
            for (const hasPassword of [false, true]) {
              for (const habit of habits) {
                const rules = { requireAuth: requireAuth && new Set(requireAuth), channelBinding, link };
                const made = guessFor({ ...rules, hasPassword, habit });
                if (made === undefined) continue;
                guesses++;
                expect(mayGuess(rules, made, hasPassword)).to.equal(true);
              }
            }
          }
        }
      }
      expect(guesses).to.be.above(100);
    });
  });
});
