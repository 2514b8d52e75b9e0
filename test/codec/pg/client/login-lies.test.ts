/**
 * Servers that lie, stall and break off while they are logged in to: always a coded error in time, no socket left, and
 * no query for who has not shown to be the server.
 */
import { randomBytes } from 'node:crypto';
import { expect } from 'chai';
import {
  type BackendMessage,
  type Conninfo,
  PgClient,
  type PgClientOptions,
  type PgError,
  PgMemory,
  type PgResult,
} from '../../../../src/codec/pg/index.js';
import { type Certificate, makeCertificate } from '../../../support/certificates.js';
import { encoded, type Peer, type PeerScript, ScriptedServer, scramExchange } from './scripted-server.js';
import { rejection } from './support.js';

const PASSWORD = 'a password of tests';
const MECHANISMS = ['SCRAM-SHA-256'];
const OK: BackendMessage = { name: 'AuthenticationOk' };
const READY: BackendMessage = { name: 'ReadyForQuery', status: 'I' };
const SASL: BackendMessage = { name: 'AuthenticationSASL', mechanisms: MECHANISMS };
const NOTICE: BackendMessage = { name: 'NoticeResponse', fields: { S: 'NOTICE', C: '00000', M: 'patience' } };
const key = (byte: number): BackendMessage => {
  return { name: 'BackendKeyData', processId: byte, secretKey: Buffer.alloc(4, byte) };
};
const one: BackendMessage[] = [
  {
    name: 'RowDescription',
    fields: [{ name: 'n', tableOid: 0, column: 0, typeOid: 23, typeSize: 4, typeModifier: -1, format: 0 }],
  },
  { name: 'CommandComplete', tag: 'SELECT 0' },
  READY,
];

/** A login as it should be, up to AuthenticationOk. */
async function proveOneself(peer: Peer): Promise<void> {
  peer.send({ name: 'AuthenticationSASLFinal', data: await scramExchange(peer, PASSWORD) }, OK);
}

/** After the client's first message, whatever it is. */
function says(...messages: BackendMessage[]): PeerScript {
  return async (peer) => {
    await peer.receive();
    peer.send(...messages);
  };
}

function saysBytes(bytes: Buffer): PeerScript {
  return async (peer) => {
    await peer.receive();
    peer.sendBytes(bytes);
  };
}

/** In place of the server's signature. */
function instead(...messages: BackendMessage[]): PeerScript {
  return async (peer) => {
    await scramExchange(peer, PASSWORD);
    peer.send(...messages);
  };
}

/** After a login as it should be. */
function afterwards(...messages: BackendMessage[]): PeerScript {
  return async (peer) => {
    await proveOneself(peer);
    peer.send(...messages);
  };
}

function continued(data: string | Buffer): PeerScript {
  return says(SASL, { name: 'AuthenticationSASLContinue', data: Buffer.from(data) });
}

function version(value: number): BackendMessage {
  return { name: 'NegotiateProtocolVersion', version: value, options: [] };
}

/** Says it again and again for as long as the client listens. */
function forever(message: (nth: number) => BackendMessage, first: PeerScript = (peer) => peer.receive()): PeerScript {
  return async (peer) => {
    await first(peer);
    for (let nth = 0; !peer.isGone; nth++) {
      peer.send(message(nth));
      await peer.drained();
      await new Promise(setImmediate);
    }
  };
}

/** What it says, the code that the client gives, and whether it has proved itself before. */
const LIES: [string, PeerScript, string, 'proven'?][] = [
  ['AuthenticationOk in place of SCRAM', says(SASL, OK), 'ERR_PG_SERVER_PROOF'],
  ['AuthenticationOk in place of its proof', instead(OK), 'ERR_PG_SERVER_PROOF'],
  [
    'another signature',
    instead({ name: 'AuthenticationSASLFinal', data: Buffer.from(`v=${randomBytes(32).toString('base64')}`) }, OK),
    'ERR_PG_SERVER_PROOF',
  ],
  ['a short signature', instead({ name: 'AuthenticationSASLFinal', data: Buffer.from('v=AAAA') }, OK), 'ERR_PG_SCRAM'],
  ['an empty SASLFinal', instead({ name: 'AuthenticationSASLFinal', data: Buffer.alloc(0) }, OK), 'ERR_PG_SCRAM'],
  ['an error of SCRAM', instead({ name: 'AuthenticationSASLFinal', data: Buffer.from('e=other') }), 'ERR_PG_SCRAM'],
  ['ReadyForQuery in place of its proof', instead(READY), 'ERR_PG_PROTOCOL'],
  [
    'SASLContinue before SASL',
    says({ name: 'AuthenticationSASLContinue', data: Buffer.from('r=x') }),
    'ERR_PG_PROTOCOL',
  ],
  ['SASLFinal before SASL', says({ name: 'AuthenticationSASLFinal', data: Buffer.from('v=x') }), 'ERR_PG_PROTOCOL'],
  ['SASL twice', says(SASL, SASL), 'ERR_PG_PROTOCOL'],
  [
    'SASLFinal after SASL',
    says(SASL, { name: 'AuthenticationSASLFinal', data: Buffer.from('v=x') }),
    'ERR_PG_PROTOCOL',
  ],
  ['a password request after SASL', says(SASL, { name: 'AuthenticationCleartextPassword' }), 'ERR_PG_PROTOCOL'],
  [
    'a password request after its proof',
    afterwards({ name: 'AuthenticationCleartextPassword' }),
    'ERR_PG_PROTOCOL',
    'proven',
  ],
  ['no mechanism', says({ name: 'AuthenticationSASL', mechanisms: [] }), 'ERR_PG_AUTH_UNSUPPORTED'],
  ['an unknown mechanism', says({ name: 'AuthenticationSASL', mechanisms: ['ROT13'] }), 'ERR_PG_AUTH_UNSUPPORTED'],
  ['GSSAPI', says({ name: 'AuthenticationOther', method: 7, data: Buffer.alloc(0) }), 'ERR_PG_AUTH_UNSUPPORTED'],
  ["a nonce that is not the client's", continued('r=abc,s=AAAA,i=4096'), 'ERR_PG_SCRAM'],
  ['SCRAM of nothing', continued(''), 'ERR_PG_SCRAM'],
  ['SCRAM too long', continued(Buffer.alloc(10_000, 'r')), 'ERR_PG_SCRAM'],
  ['ReadyForQuery at once', says(READY), 'ERR_PG_PROTOCOL'],
  ['rows at once', says(...one), 'ERR_PG_PROTOCOL'],
  ['rows before ReadyForQuery', afterwards(...one), 'ERR_PG_PROTOCOL', 'proven'],
  ['CopyInResponse', afterwards({ name: 'CopyInResponse', format: 0, columnFormats: [] }), 'ERR_PG_PROTOCOL', 'proven'],
  ['AuthenticationOk twice', afterwards(OK), 'ERR_PG_PROTOCOL', 'proven'],
  ['a newer protocol', says(version(0x3_0009)), 'ERR_PG_PROTOCOL'],
  ['protocol 2', says(version(0x2_0000)), 'ERR_PG_PROTOCOL'],
  ['a negative protocol', says(version(-1)), 'ERR_PG_PROTOCOL'],
  ['a length of two gigabytes', saysBytes(Buffer.from('527fffffff', 'hex')), 'ERR_PG_MESSAGE_TOO_LONG'],
  ['a length of three', saysBytes(Buffer.from('5200000003', 'hex')), 'ERR_PG_PROTOCOL'],
  ['a negative length', saysBytes(Buffer.from('52ffffffff', 'hex')), 'ERR_PG_PROTOCOL'],
  ['HTTP', saysBytes(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n')), 'ERR_PG_MESSAGE_TOO_LONG'],
  ['a long error', says({ name: 'ErrorResponse', fields: { M: 'x'.repeat(40_000) } }), 'ERR_PG_MESSAGE_TOO_LONG'],
  ['an error without fields', says({ name: 'ErrorResponse', fields: {} }), ''],
  ['an error in place of its proof', instead({ name: 'ErrorResponse', fields: { C: '28P01', M: 'no' } }), '28P01'],
  ['an error after its proof', afterwards({ name: 'ErrorResponse', fields: { C: '3D000' } }), '3D000', 'proven'],
];

/** Steps of a login at which it can end, or stop. */
const STEPS: [string, PeerScript, 'proven'?][] = [
  ['at once', async () => {}],
  ['after StartupMessage', (peer) => peer.receiveThe('StartupMessage')],
  ['after SASL', says(SASL)],
  ['within a message', saysBytes(encoded(SASL).subarray(0, 7))],
  ['in place of its proof', instead()],
  ['after AuthenticationOk', afterwards(), 'proven'],
  ['before ReadyForQuery', afterwards(key(1)), 'proven'],
];

const ENDLESS: [string, PeerScript, 'proven'?][] = [
  ['notices', forever(() => NOTICE)],
  ['notices after its proof', forever(() => NOTICE, proveOneself), 'proven'],
  ['unknown messages', forever(() => ({ name: 'Unknown', code: 1, body: Buffer.alloc(1000) }))],
  [
    'a login, a byte at a time',
    async (peer) => {
      await peer.receive();
      await peer.sendSlowly(encoded({ name: 'AuthenticationSASL', mechanisms: [...MECHANISMS, 'x'.repeat(500)] }), 10);
    },
  ],
];

type LinkName = 'plain' | 'verified';

describe('PgClient: servers that lie while they are logged in to', function () {
  this.timeout(20_000);
  let tls: Certificate;
  let running: ScriptedServer[] = [];

  before(async () => {
    tls = await makeCertificate();
  });
  afterEach(async () => {
    await Promise.all(running.map((server) => server.stop()));
    running = [];
  });

  async function start(script: PeerScript, link: LinkName): Promise<ScriptedServer> {
    const server = await ScriptedServer.start(script, link === 'verified' ? tls : undefined);
    running.push(server);
    return server;
  }

  function open(server: ScriptedServer, link: LinkName, more: Conninfo = {}, options: PgClientOptions = {}): PgClient {
    const security: Conninfo =
      link === 'plain' ? { sslmode: 'disable' } : { sslmode: 'verify-full', sslnegotiation: 'direct' };
    const address = { host: 'localhost', hostaddr: '127.0.0.1', port: server.port };
    const target = { ...address, user: 'alice', password: PASSWORD, dbname: 'd', connect_timeout: 10, ...security };
    return PgClient.open({ ...target, ...more }, { env: {}, memory: new PgMemory(), tls: { ca: tls.ca }, ...options });
  }

  /** That a client which has asked two things fails with `code`, and leaves nothing behind. */
  async function expectFailure(
    script: PeerScript,
    link: LinkName,
    code: string,
    { proven = false, ...more }: { proven?: boolean } & Conninfo = {},
  ): Promise<ScriptedServer> {
    const server = await start(script, link);
    const client = open(server, link, more);
    const asked = [client.query('SELECT 1 AS n'), client.query('SELECT $1::int AS n', [2])];
    const errors = await Promise.all(asked.map(rejection));
    expect(errors.map((error) => error.code)).to.deep.equal([code, code]);
    expect((await rejection(client.ready).catch(() => undefined))?.code ?? code).to.equal(code);
    expect(await client.closed).to.have.property('code', code);
    await server.allClosed();
    const seen = server.seen.flat();
    if (link === 'plain' && !proven) expect(seen).to.not.include.members(['Query']).and.not.include.members(['Parse']);
    for (const { seen } of server.peers) for (const message of seen) expectNoPassword(message);
    return server;
  }

  function expectNoPassword(message: object): void {
    const bytes = 'body' in message ? (message.body as Buffer) : Buffer.alloc(0);
    expect(bytes.includes(PASSWORD)).to.equal(false);
  }

  for (const link of ['plain', 'verified'] as const) {
    describe(`link: ${link}`, () => {
      for (const [lie, script, code, proven] of LIES) {
        it(`${lie}: ${code || 'its error'}`, () => expectFailure(script, link, code, { proven: proven === 'proven' }));
      }

      it('ends, at each step: ERR_PG_CONNECTION_LOST', async () => {
        for (const [step, script, proven] of STEPS) {
          const ends: PeerScript = async (peer) => {
            await script(peer);
            peer.end();
          };
          const code = link === 'verified' && step === 'at once' ? 'ERR_PG_DIRECT_TLS' : 'ERR_PG_CONNECTION_LOST';
          await expectFailure(ends, link, code, { proven: proven === 'proven' });
        }
      });

      it('stops, at each step, or never comes to an end: ERR_PG_CONNECT_TIMEOUT', async () => {
        const scripts = [...STEPS, ...ENDLESS].map(([, script, proven]) =>
          expectFailure(script, link, 'ERR_PG_CONNECT_TIMEOUT', { proven: proven === 'proven', connect_timeout: 1 }),
        );
        await Promise.all(scripts);
      });
    });
  }

  it('many iterations are refused before they are computed', async () => {
    const script: PeerScript = async (peer) => {
      const { decodeSASLInitialResponse } = await import('../../../../src/codec/pg/index.js');
      await peer.receiveThe('StartupMessage');
      peer.send(SASL);
      const { body } = await peer.receiveThe('PasswordOrSASL');
      const nonce = /r=(.*)/.exec(String(decodeSASLInitialResponse(body).data))?.[1];
      peer.send({ name: 'AuthenticationSASLContinue', data: Buffer.from(`r=${nonce}x,s=AAAA,i=2147483647`) });
    };
    await expectFailure(script, 'plain', 'ERR_PG_SCRAM');
  });

  it('a server that lets everyone in gets no query where require_auth wants SCRAM', async () => {
    for (const link of ['plain', 'verified'] as const) {
      const server = await expectFailure(says(OK, READY), link, 'ERR_PG_AUTH_UNSUPPORTED', {
        require_auth: 'scram-sha-256',
      });
      expect(server.seen).to.deep.equal([['StartupMessage', 'PasswordOrSASL']]);
    }
  });

  it('parameters without end are refused', async () => {
    const parameters = forever((nth) => ({ name: 'ParameterStatus', parameter: `p${nth}`, value: 'x'.repeat(1000) }));
    for (const link of ['plain', 'verified'] as const) await expectFailure(parameters, link, 'ERR_PG_PROTOCOL');
  });

  it('a server that changes its mind each time is asked three times at most', async () => {
    const requests: BackendMessage[] = [
      { name: 'AuthenticationCleartextPassword' },
      { name: 'AuthenticationSASL', mechanisms: MECHANISMS },
      { name: 'AuthenticationMD5Password', salt: Buffer.alloc(4) },
    ];
    const script: PeerScript = async (peer) => {
      await peer.receive();
      peer.send(requests[peer.nth % 3] as BackendMessage);
    };
    const server = await start(script, 'verified');
    const client = open(server, 'verified', { connect_timeout: 1 });
    expect((await rejection(client.query('SELECT 1'))).code).to.equal('ERR_PG_CONNECT_TIMEOUT');
    expect(server.peers.length).to.equal(3);
    await server.allClosed();
  });

  it('the last of several BackendKeyData counts', async () => {
    const script: PeerScript = async (peer) => {
      if (peer.nth > 0) {
        await peer.receive();
        return peer.end();
      }
      await proveOneself(peer);
      peer.send(key(1), key(2), READY);
    };
    const server = await start(script, 'plain');
    const client = open(server, 'plain');
    await client.ready;
    await client.cancel();
    expect(server.peers[1]?.seen).to.deep.equal([
      { name: 'CancelRequest', processId: 2, secretKey: Buffer.alloc(4, 2) },
    ]);
    client.destroy();
    await server.allClosed();
  });

  it('an answer to no query ends the connection', async () => {
    const server = await start(afterwards(READY, READY), 'plain');
    const client = open(server, 'plain');
    expect(await client.closed).to.have.property('code', 'ERR_PG_PROTOCOL');
    await server.allClosed();
  });

  it('an empty answer to a query is a violation of the protocol', async () => {
    const server = await start(afterwards(READY, READY, READY), 'plain');
    const client = open(server, 'plain');
    const answers = [client.query('SELECT 1'), client.query('SELECT 2')].map((query: Promise<PgResult>) =>
      rejection(query),
    );
    for (const { code } of await Promise.all(answers)) expect(code).to.equal('ERR_PG_PROTOCOL');
    client.destroy();
    await server.allClosed();
  });

  it('a password function that never answers, or answers late, holds nothing', async () => {
    const script = says({ name: 'AuthenticationCleartextPassword' });
    const neverAnswered = async (speculate: boolean) => {
      const server = await start(script, 'verified');
      let answer: (password: string) => void = () => {};
      const password = () =>
        new Promise<string>((resolve) => {
          answer = resolve;
        });
      const client = open(
        server,
        'verified',
        { require_auth: 'password', connect_timeout: 1 },
        { password, speculate },
      );
      const asked = [client.ready, client.query('SELECT 1')];
      for (const { code } of await Promise.all(asked.map(rejection))) expect(code).to.equal('ERR_PG_CONNECT_TIMEOUT');
      answer(PASSWORD);
      await server.allClosed();
      expect(server.seen).to.deep.equal([speculate ? [] : ['StartupMessage']]);
    };
    await Promise.all([neverAnswered(true), neverAnswered(false)]);
  });

  it('target_session_attrs that are asked for and not answered end with connect_timeout', async () => {
    const server = await start(afterwards(READY), 'plain');
    const client = open(server, 'plain', { target_session_attrs: 'read-write', connect_timeout: 1 });
    expect((await rejection(client.query('SELECT 1'))).code).to.equal('ERR_PG_CONNECT_TIMEOUT');
    expect((await rejection(client.ready)).code).to.equal('ERR_PG_CONNECT_TIMEOUT');
    await server.allClosed();
  });

  it('one that drops who speaks before being asked is logged in to without', async () => {
    const script: PeerScript = async (peer) => {
      if (peer.nth === 0) {
        await peer.receiveThe('PasswordOrSASL');
        return peer.end();
      }
      await proveOneself(peer);
      peer.send(READY);
      await peer.receiveThe('Query');
      peer.send(...one);
    };
    for (const link of ['plain', 'verified'] as const) {
      const server = await start(script, link);
      const client = open(server, link);
      expect((await client.query('SELECT 1')).command).to.equal('SELECT');
      expect(server.peers.length).to.equal(2);
      client.destroy();
      await server.allClosed();
    }
  });

  it('one that drops who speaks as it did last time: the query fails, as it may have been executed; the habit is forgotten', async () => {
    const script: PeerScript = async (peer) => {
      const { body } = await peer.receiveThe('PasswordOrSASL');
      if (peer.nth === 2) return peer.end();
      peer.send({ name: 'AuthenticationCleartextPassword' });
      if (body.includes('SCRAM')) return;
      peer.send(OK, READY);
      await peer.receiveThe('Query');
      peer.send(...one);
    };
    const server = await start(script, 'verified');
    const memory = new PgMemory();
    const logIn = async () => {
      const client = open(server, 'verified', {}, { memory });
      try {
        return (await client.query('SELECT 1')).command;
      } catch (error) {
        return (error as PgError).code;
      } finally {
        client.destroy();
      }
    };
    expect([await logIn(), server.peers.length]).to.deep.equal(['SELECT', 2]);
    expect([await logIn(), server.peers.length]).to.deep.equal(['ERR_PG_CONNECTION_LOST', 3]);
    expect([await logIn(), server.peers.length]).to.deep.equal(['SELECT', 5]);
    await server.allClosed();
  });
});
