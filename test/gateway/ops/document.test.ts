import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { Registry } from 'prom-client';
import { eventLog, logger, Metrics, poolLog, WorkerMetrics } from '../../../src/gateway/ops/index.js';
import { metricSet } from '../../../src/gateway/ops/metric-set.js';
import { oneOfEach, oneOfEachOfPool, refused, stateOf } from './events.js';

const document = readFileSync(new URL('../../../../docs/gateway.md', import.meta.url), 'utf8');

function sourcesOf() {
  return { front: () => ({ workers: [], arriving: 0, sessions: 0 }), routes: () => ['orders'] };
}

describe('docs/gateway.md', () => {
  const rows = document
    .split('\n')
    .filter((line) => line.startsWith('| `turbotls_'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    );

  it('has the metrics of the source: names, types and meanings', async () => {
    const ofWorkers = new WorkerMetrics(sourcesOf());
    ofWorkers.add().take(await new Metrics(() => stateOf()).report());
    const text = await ofWorkers.text();
    const types = new Map([...text.matchAll(/^# TYPE (\S+) (\S+)$/gm)].map(([, name = '', type = '']) => [name, type]));
    const helps = [...text.matchAll(/^# HELP (\S+) (.*)$/gm)];
    const metrics = helps.map(([, name = '', help = '']) => `\`${name}\` ${types.get(name)} ${help}`);
    expect(rows.map(([name, type, , help]) => `${name} ${type} ${help}`)).to.have.members(metrics);
  });

  it('has their labels', async () => {
    const metrics = new Metrics(() => stateOf());
    for (const event of oneOfEach) metrics.onEvent(event);
    const ofWorkers = new WorkerMetrics(sourcesOf());
    for (const event of oneOfEachOfPool) ofWorkers.onEvent(event);
    const text = `${await metrics.text()}${await ofWorkers.text()}`;
    for (const [name = '', , labels] of rows) {
      const plain = name.slice(1, -1);
      const sample = text.split('\n').find((line) => new RegExp(`^${plain}(_count)?[{ ]`).test(line));
      // Where nothing has happened yet there is no sample: the set says what there will be.
      if (sample === undefined) expect(plain).to.be.oneOf(['turbotls_handshake_duration_seconds']);
      else
        expect([...sample.matchAll(/(\w+)="/g)].map(([, label]) => `\`${label}\``).join(', '), plain).to.equal(labels);
    }
    expect(Object.keys(metricSet(new Registry()))).to.have.length.above(15);
  });

  it('has the messages of the log', () => {
    const messages = new Set<string>();
    const stream = { write: (line: string) => void messages.add((JSON.parse(line) as { msg: string }).msg) };
    const log = logger({ level: 'debug', format: 'json' }, stream);
    const listener = eventLog(log);
    const ofPool = poolLog(log);
    for (const event of oneOfEachOfPool) ofPool(event);
    const certificate = { type: 'certificate', route: 'a', file: 'f', expiresAt: undefined, warnings: [] } as const;
    for (const event of [...oneOfEach, refused(), { ...certificate, error: new Error('x') }]) listener(event);
    const table = document.slice(document.indexOf('| `msg` |'), document.indexOf('Times are milliseconds'));
    for (const message of messages) expect(table, message).to.include(`\`${message}\``);
  });
});
