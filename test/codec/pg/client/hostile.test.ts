/**
 * Servers that lie after the login: at every place of every kind of call. Whatever comes, each promise settles, what it
 * settles with is right or a coded error, and the connection is ended where nothing that follows can be trusted.
 */
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import {
  type BackendMessage,
  DataRow,
  type PgClient,
  type PgClientOptions,
  PgError,
  PgServerError,
} from '../../../../src/codec/pg/index.js';
import { COPY, Liar, type Lie, ROW, ROWS } from './liar.js';
import { encoded } from './scripted-server.js';

/** Starts calls, and gives what each comes to. */
type Use = (client: PgClient) => Promise<unknown>[];

const USES: Readonly<Record<string, Use>> = {
  idle: () => [],
  'a simple query': (client) => [one(client)],
  'an extended query': (client) => [one(client, [])],
  'pipelined queries': (client) => [one(client), one(client, []), one(client), one(client, [])],
  'rows()': (client) => [gathered(client.rows('SELECT 1')), one(client)],
  'rows() that are left': (client) => [leaving(client), one(client)],
  'copyFrom()': (client) => {
    const copy = client.copyFrom('COPY t FROM STDIN');
    return [pipeline(Readable.from(['1\n']), copy).then(() => copy.rowCount), one(client)];
  },
  'copyTo()': (client) => [gathered(client.copyTo('COPY t TO STDOUT')), one(client)],
  'a transaction': (client) => [client.transaction((tx) => one(tx)), one(client)],
  'a transaction with parameters': (client) => [client.transaction((tx) => one(tx, [])), one(client)],
  'a prepared statement': (client) => {
    const statement = client.prepare('SELECT 1');
    return [statement.query().then(({ rows }) => rows), statement.close(), one(client)];
  },
  'listen()': (client) => {
    client.listen('c').subscribe({ error: () => {} });
    return [one(client)];
  },
};

function one(scope: Pick<PgClient, 'query'>, values?: unknown[]): Promise<unknown> {
  return scope.query('SELECT 1', values).then(({ rows }) => rows);
}

async function gathered(items: AsyncIterable<unknown>): Promise<string> {
  const all: unknown[] = [];
  for await (const item of items) all.push(Buffer.isBuffer(item) ? item.toString() : item);
  return JSON.stringify(all);
}

async function leaving(client: PgClient): Promise<void> {
  for await (const _ of client.rows('SELECT 1')) return;
}

const bytesOf = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');

/** Never allowed after the login, wherever it comes. */
const NEVER: Readonly<Record<string, Buffer>> = {
  'a message of no known type': bytesOf('21 00000004'),
  'a length of 3': bytesOf('44 00000003'),
  'a length below zero': bytesOf('44 ffffffff'),
  'a length over the limit': bytesOf('44 00100005'),
  CopyBothResponse: encoded({ name: 'CopyBothResponse', ...COPY }),
  AuthenticationOk: encoded({ name: 'AuthenticationOk' }),
  BackendKeyData: encoded({ name: 'BackendKeyData', processId: 2, secretKey: Buffer.alloc(4) }),
  'a ReadyForQuery too many': encoded({ name: 'ReadyForQuery', status: 'I' }),
  'a ReadyForQuery of no known status': bytesOf('5a 00000005 21'),
  'a DataRow that lies about its columns': bytesOf('44 00000008 0002 0000'),
  FunctionCallResponse: encoded({ name: 'FunctionCallResponse', value: null }),
};

/** Never allowed but in calls of the one kind. */
const ELSEWHERE: readonly { message: string; bytes: Buffer; kind: RegExp }[] = [
  { message: 'CopyData', bytes: encoded({ name: 'CopyData', data: Buffer.from('2\n') }), kind: /copy/ },
  { message: 'CopyDone', bytes: encoded({ name: 'CopyDone' }), kind: /copy/ },
  { message: 'PortalSuspended', bytes: encoded({ name: 'PortalSuspended' }), kind: /rows/ },
  { message: 'CloseComplete', bytes: encoded({ name: 'CloseComplete' }), kind: /rows|prepared/ },
];

/** Somewhere in the protocol's place, and elsewhere not: no promise may hang, nothing may crash. */
const SOMETIMES: Readonly<Record<string, Buffer>> = Object.fromEntries(
  (
    [
      ROWS,
      ROW,
      DataRow.of(['1', '2']),
      { name: 'CommandComplete', tag: 'SELECT 1' },
      { name: 'CommandComplete', tag: '' },
      { name: 'EmptyQueryResponse' },
      { name: 'ErrorResponse', fields: {} },
      { name: 'ErrorResponse', fields: { S: 'FATAL', V: 'FATAL', C: '57P01', M: 'bye' } },
      { name: 'CopyInResponse', ...COPY },
      { name: 'CopyOutResponse', ...COPY },
      { name: 'CopyData', data: Buffer.from('2\n') },
      { name: 'CopyDone' },
      { name: 'PortalSuspended' },
      { name: 'ParseComplete' },
      { name: 'BindComplete' },
      { name: 'CloseComplete' },
      { name: 'NoData' },
      { name: 'ParameterDescription', typeOids: [] },
    ] as BackendMessage[]
  ).map((message, nth) => [`${nth} ${message.name}`, encoded(message)]),
);

/** May come at any time, and change nothing. */
const ASIDES: Readonly<Record<string, Buffer>> = {
  'a NoticeResponse without fields': encoded({ name: 'NoticeResponse', fields: {} }),
  'a NotificationResponse for nobody': encoded({
    name: 'NotificationResponse',
    processId: 1,
    channel: 'nobody listens',
    payload: '',
  }),
  'a ParameterStatus': encoded({ name: 'ParameterStatus', parameter: '', value: '' }),
};

const OPTIONS: PgClientOptions = { limits: { messageBytes: 1024 * 1024, cancelTimeoutMs: 50, closeTimeoutMs: 50 } };
/** That something is not going to happen. */
const QUIET_MS = 30;
/** Within which everything has to happen. */
const SOON_MS = 3_000;
const AT_A_TIME = 100;

type Outcome = { value: unknown } | { error: unknown };

describe('PgClient with a server that lies after the login', function () {
  this.timeout(60_000);

  let liar: Liar;
  const honest = new Map<string, { outcomes: Outcome[]; said: BackendMessage['name'][] }>();
  const uncaught: unknown[] = [];
  const onUncaught = (error: unknown) => uncaught.push(error);

  before(async () => {
    process.on('unhandledRejection', onUncaught);
    process.on('warning', onUncaught);
    liar = await Liar.start();
    for (const [name, use] of Object.entries(USES)) {
      const { client, said } = liar.open(undefined, OPTIONS);
      await client.ready;
      const outcomes = await Promise.all(use(client).map(outcomeOf));
      await client.close();
      honest.set(name, { outcomes, said });
    }
  });

  after(async () => {
    await liar.stop();
    process.off('unhandledRejection', onUncaught);
    process.off('warning', onUncaught);
  });

  afterEach(async () => {
    await delay(0);
    expect(uncaught.splice(0)).to.deep.equal([]);
  });

  /**
   * What becomes of the calls, and the code of what ended the connection; `silent`: nothing did, within `patienceMs`.
   */
  async function told(name: string, lie: Lie, patienceMs: number): Promise<{ outcomes: Outcome[]; end: string }> {
    const { client } = liar.open(lie, OPTIONS);
    const what = `${name}, ${JSON.stringify({ ...lie, bytes: undefined })}`;
    try {
      await client.ready.catch(() => {});
      const all = Promise.all((USES[name] as Use)(client).map(outcomeOf));
      const closed = client.closed.then((error) => (error as PgError).code);
      const end = await Promise.race([closed, delay(patienceMs, 'silent')]);
      client.destroy();
      const outcomes = await soon(all, `${what}: a promise does not settle`);
      for (const outcome of outcomes) if ('error' in outcome) expectCoded(outcome.error, what);
      await soon(client.closed, `${what}: closed does not settle`);
      return { outcomes, end };
    } finally {
      client.destroy();
    }
  }

  function places(name: string): number[] {
    return Array.from({ length: (honest.get(name)?.said.length ?? 0) + 1 }, (_, at) => at);
  }

  function expectRightOrError(name: string, outcomes: Outcome[], what: string): void {
    outcomes.forEach((outcome, nth) => {
      if ('value' in outcome) expect(outcome, what).to.deep.equal(honest.get(name)?.outcomes[nth]);
    });
  }

  it('is told the truth, for comparison', () => {
    for (const [name, { outcomes }] of honest) {
      for (const outcome of outcomes) expect(outcome, name).to.have.property('value');
    }
    expect(honest.get('rows()')?.outcomes[0]).to.deep.equal({ value: '[{"n":1}]' });
    expect(honest.get('copyFrom()')?.outcomes[0]).to.deep.equal({ value: 1 });
    expect(honest.get('copyTo()')?.outcomes[0]).to.deep.equal({ value: '["1\\n"]' });
  });

  for (const name of Object.keys(USES)) {
    describe(name, () => {
      it('ends the connection at whatever may never come', async () => {
        await each(places(name), Object.entries(NEVER), async (at, [lie, bytes]) => {
          const what = `${lie} at ${at} of ${honest.get(name)?.said}`;
          const { outcomes, end } = await told(name, { type: 'insert', at, bytes }, SOON_MS);
          expect(end, what).to.be.oneOf(['ERR_PG_PROTOCOL', 'ERR_PG_MESSAGE_TOO_LONG']);
          expectRightOrError(name, outcomes, what);
        });
      });

      it('ends the connection at what belongs to another kind of call', async () => {
        const foreign = ELSEWHERE.filter(({ kind }) => !kind.test(name));
        await each(places(name), foreign, async (at, { message, bytes }) => {
          const { outcomes, end } = await told(name, { type: 'insert', at, bytes }, SOON_MS);
          expect(end, `${message} at ${at}`).to.equal('ERR_PG_PROTOCOL');
          expectRightOrError(name, outcomes, `${message} at ${at}`);
        });
      });

      it('settles, whatever comes out of its place', async () => {
        await each(places(name), Object.entries(SOMETIMES), async (at, [, bytes]) => {
          await told(name, { type: 'insert', at, bytes }, QUIET_MS);
        });
      });

      it('takes asides anywhere', async () => {
        await each(places(name), Object.entries(ASIDES), async (at, [aside, bytes]) => {
          const { client } = liar.open({ type: 'insert', at, bytes }, OPTIONS);
          await client.ready;
          const outcomes = await Promise.all((USES[name] as Use)(client).map(outcomeOf));
          expect(outcomes, `${aside} at ${at}`).to.deep.equal(honest.get(name)?.outcomes);
          await client.close();
        });
      });

      it('settles, whatever is said twice or not at all', async () => {
        await each(places(name).slice(0, -1), ['drop', 'repeat'] as const, async (at, type) => {
          await told(name, { type, at }, QUIET_MS);
        });
      });

      it('says that the connection is lost, wherever in a message it ends', async () => {
        await each(places(name).slice(0, -1), [0, 1, 3, 5, 6], async (at, length) => {
          const { outcomes, end } = await told(name, { type: 'cut', at, length, followedBy: 'end' }, SOON_MS);
          const what = `cut at byte ${length} of message ${at} of ${honest.get(name)?.said}`;
          expect(end, what).to.equal('ERR_PG_CONNECTION_LOST');
          expectRightOrError(name, outcomes, what);
        });
      });

      it('can be destroyed, wherever in a message silence falls', async () => {
        await each(places(name).slice(0, -1), [0, 1, 3, 5, 6], async (at, length) => {
          const { outcomes } = await told(name, { type: 'cut', at, length, followedBy: 'silence' }, QUIET_MS);
          expectRightOrError(name, outcomes, `silence from byte ${length} of message ${at}`);
        });
      });
    });
  }
});

/** Every pair, so many at a time. */
async function each<A, B>(as: readonly A[], bs: readonly B[], run: (a: A, b: B) => Promise<void>): Promise<void> {
  const pairs = as.flatMap((a) => bs.map((b) => [a, b] as const));
  while (pairs.length > 0) await Promise.all(pairs.splice(0, AT_A_TIME).map(([a, b]) => run(a, b)));
}

async function outcomeOf(promise: Promise<unknown>): Promise<Outcome> {
  try {
    return { value: await promise };
  } catch (error) {
    return { error };
  }
}

function expectCoded(error: unknown, what: string): void {
  if (!(error instanceof PgError) && !(error instanceof PgServerError)) {
    throw new Error(`${what}: neither PgError nor PgServerError`, { cause: error });
  }
}

async function soon<T>(promise: Promise<T>, otherwise: string): Promise<T> {
  const timer = new AbortController();
  const late = delay(SOON_MS, undefined, { signal: timer.signal }).then(() => Promise.reject(new Error(otherwise)));
  late.catch(() => {});
  try {
    return await Promise.race([promise, late]);
  } finally {
    timer.abort();
  }
}
