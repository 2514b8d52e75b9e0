import { X509Certificate } from 'node:crypto';
import { expect } from 'chai';
import {
  Authenticator,
  type AuthenticatorOptions,
  type AuthStep,
} from '../../../../src/codec/pg/auth/authenticator.js';
import { serverEndPoint } from '../../../../src/codec/pg/auth/channel-binding.js';
import type { LinkSecurity, LoginGuess, LoginMethod } from '../../../../src/codec/pg/auth/rules.js';
import { SaltedPasswords } from '../../../../src/codec/pg/auth/salted-passwords.js';
import type { AuthMethod, ChannelBinding } from '../../../../src/codec/pg/conninfo/target.js';
import type { PgErrorCode } from '../../../../src/codec/pg/errors.js';
import { defaultPgLimits } from '../../../../src/codec/pg/limits.js';
import type { AuthenticationMessage, PasswordPhaseMessage } from '../../../../src/codec/pg/messages.js';
import { makeCertificate } from '../../../support/certificates.js';
import { ScramServer } from './scram-server.js';
import { failure, outcome } from './support.js';

const PASSWORD = 'hunter2';
const PLUS = 'SCRAM-SHA-256-PLUS';
const PLAIN = 'SCRAM-SHA-256';
const CHANNEL_BINDINGS: ChannelBinding[] = ['disable', 'prefer', 'require'];

const OK: AuthenticationMessage = { name: 'AuthenticationOk' };
const CLEARTEXT: AuthenticationMessage = { name: 'AuthenticationCleartextPassword' };
const MD5: AuthenticationMessage = { name: 'AuthenticationMD5Password', salt: Buffer.from([1, 2, 3, 4]) };
const sasl = (...mechanisms: string[]): AuthenticationMessage => ({ name: 'AuthenticationSASL', mechanisms });
const goOn = (data: Buffer): AuthenticationMessage => ({ name: 'AuthenticationSASLContinue', data });
const final = (data: Buffer): AuthenticationMessage => ({ name: 'AuthenticationSASLFinal', data });

/** Signed with Ed25519, which has no hash for tls-server-end-point: the algorithm is all that is looked at. */
const WITHOUT_HASH = Buffer.from('300b3000300506032b6570030100', 'hex');

let certificate: Buffer;
let endPoint: Buffer;

const tls = (verified: boolean): LinkSecurity => ({ encryption: 'tls', verified, certificate: () => certificate });
const hashless: LinkSecurity = { encryption: 'tls', verified: true, certificate: () => WITHOUT_HASH };
const links = {
  verified: () => tls(true),
  unverified: () => tls(false),
  hashless: () => hashless,
  plain: (): LinkSecurity => ({ encryption: 'plain' }),
  local: (): LinkSecurity => ({ encryption: 'local' }),
};
type LinkName = keyof typeof links;
const LINK_NAMES = Object.keys(links) as LinkName[];

const isTls = (link: LinkName) => link !== 'plain' && link !== 'local';
const isTrusted = (link: LinkName) => link === 'verified' || link === 'hashless';
const hasHash = (link: LinkName) => link === 'verified' || link === 'unverified';

interface Settings extends Partial<Omit<AuthenticatorOptions, 'link' | 'requireAuth'>> {
  link?: LinkName;
  requireAuth?: AuthMethod[] | undefined;
}

function make({ link = 'verified', requireAuth, ...options }: Settings = {}): Authenticator {
  return new Authenticator({
    user: 'alice',
    password: PASSWORD,
    channelBinding: 'prefer',
    requireAuth: requireAuth && new Set(requireAuth),
    link: links[link](),
    allowCleartext: false,
    serverKey: 'db.example:5432',
    salted: new SaltedPasswords(defaultPgLimits),
    limits: defaultPgLimits,
    ...options,
  });
}

function sent(step: AuthStep): PasswordPhaseMessage {
  if (step.step !== 'send') throw new Error(`${step.step} instead of a message`);
  return step.message;
}

function dataOf(message: PasswordPhaseMessage | undefined): Buffer {
  if (message?.name !== 'SASLInitialResponse' && message?.name !== 'SASLResponse') throw new Error('no SASL');
  return message.data ?? Buffer.alloc(0);
}

/** A PostgreSQL server as far as authentication goes, which offers -PLUS where TLS reaches it. */
class Server {
  readonly #scram: ScramServer;
  readonly mechanisms: string[];

  constructor(mechanisms: string[], options: { password?: string; bound?: boolean } = {}) {
    const { password = PASSWORD, bound = mechanisms.includes(PLUS) } = options;
    this.mechanisms = mechanisms;
    this.#scram = new ScramServer({ password, ...(bound && { endPoint }) });
  }

  get flag(): string {
    return this.#scram.flag;
  }

  continue(initial: PasswordPhaseMessage | undefined): AuthenticationMessage {
    return goOn(this.#scram.first(dataOf(initial)));
  }

  final(response: PasswordPhaseMessage): AuthenticationMessage {
    return final(this.#scram.final(dataOf(response)));
  }
}

/** The whole of SCRAM, from AuthenticationSASL; what `mayPipelineQueries` was after each step. */
async function scram(auth: Authenticator, server: Server): Promise<{ mechanism: string; pipelined: boolean[] }> {
  const pipelined: boolean[] = [];
  const on = async (message: AuthenticationMessage) => {
    const step = await auth.on(message);
    pipelined.push(auth.mayPipelineQueries);
    return step;
  };
  const initial = sent(await on(sasl(...server.mechanisms)));
  const response = sent(await on(server.continue(initial)));
  expect(await on(server.final(response))).to.deep.equal({ step: 'wait' });
  expect(await on(OK)).to.deep.equal({ step: 'done' });
  return { mechanism: initial.name === 'SASLInitialResponse' ? initial.mechanism : '', pipelined };
}

describe('codec/pg/auth/authenticator', () => {
  before(async () => {
    const { cert } = await makeCertificate({ names: ['localhost'] });
    certificate = new X509Certificate(cert).raw;
    endPoint = serverEndPoint(certificate) as Buffer;
    expect(endPoint).to.have.lengthOf(32);
    expect(serverEndPoint(WITHOUT_HASH)).to.equal(undefined);
  });

  describe('channel_binding × what the server offers × connection, as libpq has it:', () => {
    type Expected = 'PLUS' | 'n' | 'y' | PgErrorCode;
    /** libpq's pg_SASL_init and build_client_first_message, said once more. */
    function expected(binding: ChannelBinding, offer: string[], link: LinkName): Expected {
      const offersPlus = offer.includes(PLUS);
      if (binding === 'require') {
        return isTls(link) && hasHash(link) && offersPlus ? 'PLUS' : 'ERR_PG_CHANNEL_BINDING';
      }
      if (offersPlus && !isTls(link)) return 'ERR_PG_AUTH_UNSUPPORTED';
      if (offersPlus && binding === 'prefer') return hasHash(link) ? 'PLUS' : 'ERR_PG_CHANNEL_BINDING';
      if (!offer.includes(PLAIN)) return 'ERR_PG_AUTH_UNSUPPORTED';
      return binding === 'prefer' && isTls(link) ? 'y' : 'n';
    }

    for (const channelBinding of CHANNEL_BINDINGS) {
      for (const offer of [[PLUS, PLAIN], [PLAIN, PLUS], [PLAIN], [PLUS], ['OAUTHBEARER', PLAIN], ['PLAIN'], []]) {
        for (const link of LINK_NAMES) {
          const what = expected(channelBinding, offer, link);
          it(`${channelBinding}, ${offer.join(' ') || 'nothing'}, ${link}: ${what}`, async () => {
            const auth = make({ channelBinding, link });
            const server = new Server(offer, { bound: what === 'PLUS' });
            if (what.startsWith('ERR_')) {
              expect(await outcome(() => auth.on(sasl(...offer)))).to.equal(what);
              expect(await outcome(() => auth.on(OK)), 'afterwards').to.equal('ERR_PG_PROTOCOL');
              return;
            }
            const { mechanism } = await scram(auth, server);
            expect(mechanism).to.equal(what === 'PLUS' ? PLUS : PLAIN);
            expect(server.flag).to.equal(what === 'PLUS' ? 'p=tls-server-end-point' : what);
            expect(auth.method).to.equal(what === 'PLUS' ? 'scram-sha-256-plus' : 'scram-sha-256');
          });
        }
      }
    }

    it('binds to the certificate of this connection', async () => {
      const auth = make({ link: 'verified' });
      certificate = Buffer.from(certificate);
      certificate[certificate.length - 1] = (certificate.at(-1) as number) ^ 1;
      const server = new Server([PLUS, PLAIN]);
      const wrong = await scram(auth, server).catch(({ message }: Error) => message);
      certificate[certificate.length - 1] = (certificate.at(-1) as number) ^ 1;
      expect(wrong).to.equal('the channel binding is wrong');
    });
  });

  describe('require_auth × what the server asks × channel_binding:', () => {
    const requests: [LoginMethod | 'other', AuthenticationMessage][] = [
      ['none', OK],
      ['password', CLEARTEXT],
      ['md5', MD5],
      ['scram-sha-256', sasl(PLAIN)],
      ['scram-sha-256-plus', sasl(PLUS, PLAIN)],
      ['other', { name: 'AuthenticationOther', method: 7, data: Buffer.alloc(0) }],
    ];
    const required: (AuthMethod[] | undefined)[] = [
      undefined,
      ['none'],
      ['password'],
      ['md5'],
      ['scram-sha-256'],
      ['gss'],
      ['sspi'],
      ['md5', 'scram-sha-256'],
      ['password', 'md5', 'none'],
      ['gss', 'sspi', 'oauth'],
      [],
    ];
    for (const requireAuth of required) {
      for (const [method, message] of requests) {
        for (const channelBinding of CHANNEL_BINDINGS) {
          const asked = method.startsWith('scram') ? 'scram-sha-256' : method;
          const isScram = asked === 'scram-sha-256';
          const isAllowed = requireAuth === undefined || requireAuth.some((name) => name === asked);
          const isBound = method === 'scram-sha-256-plus';
          const code = (): PgErrorCode | 'done' => {
            if (channelBinding === 'require' && !isScram) return 'ERR_PG_CHANNEL_BINDING';
            if (!isAllowed || method === 'other') return 'ERR_PG_AUTH_UNSUPPORTED';
            return channelBinding === 'require' && !isBound ? 'ERR_PG_CHANNEL_BINDING' : 'done';
          };
          const what = code();
          it(`${requireAuth ? `[${requireAuth.join()}]` : 'any'}, ${method}, ${channelBinding}: ${what}`, async () => {
            const auth = make({ requireAuth, channelBinding });
            expect(await outcome(() => auth.on(message))).to.equal(what);
          });
        }
      }
    }
  });

  describe('without SCRAM', () => {
    it('answers with the password in clear over TLS and a Unix socket, and over plain TCP only where that is allowed', async () => {
      const rows: [LinkName, boolean, boolean][] = [
        ['verified', false, true],
        ['unverified', false, true],
        ['local', false, true],
        ['plain', false, false],
        ['plain', true, true],
      ];
      for (const [link, allowCleartext, answers] of rows) {
        const auth = make({ link, allowCleartext });
        const name = `${link} ${allowCleartext}`;
        if (!answers) {
          expect(await outcome(() => auth.on(CLEARTEXT)), name).to.equal('ERR_PG_CLEARTEXT_REFUSED');
          continue;
        }
        const message = sent(await auth.on(CLEARTEXT));
        expect(message, name).to.deep.equal({ name: 'PasswordMessage', password: PASSWORD });
        expect(await auth.on(OK)).to.deep.equal({ step: 'done' });
        expect(auth.method).to.equal('password');
      }
    });

    it('asks for no password where a cleartext one is refused', async () => {
      let asked = 0;
      const password = () => {
        asked++;
        return PASSWORD;
      };
      expect(await outcome(() => make({ link: 'plain', password }).on(CLEARTEXT))).to.equal('ERR_PG_CLEARTEXT_REFUSED');
      expect(asked).to.equal(0);
    });

    it('answers MD5', async () => {
      const auth = make();
      const salt = Buffer.from([1, 2, 3, 4]);
      const step = auth.on({ name: 'AuthenticationMD5Password', salt });
      salt.fill(0); // the bytes are the network's, and used again
      // md5(md5('hunter2alice') + '\1\2\3\4'), by md5sum.
      expect(sent(await step)).to.deep.equal({
        name: 'PasswordMessage',
        password: 'md57f80f230474a70cd9e46eeef688e62fa',
      });
      expect(await auth.on(OK)).to.deep.equal({ step: 'done' });
    });

    it('is done at once where the server asks for nothing', async () => {
      const auth = make({ password: undefined });
      expect(await auth.on(OK)).to.deep.equal({ step: 'done' });
      expect(auth.method).to.equal('none');
    });
  });

  describe('the password', () => {
    for (const [name, message] of [
      ['cleartext', CLEARTEXT],
      ['MD5', MD5],
      ['SCRAM', sasl(PLAIN)],
    ] as const) {
      it(`is missed where there is none or an empty one (${name})`, async () => {
        for (const password of [undefined, '']) {
          expect(await outcome(() => make({ password }).on(message))).to.equal('ERR_PG_PASSWORD_REQUIRED');
        }
      });
    }

    it('may come from a function, called once and only where it is needed', async () => {
      let calls = 0;
      const password = async () => {
        calls++;
        return PASSWORD;
      };
      await make({ password }).on(OK);
      expect(calls).to.equal(0);
      expect(sent(await make({ password }).on(CLEARTEXT))).to.include({ password: PASSWORD });
      expect(calls).to.equal(1);
      await scram(make({ password }), new Server([PLUS, PLAIN]));
      expect(calls).to.equal(2);
      const speculating = make({ password: () => password() });
      await speculating.first('scram-sha-256-plus');
      expect(calls, 'fetched while the salt is on its way').to.equal(3);
    });

    it('fails the login where its function does, and is not unhandled', async () => {
      const password = () => Promise.reject(new Error('no token'));
      const auth = make({ password });
      const server = new Server([PLAIN]);
      const initial = sent(await auth.on(sasl(PLAIN)));
      const failed = auth.on(server.continue(initial));
      expect(await failed.catch(({ message }: Error) => message)).to.equal('no token');
      const cleartext = make({ password }).on(CLEARTEXT);
      expect(await cleartext.catch(({ message }: Error) => message)).to.equal('no token');
      const guess = make({ password }).first('password');
      expect(await guess.catch(({ message }: Error) => message)).to.equal('no token');
    });

    it('is missed where its function gives none', async () => {
      for (const nothing of ['', undefined, null, 5] as unknown as string[]) {
        expect(await outcome(() => make({ password: () => nothing }).on(CLEARTEXT))).to.equal(
          'ERR_PG_PASSWORD_REQUIRED',
        );
      }
    });

    it('has no zero byte, which would end it early', async () => {
      const error = await failure(() => make({ password: 'hunter2\0x' }).on(CLEARTEXT));
      expect(error.code).to.equal('ERR_PG_BAD_OPTION');
      expect(error.message).not.to.include('hunter2');
    });
  });

  describe('the order of the messages', () => {
    const some = Buffer.from('v=x');

    it('takes no SASL message before AuthenticationSASL', async () => {
      for (const message of [goOn(some), final(some)]) {
        expect(await outcome(() => make().on(message))).to.equal('ERR_PG_PROTOCOL');
      }
    });

    it('takes nothing twice', async () => {
      const cases: [AuthenticationMessage, AuthenticationMessage][] = [
        [CLEARTEXT, CLEARTEXT],
        [CLEARTEXT, MD5],
        [MD5, CLEARTEXT],
        [MD5, sasl(PLAIN)],
        [sasl(PLAIN), sasl(PLAIN)],
        [sasl(PLAIN), CLEARTEXT],
        [sasl(PLAIN), MD5],
        [sasl(PLAIN), final(some)],
        [OK, OK],
        [OK, CLEARTEXT],
      ];
      for (const [first, second] of cases) {
        const auth = make();
        await auth.on(first);
        expect(await outcome(() => auth.on(second)), `${second.name} after ${first.name}`).to.equal('ERR_PG_PROTOCOL');
        expect(auth.mayPipelineQueries).to.equal(false);
      }
    });

    it('takes no AuthenticationOk from a server that has not proved itself', async () => {
      for (const channelBinding of CHANNEL_BINDINGS) {
        for (const requireAuth of [undefined, ['none', 'scram-sha-256'] as AuthMethod[]]) {
          const offered = channelBinding === 'disable' ? [PLAIN] : [PLUS, PLAIN];
          const begun = async () => {
            const auth = make({ channelBinding, requireAuth });
            return { auth, server: new Server(offered), initial: sent(await auth.on(sasl(...offered))) };
          };
          const early = await begun();
          expect(await outcome(() => early.auth.on(OK)), 'before the salt').to.equal('ERR_PG_SERVER_PROOF');

          const { auth, server, initial } = await begun();
          const response = auth.on(server.continue(initial));
          expect(await outcome(() => auth.on(OK)), 'while computing').to.equal('ERR_PG_SERVER_PROOF');
          await response;
          expect(await outcome(() => auth.on(OK)), 'before the proof').to.equal('ERR_PG_SERVER_PROOF');
          expect(auth.mayPipelineQueries).to.equal(false);
        }
      }
    });

    it('takes no AuthenticationOk after a wrong proof', async () => {
      const auth = make({ channelBinding: 'disable' });
      const server = new Server([PLAIN]);
      await auth.on(server.continue(sent(await auth.on(sasl(PLAIN)))));
      const lie = final(Buffer.from(`v=${Buffer.alloc(32).toString('base64')}`));
      expect(await outcome(() => auth.on(lie))).to.equal('ERR_PG_SERVER_PROOF');
      expect(await outcome(() => auth.on(OK))).to.be.oneOf(['ERR_PG_SERVER_PROOF', 'ERR_PG_PROTOCOL']);
    });

    it('takes nothing while it is waiting for a password', async () => {
      const auth = make({ password: () => new Promise(() => {}) });
      void auth.on(CLEARTEXT);
      expect(await outcome(() => auth.on(OK))).to.equal('ERR_PG_PROTOCOL');
    });
  });

  describe('speculation', () => {
    const GUESSES: LoginGuess[] = ['none', 'password', 'scram-sha-256', 'scram-sha-256-plus'];

    describe('sends a guess only where nothing is lost by it:', () => {
      const allowed = (guess: LoginGuess, channelBinding: ChannelBinding, link: LinkName): boolean => {
        switch (guess) {
          case 'none':
          case 'password':
            return channelBinding !== 'require' && isTrusted(link);
          case 'scram-sha-256':
            return channelBinding !== 'require';
          case 'scram-sha-256-plus':
            return channelBinding !== 'disable' && hasHash(link);
        }
      };
      for (const channelBinding of CHANNEL_BINDINGS) {
        for (const link of LINK_NAMES) {
          it(`${channelBinding}, ${link}`, async () => {
            for (const guess of GUESSES) {
              const auth = make({ channelBinding, link, allowCleartext: true });
              if (channelBinding === 'require' && !hasHash(link)) {
                expect(await outcome(() => auth.first(guess))).to.equal('ERR_PG_CHANNEL_BINDING');
                continue;
              }
              const message = await auth.first(guess);
              const isAllowed = allowed(guess, channelBinding, link);
              expect(auth.guessConfirmed, `${guess} is open`).to.equal(!isAllowed);
              expect(message !== undefined, guess).to.equal(isAllowed && guess !== 'none');
              const isLast = guess === 'none' || guess === 'password';
              expect(auth.mayPipelineQueries, `queries behind ${guess}`).to.equal(isAllowed && isLast);
            }
          });
        }
      }
    });

    it('sends no guess that require_auth rules out, or that needs a password that is missing', async () => {
      const rows: [LoginGuess, AuthMethod[]][] = [
        ['none', ['password', 'scram-sha-256', 'md5']],
        ['password', ['none', 'scram-sha-256', 'md5']],
        ['scram-sha-256', ['none', 'password', 'md5']],
        ['scram-sha-256-plus', ['none', 'password', 'md5']],
      ];
      for (const [guess, requireAuth] of rows) {
        const ruledOut = make({ requireAuth });
        expect(await ruledOut.first(guess), guess).to.equal(undefined);
        expect(ruledOut.guessConfirmed, guess).to.equal(true);
        expect(ruledOut.mayPipelineQueries, guess).to.equal(false);
        for (const password of [undefined, '']) {
          const missing = make({ password });
          expect(await missing.first(guess), guess).to.equal(undefined);
          expect(missing.guessConfirmed).to.equal(guess !== 'none');
        }
      }
    });

    it('sends nothing where there is no guess', async () => {
      const auth = make();
      expect(await auth.first(undefined)).to.equal(undefined);
      expect(auth.guessConfirmed).to.equal(true);
      expect(auth.mayPipelineQueries).to.equal(false);
      await scram(auth, new Server([PLUS, PLAIN]));
    });

    it('sends nothing more for a request that it has answered ahead: SCRAM', async () => {
      const rows: [LoginGuess, ChannelBinding, LinkName, string[], string][] = [
        ['scram-sha-256-plus', 'prefer', 'verified', [PLUS, PLAIN], 'p=tls-server-end-point'],
        ['scram-sha-256-plus', 'require', 'unverified', [PLUS, PLAIN], 'p=tls-server-end-point'],
        ['scram-sha-256', 'prefer', 'verified', [PLAIN], 'y'],
        ['scram-sha-256', 'disable', 'verified', [PLUS, PLAIN], 'n'],
        ['scram-sha-256', 'prefer', 'plain', [PLAIN], 'n'],
        ['scram-sha-256', 'prefer', 'local', [PLAIN], 'n'],
      ];
      for (const [guess, channelBinding, link, offer, flag] of rows) {
        const auth = make({ channelBinding, link });
        const server = new Server(offer, { bound: guess === 'scram-sha-256-plus' });
        const initial = await auth.first(guess);
        expect(auth.guessConfirmed).to.equal(false);
        expect(await auth.on(sasl(...offer))).to.deep.equal({ step: 'wait' });
        expect(auth.guessConfirmed).to.equal(true);
        const response = sent(await auth.on(server.continue(initial)));
        expect(server.flag).to.equal(flag);
        expect(await auth.on(server.final(response))).to.deep.equal({ step: 'wait' });
        expect(await auth.on(OK)).to.deep.equal({ step: 'done' });
      }
    });

    it('sends nothing more for a request that it has answered ahead: cleartext, and nothing asked', async () => {
      const auth = make();
      expect(await auth.first('password')).to.deep.equal({ name: 'PasswordMessage', password: PASSWORD });
      expect(await auth.on(CLEARTEXT)).to.deep.equal({ step: 'wait' });
      expect(auth.guessConfirmed).to.equal(true);
      expect(await auth.on(OK)).to.deep.equal({ step: 'done' });

      const none = make({ password: undefined });
      expect(await none.first('none')).to.equal(undefined);
      expect(none.guessConfirmed).to.equal(false);
      expect(await none.on(OK)).to.deep.equal({ step: 'done' });
      expect(none.guessConfirmed).to.equal(true);
    });

    describe('says what the server wants where the guess was wrong:', () => {
      const answers: [LoginMethod, AuthenticationMessage][] = [
        ['none', OK],
        ['password', CLEARTEXT],
        ['md5', MD5],
        ['scram-sha-256', sasl(PLAIN)],
        ['scram-sha-256-plus', sasl(PLUS, PLAIN)],
      ];
      for (const guess of GUESSES) {
        for (const [method, message] of answers) {
          if (method === guess) continue;
          it(`${guess}, ${method}`, async () => {
            const auth = make();
            await auth.first(guess);
            expect(await auth.on(message)).to.deep.equal({ step: 'wrong-guess', method });
            expect(auth.guessConfirmed).to.equal(false);
            expect(auth.mayPipelineQueries).to.equal(false);
            expect(await outcome(() => auth.on(OK)), 'the connection is over').to.equal('ERR_PG_PROTOCOL');
          });
        }
      }
    });

    it('fails at once where what the server wants is not to be had, rather than connect again', async () => {
      const rows: [Settings, LoginGuess, AuthenticationMessage, PgErrorCode][] = [
        [{ requireAuth: ['scram-sha-256'] }, 'scram-sha-256-plus', OK, 'ERR_PG_AUTH_UNSUPPORTED'],
        [{ requireAuth: ['scram-sha-256'] }, 'scram-sha-256-plus', CLEARTEXT, 'ERR_PG_AUTH_UNSUPPORTED'],
        [{ requireAuth: ['scram-sha-256', 'none'] }, 'none', MD5, 'ERR_PG_AUTH_UNSUPPORTED'],
        [{ channelBinding: 'require' }, 'scram-sha-256-plus', OK, 'ERR_PG_CHANNEL_BINDING'],
        [{ channelBinding: 'require' }, 'scram-sha-256-plus', CLEARTEXT, 'ERR_PG_CHANNEL_BINDING'],
        [{ channelBinding: 'require' }, 'scram-sha-256-plus', sasl(PLAIN), 'ERR_PG_CHANNEL_BINDING'],
        [{ link: 'plain' }, 'scram-sha-256', CLEARTEXT, 'ERR_PG_CLEARTEXT_REFUSED'],
        [{ password: undefined }, 'none', CLEARTEXT, 'ERR_PG_PASSWORD_REQUIRED'],
        [{}, 'scram-sha-256', sasl('OAUTHBEARER'), 'ERR_PG_AUTH_UNSUPPORTED'],
        [{}, 'scram-sha-256', goOn(Buffer.from('r=x')), 'ERR_PG_PROTOCOL'],
      ];
      for (const [settings, guess, message, code] of rows) {
        const auth = make(settings);
        await auth.first(guess);
        expect(await outcome(() => auth.on(message)), `${guess} ${message.name}`).to.equal(code);
      }
    });

    it('is not led to SCRAM without binding by a list without -PLUS: the server sees the y', async () => {
      const auth = make();
      const server = new Server([PLAIN]); // something on the way took -PLUS out
      const initial = sent(await auth.on(sasl(PLAIN)));
      server.continue(initial);
      expect(server.flag).to.equal('y');
    });
  });

  describe('queries behind the login', () => {
    const rows: [LinkName, ChannelBinding, boolean][] = [
      ['verified', 'disable', true],
      ['verified', 'prefer', true],
      ['verified', 'require', false],
      ['unverified', 'disable', false],
      ['unverified', 'prefer', false],
      ['unverified', 'require', false],
      ['plain', 'disable', false],
      ['plain', 'prefer', false],
      ['local', 'prefer', false],
    ];
    for (const [link, channelBinding, early] of rows) {
      it(`SCRAM, ${link}, ${channelBinding}: ${early ? 'behind SASLResponse' : 'after the proof'}`, async () => {
        const offer = isTls(link) ? [PLUS, PLAIN] : [PLAIN];
        const bound = isTls(link) && channelBinding !== 'disable';
        const { pipelined } = await scram(make({ link, channelBinding }), new Server(offer, { bound }));
        // After SASLInitialResponse, SASLResponse, the proof, AuthenticationOk.
        expect(pipelined).to.deep.equal([false, early, true, true]);
      });

      if (channelBinding === 'require') continue;
      it(`password and MD5, ${link}, ${channelBinding}: ${early ? 'behind PasswordMessage' : 'after Ok'}`, async () => {
        for (const message of [CLEARTEXT, MD5]) {
          const auth = make({ link, channelBinding, allowCleartext: true });
          await auth.on(message);
          expect(auth.mayPipelineQueries).to.equal(early);
          await auth.on(OK);
          expect(auth.mayPipelineQueries).to.equal(true);
        }
      });
    }

    it('wait while an answer is being computed', async () => {
      const auth = make({ channelBinding: 'disable' });
      const server = new Server([PLAIN]);
      const initial = sent(await auth.on(sasl(PLAIN)));
      const response = auth.on(server.continue(initial));
      expect(auth.mayPipelineQueries).to.equal(false);
      await response;
      expect(auth.mayPipelineQueries).to.equal(true);
    });
  });

  it('names what it refuses, and shows nothing that could be anything', async () => {
    const strange = ['\u001b[31m', 'x'.repeat(5000), 'GSSAPI'];
    const error = await failure(() => make().on(sasl(...strange)));
    expect(error.message).to.match(/SASL with GSSAPI$/);
    const kerberos = await failure(() => make().on({ name: 'AuthenticationOther', method: 9, data: Buffer.alloc(0) }));
    expect(kerberos.message).to.include('SSPI');
    const required = await failure(() => make({ requireAuth: ['md5', 'gss'] }).on(CLEARTEXT));
    expect(required.message).to.include('require_auth=md5,gss');
  });
});
