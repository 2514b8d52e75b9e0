import { expect } from 'chai';
import {
  SSL_MODES,
  SSL_NEGOTIATIONS,
  type SslMode,
  type SslNegotiation,
} from '../../../src/codec/pg/conninfo/target.js';
import { PgError } from '../../../src/codec/pg/errors.js';
import {
  type Attempt,
  dial,
  firstAttempt,
  type NegotiationState,
  onAnswer,
  onAnswerLost,
  onConnected,
  onDialFailed,
  onTls,
  onTlsFailed,
} from '../../../src/codec/pg/negotiation.js';

/** What a server, or the way to it, does. The first five answer SSLRequest; the rest are about TLS and the login. */
type Behaviour =
  | 'tls' // 'S', TLS, login
  | 'no-tls' // 'N', login
  | 'error' // an error message in place of either
  | 'eof' // the end in place of either
  | 'injection' // 'S' with more behind it
  | 'bad-tls' // 'S', then no handshake
  | 'refuses-tls-login' // 'S', TLS, and an ErrorResponse there (hostnossl)
  | 'refuses-plain-login'; // an ErrorResponse without TLS (hostssl)

const EOF = Object.assign(new Error('Client network socket disconnected'), { code: 'ECONNRESET' });
const REJECTED = 'login rejected';

/** What happened on the way, and the end: `plain`, `tls`, or the code of an error. */
function run(attempt: Attempt, behaviour: Behaviour): string {
  const steps: string[] = [];
  let state: NegotiationState = dial(attempt);
  for (let step = 0; step < 20; step++) {
    switch (state.name) {
      case 'dial':
        steps.push(state.attempt.encryption);
        state = onConnected(state);
        break;
      case 'answer':
        state = answer(state, behaviour);
        break;
      case 'handshake':
        state = behaviour === 'bad-tls' ? onTlsFailed(state, EOF) : onTls(state, 'postgresql');
        break;
      case 'ready': {
        const refused = behaviour === `refuses-${state.encryption}-login`;
        if (!refused) return [...steps, state.encryption].join(' > ');
        if (state.otherwise === undefined) return [...steps, REJECTED].join(' > ');
        state = dial(state.otherwise);
        break;
      }
      case 'failed':
        return [...steps, (state.error as NodeJS.ErrnoException).code].join(' > ');
    }
  }
  throw new Error('the negotiation does not end');
}

function answer(state: Extract<NegotiationState, { name: 'answer' }>, behaviour: Behaviour): NegotiationState {
  switch (behaviour) {
    case 'no-tls':
      return onAnswer(state, Buffer.from('N'));
    case 'error':
      return onAnswer(state, Buffer.from('EFATAL: trust me\0'));
    case 'eof':
      return onAnswerLost(state);
    case 'injection':
      return onAnswer(state, Buffer.from('SR'));
    default:
      return onAnswer(state, Buffer.from('S'));
  }
}

describe('codec/pg/negotiation', () => {
  /**
   * libpq's own test (t/005_negotiate_encryption.pl) as a table: for each sslmode, what each server leads to. Modes that
   * are the same to the negotiation stand together.
   */
  const OVER_TCP: Record<string, Record<Behaviour, string>> = {
    disable: {
      tls: 'plain > plain',
      'no-tls': 'plain > plain',
      error: 'plain > plain',
      eof: 'plain > plain',
      injection: 'plain > plain',
      'bad-tls': 'plain > plain',
      'refuses-tls-login': 'plain > plain',
      'refuses-plain-login': 'plain > login rejected',
    },
    allow: {
      tls: 'plain > plain',
      'no-tls': 'plain > plain',
      error: 'plain > plain',
      eof: 'plain > plain',
      injection: 'plain > plain',
      'bad-tls': 'plain > plain',
      'refuses-tls-login': 'plain > plain',
      'refuses-plain-login': 'plain > ssl-request > tls',
    },
    prefer: {
      tls: 'ssl-request > tls',
      'no-tls': 'ssl-request > plain',
      error: 'ssl-request > ERR_PG_NEGOTIATION',
      eof: 'ssl-request > ERR_PG_CONNECTION_LOST',
      injection: 'ssl-request > ERR_PG_TLS_INJECTION',
      'bad-tls': 'ssl-request > plain > plain',
      'refuses-tls-login': 'ssl-request > plain > plain',
      'refuses-plain-login': 'ssl-request > tls',
    },
    'require, verify-ca, verify-full': {
      tls: 'ssl-request > tls',
      'no-tls': 'ssl-request > ERR_PG_TLS_REFUSED',
      error: 'ssl-request > ERR_PG_NEGOTIATION',
      eof: 'ssl-request > ERR_PG_CONNECTION_LOST',
      injection: 'ssl-request > ERR_PG_TLS_INJECTION',
      'bad-tls': 'ssl-request > ECONNRESET',
      'refuses-tls-login': 'ssl-request > login rejected',
      'refuses-plain-login': 'ssl-request > tls',
    },
  };
  const DIRECT: Record<Behaviour, string> = {
    tls: 'direct > tls',
    'no-tls': 'direct > tls',
    error: 'direct > tls',
    eof: 'direct > tls',
    injection: 'direct > tls',
    'bad-tls': 'direct > ERR_PG_DIRECT_TLS',
    'refuses-tls-login': 'direct > login rejected',
    'refuses-plain-login': 'direct > tls',
  };

  for (const [modes, row] of Object.entries(OVER_TCP)) {
    for (const sslmode of modes.split(', ') as SslMode[]) {
      for (const [behaviour, expected] of Object.entries(row) as [Behaviour, string][]) {
        for (const sslnegotiation of [undefined, 'postgres'] as const) {
          it(`sslmode=${sslmode} sslnegotiation=${sslnegotiation}, server: ${behaviour}: ${expected}`, () => {
            expect(run(attempt({ sslmode, sslnegotiation }), behaviour)).to.equal(expected);
          });
        }
      }
    }
  }

  for (const [behaviour, expected] of Object.entries(DIRECT) as [Behaviour, string][]) {
    it(`sslnegotiation=direct, server: ${behaviour}: ${expected}`, () => {
      for (const sslmode of ['require', 'verify-ca', 'verify-full'] as const) {
        expect(run(attempt({ sslmode, sslnegotiation: 'direct' }), behaviour)).to.equal(expected);
        const secure = { secureTransport: true, sslmode, sslnegotiation: 'direct' } as const;
        expect(run(attempt(secure), behaviour)).to.equal(expected.replace('direct', 'secure'));
      }
    });
  }

  it('is prefer over a plain transport where nobody gives an sslmode, verify-full over a secure one', () => {
    expect(attempt({}).sslmode).to.equal('prefer');
    expect(run(attempt({}), 'no-tls')).to.equal('ssl-request > plain');
    expect(attempt({ secureTransport: true })).to.include({ sslmode: 'verify-full', encryption: 'secure' });
  });

  it('has every combination of transport, sslmode and sslnegotiation begin, or refuses it', () => {
    const modes = [undefined, ...SSL_MODES];
    const rows = [undefined, ...SSL_NEGOTIATIONS].flatMap((sslnegotiation) =>
      [false, true].map((secureTransport) => {
        const beginnings = modes.map((sslmode) => beginning({ sslmode, sslnegotiation, secureTransport }));
        return `${secureTransport ? 'secure' : 'tcp'} ${sslnegotiation ?? '-'}: ${beginnings.join(' ')}`;
      }),
    );
    // In the order of the modes:  none disable allow prefer require verify-ca verify-full
    expect(rows).to.deep.equal([
      'tcp -: ssl-request plain plain ssl-request ssl-request ssl-request ssl-request',
      'secure -: secure refused refused refused secure secure secure',
      'tcp postgres: ssl-request plain plain ssl-request ssl-request ssl-request ssl-request',
      'secure postgres: refused refused refused refused refused refused refused',
      'tcp direct: refused refused refused refused direct direct direct',
      'secure direct: secure refused refused refused secure secure secure',
      'tcp turbo: refused refused refused refused refused refused refused',
      'secure turbo: secure refused refused refused secure secure secure',
    ]);
  });

  it('says what to do instead of a combination that cannot be', () => {
    expect(refusal({ sslnegotiation: 'turbo' })).to.match(/turboTransport\(\)/);
    expect(refusal({ sslnegotiation: 'direct' })).to.match(/require, verify-ca or verify-full, and this is prefer/);
    expect(refusal({ secureTransport: true, sslmode: 'prefer' })).to.match(/tcpTransport\(\)/);
    expect(refusal({ secureTransport: true, sslnegotiation: 'postgres' })).to.match(/tcpTransport\(\)/);
  });

  it('asks for no TLS on a Unix socket, whatever sslmode says, as libpq', () => {
    for (const sslmode of [undefined, ...SSL_MODES]) {
      expect(run(attempt({ sslmode, local: true }), 'no-tls')).to.equal('local > local');
    }
    expect(beginning({ local: true, sslnegotiation: 'direct', sslmode: 'require' })).to.equal('local');
    expect(beginning({ local: true, sslnegotiation: 'direct' })).to.equal('refused');
    expect(beginning({ local: true, secureTransport: true })).to.equal('secure');
  });

  describe('the answer to SSLRequest', () => {
    const awaiting = (sslmode: SslMode) => {
      const state = onConnected(dial(attempt({ sslmode })));
      if (state.name !== 'answer') throw new Error(state.name);
      return state;
    };

    it('is S, N or nothing good, for every first byte', () => {
      for (let byte = 0; byte < 256; byte++) {
        const state = onAnswer(awaiting('prefer'), Buffer.of(byte));
        const letter = String.fromCharCode(byte);
        const expected = letter === 'S' ? 'handshake' : letter === 'N' ? 'ready' : 'ERR_PG_NEGOTIATION';
        expect(state.name === 'failed' ? (state.error as PgError).code : state.name, `${byte}`).to.equal(expected);
      }
    });

    it('is refused with anything behind it, S and N alike', () => {
      for (const text of ['SS', 'NR\0', 'S\0', `N${'x'.repeat(1000)}`]) {
        const state = onAnswer(awaiting('prefer'), Buffer.from(text));
        expect(state).to.have.nested.property('error.code', 'ERR_PG_TLS_INJECTION');
      }
    });

    it('does not pass on what an error message says: nobody has shown to be the server', () => {
      const state = onAnswer(awaiting('require'), Buffer.from('ESFATAL\0Mgo to http://attacker.example\0\0'));
      if (state.name !== 'failed') throw new Error(state.name);
      expect(`${state.error.message} ${state.error.cause}`).not.to.match(/attacker|FATAL/);
    });

    it('that does not come is a lost connection, with its cause', () => {
      const { error } = onAnswerLost(awaiting('prefer'), EOF);
      expect(error).to.include({ code: 'ERR_PG_CONNECTION_LOST', cause: EOF });
    });
  });

  describe('ALPN', () => {
    const handshake = (input: Partial<Parameters<typeof firstAttempt>[0]>) =>
      ({ name: 'handshake', attempt: attempt(input) }) as const;
    const direct = { sslmode: 'require', sslnegotiation: 'direct' } as const;

    it('must have agreed to postgresql with sslnegotiation=direct', () => {
      for (const nothing of [undefined, false, null, ''] as const) {
        for (const secureTransport of [false, true]) {
          const state = onTls(handshake({ ...direct, secureTransport }), nothing);
          expect(state).to.have.nested.property('error.code', 'ERR_PG_ALPN');
        }
      }
      expect(onTls(handshake(direct), 'postgresql')).to.include({ name: 'ready', encryption: 'tls' });
    });

    it('may be unknown to the server otherwise, but must not have agreed to something else', () => {
      for (const input of [{ sslmode: 'require' }, { secureTransport: true }] as const) {
        expect(onTls(handshake(input), false)).to.include({ name: 'ready', encryption: 'tls' });
        expect(onTls(handshake(input), 'h2')).to.have.nested.property('error.code', 'ERR_PG_ALPN');
      }
    });
  });

  it('explains the end of a connection on which TLS began at once, and leaves other errors as they are', () => {
    const direct = attempt({ sslmode: 'require', sslnegotiation: 'direct' });
    const { error } = onTlsFailed({ name: 'handshake', attempt: direct }, EOF) as { error: Error };
    expect(error).to.include({ code: 'ERR_PG_DIRECT_TLS', cause: EOF });
    expect(error.message).to.match(/PostgreSQL 17 or later.*ALPN.*sslnegotiation=postgres/);
    const expired = Object.assign(new Error('certificate has expired'), { code: 'CERT_HAS_EXPIRED' });
    expect(onTlsFailed({ name: 'handshake', attempt: direct }, expired)).to.have.property('error', expired);
  });

  it('explains it too where a secure transport was dialled, and leaves a plain transport its error', () => {
    const secure = dial(attempt({ secureTransport: true }));
    expect(onDialFailed(secure, EOF)).to.have.nested.property('error.code', 'ERR_PG_DIRECT_TLS');
    expect(onDialFailed(dial(attempt({})), EOF)).to.have.property('error', EOF);
  });
});

interface Input {
  sslmode?: SslMode | undefined;
  sslnegotiation?: SslNegotiation | undefined;
  secureTransport?: boolean;
  local?: boolean;
}

function attempt({ sslmode, sslnegotiation, secureTransport = false, local = false }: Input): Attempt {
  return firstAttempt({ sslmode, sslnegotiation, secureTransport, local });
}

function beginning(input: Input): string {
  try {
    return attempt(input).encryption;
  } catch (error) {
    expect(error).to.be.an.instanceOf(PgError).with.property('code', 'ERR_PG_BAD_OPTION');
    return 'refused';
  }
}

function refusal(input: Input): string {
  try {
    attempt(input);
    return '';
  } catch (error) {
    return (error as Error).message;
  }
}
