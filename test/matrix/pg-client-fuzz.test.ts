/**
 * Matrix item 2, the PostgreSQL client: a relay in front of a real server that cuts what the server says into pieces of
 * any size, and one that changes it. Cut, all is as it was. Changed, every call still settles in time, with a value or
 * a coded error; nothing is executed twice; the client can be closed, and nothing of it is left.
 *
 * TURBOTLS_COUNT sets how many connections are spoiled, TURBOTLS_SEED how.
 */
import { connect, type Socket } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay, setImmediate as turn } from 'node:timers/promises';
import { expect } from 'chai';
import { PgClient, type PgClientOptions, PgError, PgMemory, PgServerError } from '../../src/codec/pg/index.js';
import { LoopbackServer } from '../codec/pg/client/loopback-server.js';
import { type PostgresServer, requirePart, startPostgres } from '../servers/index.js';
import { Random } from '../simulator/random.js';
import { memoryInUse } from '../support/garbage.js';
import { announceSeed, byForm, isLong, seed } from './support.js';

const SIZES = byForm({ short: [1, 2, 3, 4, 5, 7, 13, 31, 64], long: Array.from({ length: 64 }, (_, n) => n + 1) });
const COUNT = Number(process.env.TURBOTLS_COUNT ?? byForm({ short: 80, long: 50_000 }));
const AT_A_TIME = 20;
const QUERY_TIMEOUT_MS = 250;
/** From the last call on; everything is over by then. */
const OVER_MS = 5_000;
const GROWTH_MAX = 32 * 1024 * 1024;
/** Longer than all that the server says to one client. */
const ANSWER_BYTES = 4_000;

/** Passes on what the server says, or what becomes of it. */
type Relay = (server: Socket, client: Socket) => Promise<unknown>;

type Damage = (bytes: Buffer, random: Random) => Buffer | 'end' | 'silence';

const DAMAGES: readonly Damage[] = [
  (bytes, random) => flipped(bytes, random),
  (bytes, random) => flipped(bytes, random),
  (bytes, random) => bytes.subarray(1 + random.int(9)),
  (bytes, random) => Buffer.concat([bytes.subarray(0, 1 + random.int(60)), bytes]),
  (bytes, random) => Buffer.concat([random.bytes(1 + random.int(9)), bytes]),
  () => 'end',
  () => 'silence',
];

function flipped(bytes: Buffer, random: Random): Buffer {
  const copy = Buffer.from(bytes);
  copy[0] = (copy[0] as number) ^ (1 << random.int(8));
  return copy;
}

function inPieces(size: number): Relay {
  return async (server, client) => {
    for await (const chunk of server as AsyncIterable<Buffer>) {
      for (let at = 0; at < chunk.length; at += size) {
        client.write(chunk.subarray(at, at + size));
        await turn();
      }
    }
  };
}

/** One damage, somewhere. */
function spoiled(random: Random): Relay {
  const at = random.int(ANSWER_BYTES);
  const damage = random.pick(DAMAGES);
  return async (server, client) => {
    let passed = 0;
    for await (const chunk of server as AsyncIterable<Buffer>) {
      const before = at - passed;
      passed += chunk.length;
      if (before < 0 || before >= chunk.length) {
        client.write(chunk);
        continue;
      }
      client.write(chunk.subarray(0, before));
      const rest = damage(chunk.subarray(before), random);
      if (rest === 'end') return client.end();
      if (rest === 'silence') return new Promise((resolve) => client.once('close', resolve));
      client.write(rest);
    }
    return client.end();
  };
}

/** Calls of every kind, made at once; `mark` is of this connection. */
function calls(client: PgClient, mark: number): Promise<unknown>[] {
  const insert = 'INSERT INTO executed VALUES ($1, $2)';
  const statement = client.prepare('SELECT $1::int + 1 AS n');
  return [
    client.query('CREATE TEMP TABLE copied (n int)').then(({ command }) => command),
    client.query(`INSERT INTO executed VALUES (${mark}, 1)`).then(({ rowCount }) => rowCount),
    client.query(insert, [mark, 2]).then(({ rowCount }) => rowCount),
    client.execute('SELECT 1 AS a; SELECT 2 AS b, NULL AS c').then((results) => results.map(({ rows }) => rows)),
    client
      .query("SELECT 1.5::float8, 'text', '\\x00ff'::bytea, '{1,2}'::int[], '{\"a\":1}'::jsonb, now() > $1", [
        new Date(0),
      ])
      .then(({ rows }) => JSON.stringify(rows)),
    rejected(client.query('SELECT 1/0')),
    rejected(client.query('SELECT nonsense', [])),
    statement.query([1]).then(({ rows }) => rows),
    statement.query([2]).then(({ rows }) => rows),
    all(client.rows('SELECT n FROM generate_series(1, 7) n', [], { fetchRows: 3 })),
    client.transaction(async (tx) => {
      await tx.query(insert, [mark, 3]);
      return (await tx.query('SELECT 3 AS n')).rows;
    }),
    rejected(
      client.transaction(async (tx) => {
        await tx.query(`INSERT INTO executed VALUES (${mark}, 4)`);
        await tx.query('nonsense');
      }),
    ),
    copyFrom(client),
    all(client.copyTo('COPY (SELECT n FROM generate_series(1, 3) n) TO STDOUT').setEncoding('utf8')).then(joined),
    statement.close(),
    client.query('SELECT 4 AS n').then(({ rows }) => rows),
  ];
}

async function rejected(promise: Promise<unknown>): Promise<string> {
  try {
    await promise;
  } catch (error) {
    if (error instanceof PgServerError) return error.code;
    throw error;
  }
  return 'not rejected';
}

async function all(items: AsyncIterable<unknown>): Promise<string> {
  const gathered: unknown[] = [];
  for await (const item of items) gathered.push(item);
  return JSON.stringify(gathered);
}

/** Chunks have no boundaries of their own. */
function joined(json: string): string {
  return (JSON.parse(json) as string[]).join('');
}

async function copyFrom(client: PgClient): Promise<number | null> {
  const copy = client.copyFrom('COPY copied FROM STDIN');
  await pipeline(Readable.from(['1\n', '2\n']), copy);
  return copy.rowCount;
}

describe('matrix item 2: the PostgreSQL client and what comes of a server', function () {
  this.timeout(isLong ? 7_200_000 : 60_000);
  announceSeed();

  let server: PostgresServer;
  let relay: LoopbackServer;
  /** Of the next connection. */
  let next = (): Relay => inPieces(65_536);
  let expected: unknown[];
  let marks = 0;
  const upstream = new Set<Socket>();

  before(async function () {
    requirePart(this, 'postgresql-18');
    server = await startPostgres({ version: 18 });
    await server.sql('CREATE TABLE executed (mark int, step int)');
    relay = await LoopbackServer.start((client) => void pass(client, next()).catch(() => client.destroy()));
    const client = open();
    expected = await Promise.all(calls(client, marks++));
    await client.close();
  });

  after(async () => {
    await relay?.stop();
    for (const socket of upstream) socket.destroy();
    await server?.stop();
  });

  async function pass(client: Socket, how: Relay): Promise<void> {
    const dialled = connect({ host: server.host, port: server.port });
    upstream.add(dialled);
    dialled.on('error', () => client.destroy());
    dialled.once('close', () => upstream.delete(dialled));
    client.on('close', () => dialled.destroy());
    client.on('data', (chunk: Buffer) => dialled.write(chunk));
    client.setNoDelay(true);
    await how(dialled, client);
  }

  function open(options: PgClientOptions = {}): PgClient {
    const { superuser } = server;
    const target = { host: '127.0.0.1', port: relay.port, ...superuser, dbname: 'postgres' };
    return PgClient.open(
      { ...target, connect_timeout: 1, sslmode: 'disable' },
      { env: {}, memory: new PgMemory(), ...options },
    );
  }

  it('gives what it would give at once, whatever the pieces in which it comes', async () => {
    const memory = new PgMemory();
    for (const size of SIZES) {
      next = () => inPieces(size);
      const client = open({ memory });
      expect(await Promise.all(calls(client, marks++)), `pieces of ${size}`).to.deep.equal(expected);
      await client.close();
    }
  });

  it('settles every call, whatever becomes of what the server says', async () => {
    const random = new Random(`${seed} pg client`);
    next = () => spoiled(random.fork(relay.connections));
    const memory = new PgMemory();
    const begun = memoryInUse();
    const tally = { right: 0, other: 0, errors: 0, connections: 0 };
    while (tally.connections < COUNT) {
      const batch = Array.from({ length: AT_A_TIME }, () => spoil(memory, tally));
      await Promise.all(batch);
    }
    console.log(`      ${JSON.stringify(tally)}`);
    expect(tally.right).to.be.above(COUNT);
    expect(tally.errors).to.be.above(COUNT);
    expect(memoryInUse() - begun).to.be.below(GROWTH_MAX);
    const twice = 'SELECT mark, step FROM executed GROUP BY mark, step HAVING count(*) > 1';
    expect(await server.sql(twice)).to.deep.equal([]);
    await relay.allClosed();
  });

  async function spoil(
    memory: PgMemory,
    tally: { right: number; other: number; errors: number; connections: number },
  ): Promise<void> {
    const mark = marks++;
    tally.connections++;
    const client = open({
      memory,
      queryTimeoutMs: QUERY_TIMEOUT_MS,
      limits: { cancelTimeoutMs: 50, closeTimeoutMs: 50 },
    });
    const settling = Promise.allSettled([client.ready, ...calls(client, mark)]);
    const closing = client.close();
    const done = new AbortController();
    void delay(QUERY_TIMEOUT_MS * 4, undefined, { signal: done.signal }).then(
      () => client.destroy(),
      () => {},
    );
    const late = delay(OVER_MS, 'late' as const, { signal: done.signal }).catch(() => 'late' as const);
    const outcomes = await Promise.race([settling, late]);
    if (outcomes === 'late') throw new Error(`connection ${mark} has calls that do not settle`);
    expect(await Promise.race([closing.then(() => 'closed'), late]), `connection ${mark}`).to.equal('closed');
    done.abort();
    outcomes.slice(1).forEach((outcome, nth) => {
      if (outcome.status === 'rejected') {
        tally.errors++;
        expectCoded(outcome.reason);
      } else if (JSON.stringify(outcome.value) === JSON.stringify(expected[nth])) {
        tally.right++;
      } else {
        tally.other++; // changed where only a checksum could tell
      }
    });
  }
});

function expectCoded(error: unknown): void {
  const isOurs = error instanceof PgError || error instanceof PgServerError;
  if (!isOurs) throw new Error('neither PgError nor PgServerError', { cause: error });
}
