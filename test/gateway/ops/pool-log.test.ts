import { expect } from 'chai';
import { logger, poolLog } from '../../../src/gateway/ops/index.js';
import { LineBudget } from '../../../src/gateway/ops/line-budget.js';
import type { LogPlan } from '../../../src/gateway/plan.js';
import type { PoolEvent } from '../../../src/workers/index.js';
import { oneOfEachOfPool } from './events.js';

type Record_ = Record<string, unknown>;

function logOf(level: LogPlan['level'] = 'debug', now: () => number = () => 0) {
  const lines: Record_[] = [];
  const stream = { write: (line: string) => void lines.push(JSON.parse(line) as Record_) };
  const listener = poolLog(logger({ level, format: 'json' }, stream), new LineBudget(now));
  return { listener, lines };
}

function linesOf(events: readonly PoolEvent[], level?: LogPlan['level']): Record_[] {
  const { listener, lines } = logOf(level);
  for (const event of events) listener(event);
  return lines.map(({ time: _, ...fields }) => fields);
}

describe('gateway log: workers', () => {
  it('says at each level what belongs there', () => {
    const messages = (level: LogPlan['level']) => linesOf(oneOfEachOfPool, level).map(({ msg }) => msg);
    expect(messages('error')).to.deep.equal(['worker does not answer and is ended']);
    expect(messages('warn')).to.deep.equal([
      'error of the UDP port',
      'error of the TCP port',
      'worker does not answer and is ended',
      'worker died',
    ]);
    expect(messages('info')).to.deep.equal([
      'listening',
      'worker serves',
      'datagram shed',
      'refused',
      'error of the UDP port',
      'error of the TCP port',
      'worker does not answer and is ended',
      'worker died',
      'worker is replaced',
      'worker ended',
      'unlistening',
    ]);
    expect(messages('debug').filter((message) => message === 'worker starts')).to.have.length(2);
  });

  const worker = { pid: 7 };
  const started: PoolEvent = { type: 'started', worker };
  const lost: PoolEvent = { type: 'lost', worker, connections: 12, sessions: 3 };
  const died: PoolEvent = { type: 'ended', worker, wanted: false, code: null, signal: 'SIGKILL' };
  const line = { level: 'warn', worker: 7, signal: 'SIGKILL', connections: 12, sessions: 3, msg: 'worker died' };

  it('tells of a death in one line, with what was lost, whichever is heard of first', () => {
    expect(linesOf([started, lost, died], 'info')).to.deep.equal([line]);
    expect(linesOf([started, died, lost], 'info')).to.deep.equal([line]);
  });

  it('tells of a code, and of a process that never was', () => {
    expect(linesOf([started, lost, { ...died, code: 1, signal: null }], 'info')[0]).to.deep.include({ code: 1 });
    const never: PoolEvent = { type: 'ended', worker: { pid: undefined }, wanted: false, code: null, signal: null };
    expect(linesOf([{ type: 'started', worker: { pid: undefined } }, never], 'info')).to.deep.equal([
      { level: 'warn', msg: 'worker died' },
    ]);
  });

  it('takes no worker for another of the same number', () => {
    const wanted: PoolEvent = { type: 'ended', worker, wanted: true, code: 0, signal: null };
    const ended = { level: 'info', worker: 7, code: 0, msg: 'worker ended' };
    const next: PoolEvent = { ...lost, connections: 1, sessions: 0 };
    for (const first of [
      [wanted, lost],
      [lost, wanted],
    ]) {
      expect(linesOf([started, ...first, started, died, next], 'info')).to.deep.equal([
        ended,
        { ...line, connections: 1, sessions: 0 },
      ]);
    }
  });

  it('does not let strangers fill the disk', () => {
    let now = 0;
    const { listener, lines } = logOf('info', () => now);
    for (let i = 0; i < 10_000; i++) listener({ type: 'shed', reason: 'lagging' });
    for (let i = 0; i < 10_000; i++) listener({ type: 'shed', reason: 'malformed' });
    for (let i = 0; i < 10_000; i++) listener({ type: 'refused', reason: 'too-many', error: undefined });
    expect(lines).to.have.length(200);
    for (const event of [started, lost, died]) listener(event);
    expect(lines, 'what no stranger causes').to.have.length(201);
    now = 100;
    listener({ type: 'shed', reason: 'lagging' });
    expect(lines.at(-1)).to.include({ omitted: 19_800, reason: 'lagging' });
  });
});
