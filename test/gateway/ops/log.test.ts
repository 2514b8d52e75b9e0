import { execFile, fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { promisify } from 'node:util';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { GatewayError } from '../../../src/gateway/errors.js';
import type { GatewayEvent } from '../../../src/gateway/events.js';
import { LineBudget } from '../../../src/gateway/ops/line-budget.js';
import { LINE_BYTES, shortJson, shortText } from '../../../src/gateway/ops/line-length.js';
import { eventLog, logEvents } from '../../../src/gateway/ops/log-events.js';
import { logger } from '../../../src/gateway/ops/logger.js';
import { textLine, wantsColour } from '../../../src/gateway/ops/text-format.js';
import type { LogPlan } from '../../../src/gateway/plan.js';
import { holds } from '../../support/property.js';
import { connectionEnd, connectionStart, oneOfEach, refused } from './events.js';

const LOGGER = new URL('../../../src/gateway/ops/logger.js', import.meta.url).href;

/** What is written, by line. */
function collector(plan: Partial<LogPlan> = {}, isTTY = false) {
  const lines: string[] = [];
  const stream = { write: (line: string) => void lines.push(line), isTTY };
  return { log: logger({ level: 'info', format: 'json', ...plan }, stream), lines };
}

function recordsOf(events: readonly GatewayEvent[], level: LogPlan['level'] = 'info'): Record<string, unknown>[] {
  const { log, lines } = collector({ level });
  for (const event of events) logEvents(log, event);
  return lines.map((line) => JSON.parse(line) as Record<string, unknown>);
}

/** Of a line of the test below: who, which, and its text. */
function partsOf(line: string, format: string): string[] {
  if (format === 'text') return line.match(/^[\d:.]+ info {2}line worker=(\d+) i=(\d+) text=(\d+)$/)?.slice(1) ?? [];
  const { worker, i, text } = JSON.parse(line) as Record<string, unknown>;
  return [worker, i, text].map(String);
}

describe('gateway log', () => {
  it('has one line for a connection, with everything that is known of it', () => {
    const [record, ...more] = recordsOf([connectionStart, connectionEnd()]);
    expect(more).to.deep.equal([]);
    expect(record?.time).to.match(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/);
    expect({ ...record, time: undefined }).to.deep.equal({
      level: 'info',
      time: undefined,
      id: 7,
      route: 'orders',
      mode: 'passthrough',
      carrier: 'turbo',
      protocol: 'postgresql',
      serverName: 'orders.example.com',
      alpn: 'postgresql',
      client: '192.0.2.1:5543',
      target: '[fd00::5]:5432',
      helloMs: 1.3,
      backendMs: 2,
      firstByteMs: 12,
      totalMs: 1234.6,
      up: 100,
      down: 2_000_000_000_000,
      reason: 'client',
      msg: 'connection',
    });
  });

  it('has code and message of an error and its cause, and nothing else of them', () => {
    const cause = Object.assign(new Error('connect ECONNREFUSED 10.0.0.5:5432'), { code: 'ECONNREFUSED', secret: 'x' });
    const error = new GatewayError('ERR_GATEWAY_CERTIFICATE', 'detail', { cause });
    const [record] = recordsOf([connectionEnd({ reason: 'backend-unreachable', error })]);
    expect(record).to.deep.include({
      level: 'warn',
      reason: 'backend-unreachable',
      error: { code: 'ERR_GATEWAY_CERTIFICATE', message: 'A certificate or its key cannot be used: detail' },
      cause: { code: 'ECONNREFUSED', message: 'connect ECONNREFUSED 10.0.0.5:5432' },
    });
    expect(JSON.stringify(record)).to.not.match(/secret|stack|at file/);
  });

  it('says at each level what belongs there', () => {
    const messages = (level: LogPlan['level']) => recordsOf(oneOfEach, level).map(({ msg }) => msg);
    expect(messages('error')).to.deep.equal(['key lost']);
    expect(messages('warn')).to.deep.equal([
      'target is down',
      'key lost',
      'error of the UDP port',
      'error of the TCP port',
    ]);
    expect(messages('info')).to.deep.equal([
      'listening',
      'unlistening',
      'connection',
      'refused',
      'cancel',
      'target is down',
      'target is up',
      'configuration in force',
      'key lost',
      'draining',
      'certificate read',
      'error of the UDP port',
      'error of the TCP port',
    ]);
    expect(messages('debug')).to.include('connection begins');
    const certificate = { type: 'certificate', route: 'a', file: 'f', expiresAt: undefined } as const;
    const levels = recordsOf([
      { ...certificate, warnings: ['has expired'], error: undefined },
      { ...certificate, warnings: [], error: new Error('x') },
      connectionEnd({ reason: 'internal-error' }),
      refused({ reason: 'internal-error' }),
    ]).map(({ level }) => level);
    expect(levels).to.deep.equal(['warn', 'error', 'error', 'error']);
  });

  it('does not let strangers fill the disk: what is over the budget is counted', () => {
    let now = 0;
    const { log, lines } = collector();
    const listener = eventLog(log, new LineBudget(() => now));
    for (let i = 0; i < 10_000; i++) listener(refused());
    expect(lines).to.have.length(200);
    for (let i = 0; i < 100; i++) listener(connectionEnd());
    expect(lines, 'connections that had a route are always logged').to.have.length(300);
    now = 100;
    for (let i = 0; i < 10; i++) listener(refused());
    expect(lines.slice(300).map((line) => (JSON.parse(line) as { omitted?: number }).omitted)).to.deep.equal([
      9800,
      undefined,
      undefined,
      undefined,
      undefined,
    ]);
    now = 1_000_000;
    for (let i = 0; i < 1000; i++) listener(refused());
    expect(lines, 'no more than a burst, however long nothing came').to.have.length(505);
  });

  it('takes no budget for lines that its level leaves out', () => {
    const { log, lines } = collector({ level: 'warn' });
    const listener = eventLog(log, new LineBudget(() => 0));
    for (let i = 0; i < 1000; i++) listener(refused());
    listener({ type: 'engine', listen: { host: '::', port: 1 }, event: { type: 'udp-error', error: new Error('x') } });
    expect(lines).to.have.length(1);
    expect(JSON.parse(lines[0] ?? '')).to.not.have.property('omitted');
  });

  describe('as text', () => {
    const line = (fields: object, colour = false) =>
      textLine({ time: '2026-11-21T15:41:39.123Z', level: 'info', msg: 'connection', ...fields }, { colour });

    it('is short, and leaves out what is not there', () => {
      expect(
        line({ route: 'orders', up: 5, target: undefined, error: { code: 'ECONNRESET', message: 'read ECONNRESET' } }),
      ).to.equal(
        '15:41:39.123 info  connection route=orders up=5 error.code=ECONNRESET error.message="read ECONNRESET"',
      );
    });

    it('has colour on a terminal whose owner has not said no', () => {
      expect(wantsColour({ isTTY: true }, {})).to.equal(true);
      expect(wantsColour({ isTTY: true }, { NO_COLOR: '' }), 'no-color.org: not an empty string').to.equal(true);
      expect(wantsColour({ isTTY: true }, { NO_COLOR: '1' })).to.equal(false);
      expect(wantsColour({ isTTY: false }, {})).to.equal(false);
      expect(wantsColour({}, {})).to.equal(false);
      expect(line({}, true)).to.equal('\u001b[2m15:41:39.123\u001b[0m \u001b[32minfo \u001b[0m connection');
      const { log, lines } = collector({ format: 'text' });
      logEvents(log, connectionEnd());
      expect(lines).to.have.length(1);
      expect(lines[0]).to.match(/^\d\d:\d\d:\d\d\.\d{3} info {2}connection id=7 .* reason=client\n$/);
    });

    it('is one line of printable characters, whatever a client calls itself', () => {
      const any = fc.string({ unit: 'binary', maxLength: 40 });
      holds(
        fc.property(any, any, (serverName, message) => {
          const { log, lines } = collector({ format: 'text' });
          logEvents(log, connectionEnd({ serverName, error: new Error(message) }));
          expect(lines).to.have.length(1);
          expect(lines[0]?.slice(0, -1)).to.not.match(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/u);
        }),
      );
      expect(line({ serverName: 'a\u001b[2J\nb\u202e\u{e0001}' })).to.equal(
        String.raw`15:41:39.123 info  connection serverName="a\u001b[2J\nb\u{202e}\u{e0001}"`,
      );
    });
  });

  describe('with several processes', () => {
    it('names the one that writes', () => {
      const lines: string[] = [];
      const stream = { write: (line: string) => void lines.push(line) };
      for (const format of ['json', 'text'] as const) {
        const log = logger({ level: 'info', format }, stream, { worker: 4711 });
        logEvents(log, connectionEnd());
        log.child({ more: 1 }).warn('x');
      }
      expect(lines.map((line) => line.match(/"worker":4711,|worker=4711 /g)?.length)).to.deep.equal([1, 1, 1, 1]);
      expect(recordsOf([connectionEnd()])[0]).to.not.have.property('worker');
    });

    it('has no line that a pipe would not take in one piece, and says where it was cut', () => {
      const any = fc.string({ unit: 'binary', maxLength: 3000 });
      holds(
        fc.property(any, any, fc.array(any, { maxLength: 4 }), (serverName, message, list) => {
          const fields = {
            serverName,
            error: { message, list },
            ...Object.fromEntries(list.map((each, index) => [`field${index}`, each])),
          };
          for (const format of ['json', 'text'] as const) {
            const { log, lines } = collector({ format });
            log.warn(fields, 'refused');
            expect(lines).to.have.length(1);
            const [line = ''] = lines;
            expect(Buffer.byteLength(line)).to.be.at.most(LINE_BYTES);
            expect(line.indexOf('\n')).to.equal(line.length - 1);
            if (format === 'json') {
              const record = JSON.parse(line) as Record<string, unknown>;
              expect(record).to.include({ level: 'warn', msg: 'refused' });
              if (record.cut === undefined) expect(record.serverName).to.equal(serverName);
            }
          }
        }),
      );
      const long = `${JSON.stringify({ level: 'info', worker: 7, ['k'.repeat(5000)]: 1, msg: 'm'.repeat(5000) })}\n`;
      expect(JSON.parse(shortJson(long))).to.deep.equal({
        level: 'info',
        worker: 7,
        msg: `${'m'.repeat(200)}…`,
        cut: true,
      });
      expect(shortText(`${'ä'.repeat(3000)}\n`)).to.equal(`${'ä'.repeat(2046)}…\n`);
      for (const short of [shortJson, shortText]) {
        const fits = `${JSON.stringify({ a: 'x'.repeat(LINE_BYTES - 9) })}\n`;
        expect(Buffer.byteLength(fits)).to.equal(LINE_BYTES);
        expect(short(fits)).to.equal(fits);
      }
    });

    it('has whole lines on a pipe that all of them write to at once', async function () {
      this.timeout(30_000);
      const script = `import { logger } from ${JSON.stringify(LOGGER)};
        const log = logger({ level: 'info', format: process.argv[1] }, undefined, { worker: process.pid });
        for (let i = 0; i < 1500; i++) {
          log.info({ i, text: String(i % 10).repeat(1 + (i * 997) % 3900) }, 'line');
          if (i % 50 === 0) await new Promise(setImmediate);
        }`;
      for (const format of ['json', 'text']) {
        // One pipe for all, of a shell: what Node makes for its children is none. Its reader is late, so that it is full.
        const one = `"$0" --input-type=module -e "$1" ${format}`;
        const all = `{ ${`${one} & `.repeat(4)}wait; } | { sleep 0.5; cat; }`;
        const shell = spawn('sh', ['-c', all, process.execPath, script], { stdio: ['ignore', 'pipe', 'inherit'] });
        const chunks: Buffer[] = [];
        shell.stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
        await once(shell, 'close');
        const lines = Buffer.concat(chunks).toString().trimEnd().split('\n');
        expect(lines, format).to.have.length(4 * 1500);
        const seen = new Map<string, number>();
        for (const line of lines) {
          const [worker = '', i = '', text = ''] = partsOf(line, format);
          expect(text, line).to.equal(String(Number(i) % 10).repeat(1 + ((Number(i) * 997) % 3900)));
          expect(Number(i), 'the order of each').to.equal(seen.get(worker) ?? 0);
          seen.set(worker, Number(i) + 1);
        }
        expect(seen.size).to.equal(4);
      }
    });
  });

  describe('on standard output', () => {
    const run = promisify(execFile);

    it('is whole when the process ends', async () => {
      const script = `import { logger } from ${JSON.stringify(LOGGER)};
        const log = logger({ level: 'info', format: process.argv[1] });
        for (let i = 0; i < 5000; i++) log.info({ i }, 'line');`;
      for (const format of ['json', 'text']) {
        const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script, format]);
        expect(stdout.trimEnd().split('\n'), format).to.have.length(5000);
      }
    });

    it('is lost, and holds nobody up, where nobody reads it', async () => {
      const child = fork(new URL('./unread-log.js', import.meta.url), { stdio: ['ignore', 'pipe', 'inherit', 'ipc'] });
      try {
        const [report] = (await once(child, 'message')) as [{ wrote: number; grewBytes: number }];
        expect(report.wrote).to.equal(60_000_000);
        expect(report.grewBytes).to.be.below(60_000_000);
      } finally {
        child.kill('SIGKILL');
      }
    });
  });
});
