/** Every way of logging in × every kind of server × every speculation: commands run once, as who was asked for, or not at all. */
import { expect } from 'chai';
import { firstValueFrom } from 'rxjs';
import type { RedisClientOptions, Speculation } from '../../../../src/codec/redis/index.js';
import { RedisServerError } from '../../../../src/codec/redis/index.js';
import { type Transport, tcpTransport } from '../../../../src/transport.js';
import type { RedisOptions } from '../../../servers/index.js';
import { closeAll, connect, open, redisServer, rejection, SERVER_TIMEOUT_MS, serve, urlOf } from './support.js';

const ALICE = 'alice on >secret ~* &* +@all';
/** As ACL SETUSER makes users since Redis 7: without channels. */
const BOB = 'bob on >secret ~* resetchannels +@all';
const ADMIN = 'admin on >admin ~* &* +@all';
const NO_HELLO = 'rename-command HELLO ""';
const SPECULATIONS: readonly Speculation[] = ['guarded', 'always', 'never'];

type Who = Pick<RedisClientOptions, 'username' | 'password' | 'protocol' | 'db'>;

interface Kind {
  name: string;
  server: RedisOptions;
  /** Logins that succeed, and as whom. */
  good: [as: string, who: Who][];
  /** Logins that fail, and with what. */
  bad: [code: string, who: Who][];
}

const open_: [string, Who][] = [
  ['default', {}],
  ['default', { password: 'whatever' }],
  ['alice', { username: 'alice', password: 'secret' }],
  ['bob', { username: 'bob', password: 'secret' }],
];
const badUsers: [string, Who][] = [
  ['WRONGPASS', { username: 'alice', password: 'wrong' }],
  ['WRONGPASS', { username: 'nobody', password: 'secret' }],
];

const KINDS: Kind[] = [
  { name: 'no password', server: { acl: [ALICE, BOB, ADMIN] }, good: open_, bad: badUsers },
  { name: 'no password, no HELLO', server: { acl: [ALICE, BOB, ADMIN], args: [NO_HELLO] }, good: open_, bad: badUsers },
  {
    name: 'password',
    server: { password: 'pw', acl: [ALICE, BOB, ADMIN] },
    good: [['default', { password: 'pw' }], ...open_.slice(2)],
    bad: [['WRONGPASS', { password: 'wrong' }], ['NOAUTH', {}], ...badUsers],
  },
  {
    name: 'password, no HELLO',
    server: { password: 'pw', acl: [ALICE, BOB, ADMIN], args: [NO_HELLO] },
    good: [['default', { password: 'pw' }], ...open_.slice(2)],
    bad: [['WRONGPASS', { password: 'wrong' }], ...badUsers],
  },
];

describe('codec/redis/client: login', function () {
  this.timeout(SERVER_TIMEOUT_MS);
  afterEach(closeAll);

  for (const { name, server: options, good, bad } of KINDS) {
    describe(`a server with ${name}`, () => {
      const server = redisServer(options);

      /** What the server has counted, by a way in of its own. */
      async function countOf(key: string, db = 0): Promise<number> {
        const admin = open(urlOf(server.it), { username: 'admin', password: 'admin', speculate: 'never', db });
        const count = Number(await admin.command('GET', key));
        await admin.close();
        return count;
      }

      for (const speculate of SPECULATIONS) {
        for (const protocol of [3, 2] as const) {
          for (const db of [0, 2]) {
            const how = `speculate ${speculate}, protocol ${protocol}, db ${db}`;
            it(`${how}: commands run once, in their order, as who was asked for`, async () => {
              for (const [as, who] of good) {
                const key = `${how} ${JSON.stringify(who)}`;
                const client = open(urlOf(server.it), { ...who, speculate, protocol, db, clientName: 'tester' });
                const replies = await Promise.all([
                  client.command('INCR', key),
                  client.command('INCR', key),
                  client.transaction([
                    ['INCR', key],
                    ['INCR', key],
                  ]),
                  client.command('PING'),
                  client.command('ACL', 'WHOAMI'),
                ]);
                expect(replies, key).to.deep.equal([1, 2, [3, 4], 'PONG', as]);
                expect(await client.command('CLIENT', 'GETNAME')).to.equal('tester');
                expect(await client.command('CLIENT', 'INFO')).to.match(new RegExp(` db=${db} sub=0 psub=0 `));
                await client.close();
                expect(await countOf(key, db), key).to.equal(4);
              }
            });
          }
        }

        for (const protocol of [3, 2] as const) {
          // With 'always' and RESP2, what follows a failed AUTH of a user runs as `default`: that is what it says.
          if (speculate === 'always' && protocol === 2) continue;
          it(`speculate ${speculate}, protocol ${protocol}: a login that fails runs nothing`, async () => {
            for (const [code, who] of bad) {
              if (code === 'NOAUTH' && protocol === 2) continue; // nothing to log in with: each command fails by itself
              const key = `bad ${speculate} ${protocol} ${JSON.stringify(who)}`;
              const client = open(urlOf(server.it), { ...who, speculate, protocol });
              const commands = [client.command('INCR', key), client.transaction([['INCR', key]]), client.ready];
              for (const command of commands) {
                const error = await rejection(command);
                expect(error, key).to.be.instanceOf(RedisServerError).with.property('code', code);
              }
              expect(client.state.name).to.equal('closed');
              expect((await rejection(client.command('PING'))).code).to.equal('ERR_REDIS_CLOSED');
              expect(await countOf(key), key).to.equal(0);
            }
          });
        }
      }

      it('a database that there is not: nothing runs in another', async () => {
        for (const speculate of ['guarded', 'never'] as const) {
          const [, who] = good.at(-1) as [string, Who];
          const client = open(urlOf(server.it), { ...who, db: 99, speculate });
          const error = await rejection(client.command('SET', 'stray', 1));
          expect(error.message).to.equal('ERR DB index is out of range');
          expect(await countOf('stray')).to.equal(0);
        }
      });

      it('a password that is made for each connection', async () => {
        let made = 0;
        const password = async () => {
          made++;
          return 'secret';
        };
        const who = { username: 'alice', password, limits: { reconnectMinMs: 1 } };
        const client = await connect(urlOf(server.it), who);
        const id = Number(await client.command('CLIENT', 'ID'));
        const admin = await connect(urlOf(server.it), { username: 'admin', password: 'admin' });
        const lost = firstValueFrom(client.errors$);
        await admin.command('CLIENT', 'KILL', 'ID', id);
        await lost;
        expect(await client.command('ACL', 'WHOAMI')).to.equal('alice');
        expect(made).to.equal(2);
      });
    });
  }

  it('a password function that fails, or gives no text', async () => {
    const url = await serve(() => {});
    const failure = new Error('no token');
    const client = open(url, {
      password: () => {
        throw failure;
      },
    });
    expect(await rejection(client.ready)).to.equal(failure);
    const odd = open(url, { password: (() => 5) as never });
    expect((await rejection(odd.ready)).code).to.equal('ERR_REDIS_BAD_OPTION');
  });

  it('a connection that is reset while the password is awaited: commands are unsent', async () => {
    let reset: (() => void) | undefined;
    const url = await serve((socket) => {
      reset = () => socket.resetAndDestroy();
    });
    const password = async () => {
      while (!reset) await new Promise((resolve) => setTimeout(resolve, 5));
      reset();
      await new Promise((resolve) => setTimeout(resolve, 50));
      return 'pw';
    };
    const client = open(url, { password });
    expect(await rejection(client.command('PING'))).to.include({ code: 'ERR_REDIS_CONNECTION_LOST', retryable: true });
    expect((await rejection(client.ready)).code).to.equal('ECONNRESET');
  });

  it('a password that never comes: the connection times out, and is closed', async () => {
    const closed: Promise<unknown>[] = [];
    const url = await serve((socket) => {
      closed.push(new Promise((resolve) => socket.resume().once('close', resolve)));
    });
    const client = open(url, { password: () => new Promise(() => {}), connectTimeoutMs: 50 });
    expect((await rejection(client.ready)).code).to.equal('ERR_REDIS_CONNECT_TIMEOUT');
    await Promise.all(closed);
    expect(closed).to.have.lengthOf(1);
  });

  it('a server that is full: what went out early is kept, for it was not read', async () => {
    let connections = 0;
    const url = await serve((socket) => {
      if (++connections === 1) socket.end('-ERR max number of clients reached\r\n');
      else socket.once('data', () => socket.write('%0\r\n-ERR no\r\n-ERR no\r\n:1\r\n'));
    });
    const client = open(url, { connectAttempts: 2, limits: { reconnectMinMs: 1 } });
    expect(await client.command('INCR', 'x')).to.equal(1);
    expect(connections).to.equal(2);
  });

  describe('the first flight', () => {
    const server = redisServer({ acl: [ALICE] });

    /** What each write of the client holds, as the names of its commands. */
    async function flights(options: RedisClientOptions): Promise<string[]> {
      const writes: string[] = [];
      const transport: Transport = async (address, dialOptions) => {
        const stream = await tcpTransport()(address, dialOptions);
        const write = stream.write.bind(stream) as (chunk: Buffer) => boolean;
        stream.write = ((chunk: Buffer) => {
          writes.push([...chunk.toString().matchAll(/\*\d+\r\n\$\d+\r\n(\w+)/g)].map(([, name]) => name).join(' '));
          return write(chunk);
        }) as typeof stream.write;
        return stream;
      };
      const client = open(urlOf(server.it), { ...options, transport });
      await Promise.all([client.command('SET', 'k', 1), client.command('GET', 'k')]);
      await client.close();
      return writes;
    }

    it('holds the login and the first commands', async () => {
      expect(await flights({})).to.deep.equal(['HELLO CLIENT CLIENT SET GET']);
      expect(await flights({ password: 'pw' })).to.deep.equal(['HELLO CLIENT CLIENT SET GET']);
      expect(await flights({ db: 1, speculate: 'always' })).to.deep.equal(['HELLO CLIENT CLIENT SELECT SET GET']);
      expect(await flights({ protocol: 2, password: 'pw' })).to.deep.equal(['AUTH CLIENT CLIENT SET GET']);
    });

    it('holds a guard where the login is that of another user than default', async () => {
      expect(await flights({ username: 'alice', password: 'secret' })).to.deep.equal([
        'HELLO SUBSCRIBE CLIENT CLIENT SET GET',
        'UNSUBSCRIBE',
      ]);
    });

    it('holds the login alone where commands would run if it failed', async () => {
      expect(await flights({ db: 1 })).to.deep.equal(['HELLO CLIENT CLIENT SELECT', 'SET GET']);
      expect(await flights({ speculate: 'never' })).to.deep.equal(['HELLO CLIENT CLIENT', 'SET GET']);
      const who = { username: 'alice', password: 'secret', protocol: 2 } as const;
      expect(await flights(who)).to.deep.equal(['AUTH CLIENT CLIENT', 'SET GET']);
    });
  });
});
