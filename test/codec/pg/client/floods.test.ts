/** Servers that never stop, or never say what is waited for: memory stays bounded, and time limits hold. */
import { once } from 'node:events';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import {
  type BackendMessage,
  DataRow,
  PgClient,
  type PgClientOptions,
  PgMemory,
} from '../../../../src/codec/pg/index.js';
import { collectGarbage, memoryInUse } from '../../../support/garbage.js';
import { ROW, ROWS } from './liar.js';
import { encoded, type Peer, ScriptedServer } from './scripted-server.js';
import { rejection } from './support.js';

const MiB = 1024 * 1024;
/** How much a server sends, if somebody takes it, and how much of that may be kept. */
const FLOOD_BYTES = 64 * MiB;
const KEPT_BYTES = 16 * MiB;

const READY: BackendMessage = { name: 'ReadyForQuery', status: 'I' };
const ONE = [ROWS, ROW, { name: 'CommandComplete', tag: 'SELECT 1' }, READY] as BackendMessage[];

describe('PgClient with a server that never stops, or never answers', function () {
  this.timeout(30_000);

  const clients: PgClient[] = [];
  const servers: ScriptedServer[] = [];

  afterEach(async () => {
    for (const client of clients.splice(0)) {
      client.destroy();
      await client.closed;
    }
    for (const server of servers.splice(0)) {
      await server.allClosed();
      await server.stop();
    }
  });

  /** A client that is logged in; `script` goes on from there, and `onCancel` has the connections of CancelRequests. */
  async function connect(
    script: (peer: Peer) => unknown,
    options: PgClientOptions = {},
    onCancel: (peer: Peer) => unknown = () => {},
  ): Promise<{ client: PgClient; server: ScriptedServer }> {
    const server = await ScriptedServer.start(async (peer) => {
      if ((await peer.receive()).name === 'CancelRequest') return onCancel(peer);
      const key: BackendMessage = { name: 'BackendKeyData', processId: 1, secretKey: Buffer.alloc(4) };
      peer.send({ name: 'AuthenticationOk' }, key, READY);
      return script(peer);
    });
    servers.push(server);
    const target = { host: '127.0.0.1', port: server.port, user: 'u', sslmode: 'disable' as const };
    const client = await PgClient.connect(target, { env: {}, memory: new PgMemory(), ...options });
    clients.push(client);
    return { client, server };
  }

  /** Sends it until so many bytes were taken, or the client goes. @returns bytes that were taken */
  async function flood(peer: Peer, message: (nth: number) => BackendMessage): Promise<number> {
    let sent = 0;
    for (let nth = 0; sent < FLOOD_BYTES && !peer.isGone; ) {
      const batch = Array.from({ length: 100 }, () => message(nth++));
      const bytes = encoded(...batch);
      peer.sendBytes(bytes);
      await peer.drained();
      sent += bytes.length;
    }
    return sent;
  }

  for (const [aside, message] of [
    ['NoticeResponse', () => ({ name: 'NoticeResponse', fields: { M: 'n'.repeat(10_000) } })],
    [
      'NotificationResponse',
      (n) => ({ name: 'NotificationResponse', processId: n, channel: `c${n}`, payload: 'p'.repeat(7000) }),
    ],
    [
      'ParameterStatus of one parameter',
      (n) => ({ name: 'ParameterStatus', parameter: 'p', value: `${n}`.padEnd(9000) }),
    ],
  ] as [string, (nth: number) => BackendMessage][]) {
    it(`keeps nothing of a flood of ${aside}, and goes on`, async () => {
      const { client } = await connect(async (peer) => {
        await peer.receiveThe('Query');
        await flood(peer, message);
        peer.send(...ONE);
      });
      const before = memoryInUse();
      expect((await client.query('SELECT 1')).rows).to.deep.equal([{ n: 1 }]);
      expect(memoryInUse() - before).to.be.below(KEPT_BYTES);
    });
  }

  it('ends the connection of a server that reports ever more parameters', async () => {
    const { client } = await connect((peer) =>
      flood(peer, (n) => ({ name: 'ParameterStatus', parameter: `p${n}`, value: 'v'.repeat(1000) })),
    );
    expect(await client.closed).to.have.property('code', 'ERR_PG_PROTOCOL');
    expect(client.parameters.size).to.be.below(300);
  });

  it('takes no more rows than it may hold for a reader that stands still', async () => {
    let taken = 0;
    const { client } = await connect(async (peer) => {
      await peer.receiveThe('Flush');
      peer.send({ name: 'ParseComplete' }, { name: 'BindComplete' }, ROWS);
      taken = -1;
      taken = await Promise.race([flood(peer, () => DataRow.of(['1'.padEnd(10_000)])), delay(1_000, -1)]);
    });
    const before = memoryInUse();
    const rows = client.rows('SELECT 1');
    await rows.next();
    await delay(1_200);
    expect(taken).to.equal(-1);
    expect(memoryInUse() - before).to.be.below(KEPT_BYTES);
  });

  it('takes no more of a COPY than it may hold for a reader that stands still', async () => {
    let taken = -1;
    const { client } = await connect(async (peer) => {
      await peer.receiveThe('Query');
      peer.send({ name: 'CopyOutResponse', format: 0, columnFormats: [] });
      taken = await flood(peer, () => ({ name: 'CopyData', data: Buffer.alloc(10_000) }));
    });
    const before = memoryInUse();
    const copy = client.copyTo('COPY t TO STDOUT');
    await once(copy, 'readable');
    copy.read();
    await delay(500);
    expect(taken).to.equal(-1);
    expect(memoryInUse() - before).to.be.below(KEPT_BYTES);
    copy.on('error', () => {}).destroy();
  });

  it('ends the connection at lies that come together with the login', async () => {
    const lies = [encoded(READY), encoded(ROW), Buffer.from('2100000004', 'hex'), Buffer.from('4400000003', 'hex')];
    for (const lie of lies) {
      const server = await ScriptedServer.start(async (peer) => {
        await peer.receive();
        peer.sendBytes(Buffer.concat([encoded({ name: 'AuthenticationOk' }, READY), lie]));
      });
      servers.push(server);
      const target = { host: '127.0.0.1', port: server.port, user: 'u', sslmode: 'disable' as const };
      const client = PgClient.open(target, { env: {}, memory: new PgMemory() });
      clients.push(client);
      const errors = await Promise.all([client.ready, client.query('SELECT 1')].map(rejection));
      expect([...errors, await client.closed].map((error) => (error as { code?: string }).code)).to.deep.equal(
        new Array(3).fill('ERR_PG_PROTOCOL'),
      );
    }
  });

  it('gives up on a server that never answers: each query by its timeout, sent once at most', async () => {
    const { client, server } = await connect(() => {}, { queryTimeoutMs: 50, limits: { cancelTimeoutMs: 50 } });
    const queries = [1, 2, 3].map((n) => client.query(`SELECT ${n}`));
    const errors = await Promise.all(queries.map(rejection));
    for (const error of errors) expect(error.code).to.equal('ERR_PG_QUERY_TIMEOUT');
    await delay(100);
    const sent = server.peers.flatMap(({ seen }) => seen).filter(({ name }) => name === 'Query');
    expect(sent).to.deep.equal([{ name: 'Query', query: 'SELECT 1' }]);
  });

  it('goes on within cancelTimeoutMs where a CancelRequest is never answered', async () => {
    const { client, server } = await connect(
      async (peer) => {
        await peer.receiveThe('Query');
        await delay(100);
        peer.send({ name: 'ErrorResponse', fields: { V: 'ERROR', C: '57014', M: 'canceled' } }, READY);
        await peer.receiveThe('Query');
        peer.send(...ONE);
      },
      { limits: { cancelTimeoutMs: 300 } },
    );
    const cancelled = client.query('SELECT 0', undefined, { timeoutMs: 20 });
    const behind = client.query('SELECT 1');
    const collecting = setInterval(collectGarbage, 50); // nothing that ends it may be lost to that
    try {
      expect((await rejection(cancelled)).code).to.equal('ERR_PG_QUERY_TIMEOUT');
      expect((await behind).rows).to.deep.equal([{ n: 1 }]);
    } finally {
      clearInterval(collecting);
    }
    expect(server.peers.length).to.equal(2);
    expect(server.peers[1]?.isGone).to.equal(true);
  });

  it('has cancel() end with an error of the connection, at the latest when that is destroyed', async () => {
    const { client } = await connect((peer) => peer.receiveThe('Query'));
    const running = rejection(client.query('SELECT 1'));
    const cancelling = client.cancel();
    await delay(50);
    client.destroy();
    expect((await running).code).to.equal('ERR_PG_CLOSED');
    await cancelling.catch((error) => expect(error).to.have.property('code', 'ERR_PG_CLOSED'));
  });

  it('closes within closeTimeoutMs where the server does not end the connection', async () => {
    const { client, server } = await connect((peer) => peer.receiveThe('Query'), { limits: { closeTimeoutMs: 50 } });
    await client.close();
    await server.allClosed();
  });

  it('does not hold a FATAL without an end against what comes after', async () => {
    const { client } = await connect(async (peer) => {
      await peer.receiveThe('Query');
      peer.send({ name: 'ErrorResponse', fields: { S: 'ERROR', C: '42601', M: 'no severity in V' } }, READY);
      await peer.receiveThe('Query');
      peer.end();
    });
    expect((await rejection(client.query('SELECT'))).code).to.equal('42601');
    const lost = await rejection(client.query('SELECT 1'));
    expect(lost).to.have.property('code', 'ERR_PG_CONNECTION_LOST');
    expect(lost.message).to.not.include('severity');
  });
});
