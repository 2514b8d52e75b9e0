/** How cases take turns, and what becomes of those that fail. Cases in memory: the clients have tests of their own. */
import { once } from 'node:events';
import { expect } from 'chai';
import type { Case, Missing, Prepared, Target } from '../../src/compare/case.js';
import { type MeasureOptions, measure, type Progress, sampleOnce } from '../../src/compare/measure.js';
import type { CaseResult, Sample } from '../../src/compare/model.js';

const target: Target = { group: 'echo', address: { host: '127.0.0.1', port: 1 }, serverName: 'localhost' };
const TIMEOUT_MS = 5_000;

/** What happened, in its order: 'a' for a connection of a, 'a closed'. */
let log: string[];

function take(id: string): Sample {
  log.push(id);
  return { ms: log.length, phases: [] };
}

function makeCase(
  id: string,
  once: Prepared['once'] = async () => take(id),
  more: Partial<Prepared> & { prepare?: (signal: AbortSignal) => Promise<Prepared | Missing> } = {},
): Case {
  const { prepare, ...rest } = more;
  const close = async () => {
    log.push(`${id} closed`);
  };
  const prepared: Prepared = { once, close, ...rest };
  return {
    id,
    title: id.toUpperCase(),
    group: 'echo',
    reference: 'a',
    prepare: (_target, signal) => prepare?.(signal) ?? Promise.resolve(prepared),
  };
}

function run(cases: Case[], options: Partial<MeasureOptions> = {}): Promise<CaseResult[]> {
  return measure(cases, () => target, { samples: 4, warmUps: 0, timeoutMs: TIMEOUT_MS, ...options });
}

/** A connection that waits for the end of its time, or of everything. */
async function endless(signal: AbortSignal): Promise<Sample> {
  await once(signal, 'abort');
  throw signal.reason;
}

function fails(message: string): () => Promise<Sample> {
  return () => Promise.reject(new Error(message));
}

describe('compare: measure', () => {
  beforeEach(() => {
    log = [];
  });

  it('takes so many samples of each case, and closes them all', async () => {
    const results = await run([makeCase('b'), makeCase('a', undefined, { startMs: 7 })]);
    expect(results.map(({ samples: _samples, ...rest }) => rest)).to.deep.equal([
      { id: 'b', title: 'B', group: 'echo', reference: 'a', failures: [], startMs: 0 },
      { id: 'a', title: 'A', group: 'echo', reference: 'a', failures: [], startMs: 7 },
    ]);
    expect(results.map(({ samples }) => samples.length)).to.deep.equal([4, 4]);
    expect(log.slice(-2).sort()).to.deep.equal(['a closed', 'b closed']);
    expect(log).to.have.length(10);
  });

  it('gives each case one turn a round, and each round an order of its own', async () => {
    const ids = ['a', 'b', 'c', 'd', 'e', 'f'];
    await run(
      ids.map((id) => makeCase(id)),
      { samples: 30 },
    );
    const rounds = Array.from({ length: 30 }, (_, round) => log.slice(6 * round, 6 * round + 6));
    for (const round of rounds) expect([...round].sort()).to.deep.equal(ids);
    expect(new Set(rounds.map(String)).size).to.be.above(10); // of 720 orders
    expect(new Set(rounds.map(([first]) => first)).size).to.be.above(2);
  });

  it('warms up without counting', async () => {
    let connections = 0;
    const failing = makeCase('f', () => {
      connections++;
      return connections <= 2 ? Promise.reject(new Error('cold')) : Promise.resolve(take('f'));
    });
    const around: string[] = [];
    const [result] = await run([failing], {
      warmUps: 2,
      around: ({ id }, run) => {
        around.push(id);
        return run();
      },
    });
    expect(result).to.deep.include({ failures: [] });
    expect(result?.samples).to.have.length(4);
    expect(connections).to.equal(6);
    expect(around).to.have.length(4);
  });

  it('has as many connections under way as it may, mixed over the cases', async () => {
    const underWay: string[] = [];
    let most = 0;
    const different: number[] = [];
    const slow = (id: string) =>
      makeCase(id, async () => {
        underWay.push(id);
        most = Math.max(most, underWay.length);
        if (underWay.length === 3) different.push(new Set(underWay).size);
        await new Promise((resolve) => setTimeout(resolve, 2));
        underWay.splice(underWay.indexOf(id), 1);
        return take(id);
      });
    const results = await run(['a', 'b', 'c', 'd'].map(slow), { samples: 20, concurrency: 3 });
    expect(results.map(({ samples }) => samples.length)).to.deep.equal([20, 20, 20, 20]);
    expect(most).to.equal(3);
    expect(different.filter((count) => count >= 2).length).to.be.above(different.length * 0.9);
  });

  it('tells each message once, with a count, and goes on', async () => {
    let turn = 0;
    const sometimes = makeCase('s', async () => {
      turn++;
      if (turn % 2 === 0) return take('s');
      throw new Error(turn === 3 ? 'rare' : 'often', { cause: new Error('because') });
    });
    const [first, second] = await run([sometimes, makeCase('a')], { samples: 8 });
    expect(first?.samples).to.have.length(4);
    expect(first?.failures).to.deep.equal([
      { message: 'often: because', count: 3 },
      { message: 'rare: because', count: 1 },
    ]);
    expect(second?.samples).to.have.length(8);
  });

  it('gives a case up when its first connections have all failed', async () => {
    const [failed, other] = await run([makeCase('f', fails('refused')), makeCase('a')], { samples: 10 });
    expect(failed?.failures).to.deep.equal([{ message: 'refused', count: 3 }]);
    expect(other?.samples).to.have.length(10);
  });

  it('does not give up one that has ever come about', async () => {
    let turn = 0;
    const once = makeCase('o', async () => {
      if (turn++ === 0) return take('o');
      throw new Error('refused');
    });
    const [result] = await run([once], { samples: 10 });
    expect(result?.failures).to.deep.equal([{ message: 'refused', count: 9 }]);
  });

  for (const [how, wait] of [
    ['ends when it is told to', endless],
    ['takes no notice', () => new Promise<Sample>(() => {})],
  ] as const) {
    it(`names a time limit, with a case that ${how}`, async () => {
      const results = await run([makeCase('e', wait), makeCase('a')], { samples: 2, timeoutMs: 20 });
      expect(results[0]?.failures).to.deep.equal([{ message: 'timed out: nothing useful within 20 ms', count: 2 }]);
      expect(results[1]?.samples).to.have.length(2);
    });
  }

  for (const [what, made, expected] of [
    ['says so', { prepare: async () => ({ missing: 'no psql' }) }, 'no psql'],
    ['throws', { prepare: () => Promise.reject(new Error('refused')) }, 'it could not be prepared: refused'],
    [
      'is not ready',
      { prepare: () => new Promise<never>(() => {}) },
      'it could not be prepared: not ready within 20 ms',
    ],
  ] as const) {
    it(`a case that ${what} is missing, and the others are measured`, async () => {
      const cases = [makeCase('m', undefined, made), makeCase('a')];
      const [missing, other] = await run(cases, { prepareTimeoutMs: 20 });
      expect(missing).to.deep.include({ missing: expected, samples: [], failures: [] });
      expect(other?.missing).to.equal(undefined);
      expect(other?.samples).to.have.length(4);
    });
  }

  it('without a server a case is missing', async () => {
    const options = { samples: 1, timeoutMs: TIMEOUT_MS };
    const [none] = await measure([makeCase('a')], () => undefined, options);
    expect(none?.missing).to.equal('there is no server of this kind');
    const [told] = await measure([makeCase('a')], () => ({ missing: 'redis-server is not installed' }), options);
    expect(told?.missing).to.equal('redis-server is not installed');
    expect(log).to.deep.equal([]);
  });

  it('closes what is prepared too late', async () => {
    const late = makeCase('l', undefined, {
      prepare: async (signal) => {
        await once(signal, 'abort');
        return {
          once: async () => take('l'),
          close: async () => {
            log.push('l closed');
          },
        };
      },
    });
    await run([late], { prepareTimeoutMs: 20 });
    await new Promise(setImmediate);
    expect(log).to.deep.equal(['l closed']);
  });

  it('when aborted ends what runs, closes all, and rejects with the reason', async () => {
    const abort = new AbortController();
    const reason = new Error('interrupted');
    let turn = 0;
    const ended = makeCase('e', async (signal) => {
      if (++turn < 4) return take('e');
      setTimeout(() => abort.abort(reason), 5);
      try {
        return await endless(signal);
      } finally {
        log.push('e ended');
      }
    });
    const cases = [ended, makeCase('a'), makeCase('b')];
    const error = await run(cases, { samples: 1000, concurrency: 2, signal: abort.signal }).catch((error) => error);
    expect(error).to.equal(reason);
    expect(log.slice(-3).sort()).to.deep.equal(['a closed', 'b closed', 'e closed']);
    expect(log.indexOf('e ended')).to.be.within(0, log.length - 4);
    const { length } = log;
    await new Promise((resolve) => setTimeout(resolve, 20));
    expect(log).to.have.length(length);
  });

  it('when aborted while it prepares closes what is prepared', async () => {
    const abort = new AbortController();
    const stuck = makeCase('s', undefined, {
      prepare: (signal) => {
        setTimeout(() => abort.abort(new Error('interrupted')), 5);
        return endless(signal) as Promise<never>;
      },
    });
    const error = await run([makeCase('a'), stuck, makeCase('b')], { signal: abort.signal }).catch((error) => error);
    expect(error).to.have.property('message', 'interrupted');
    expect(log).to.deep.equal(['a closed']);
  });

  it('begins nothing when it is aborted before', async () => {
    const signal = AbortSignal.abort(new Error('interrupted'));
    expect(await run([makeCase('a')], { signal }).catch((error) => error)).to.have.property('message', 'interrupted');
    expect(log).to.deep.equal([]);
  });

  it('lets somebody stand around each connection', async () => {
    const seen: string[] = [];
    const [a, b] = await run([makeCase('a'), makeCase('b', fails('refused'))], {
      samples: 2,
      around: async ({ id }, run) => {
        seen.push(`${id} begins`);
        try {
          return { ...(await run()), carrier: 'udp' };
        } finally {
          seen.push(`${id} ends`);
        }
      },
    });
    expect(a?.samples.map(({ carrier }) => carrier)).to.deep.equal(['udp', 'udp']);
    expect(b?.failures).to.deep.equal([{ message: 'refused', count: 2 }]);
    const pairs = Array.from({ length: 4 }, (_, turn) => seen.slice(2 * turn, 2 * turn + 2).join(', '));
    expect(pairs.sort()).to.deep.equal([
      'a begins, a ends',
      'a begins, a ends',
      'b begins, b ends',
      'b begins, b ends',
    ]);
  });

  it('tells how far it is', async () => {
    const told: Progress[] = [];
    await run([makeCase('a'), makeCase('b')], {
      samples: 3,
      warmUps: 1,
      onProgress: (progress) => told.push(progress),
    });
    expect(told.map(({ done }) => done)).to.deep.equal([...Array(10).keys()]);
    expect(new Set(told.map(({ of }) => of))).to.deep.equal(new Set([10]));
    expect(told.map(({ doing }) => doing)).to.deep.equal([
      ...Array(2).fill('preparing'),
      ...Array(2).fill('warming up'),
      ...Array(6).fill('measuring'),
    ]);
    expect(told[0]?.case.title).to.equal('A');
  });

  it('one connection alone has its time limit too', async () => {
    const prepared: Prepared = { once: endless };
    const error = await sampleOnce(prepared, { timeoutMs: 20 }).catch((error) => error);
    expect(error).to.have.property('message', 'timed out: nothing useful within 20 ms');
    expect(await sampleOnce({ once: async () => take('a') }, { timeoutMs: 20 })).to.deep.equal({ ms: 1, phases: [] });
  });
});
