/** examples/redis, run as a program against redis-server. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { formatReply } from '../../examples/redis/format-reply.js';
import { RedisServerError, type Reply } from '../../src/codec/redis/index.js';
import { type RedisServer, requirePart, startRedis } from '../servers/index.js';
import { makeCertificate } from '../support/certificates.js';
import { startTurboFront, type TurboFront } from '../support/turbo-front.js';
import { endPrograms, run } from './programs.js';

const TIMEOUT_MS = 60_000;

describe('examples: redis', function () {
  this.timeout(TIMEOUT_MS);
  let server: RedisServer;
  let front: TurboFront;
  let folder: string;
  let ca: string[];

  before(async function () {
    requirePart(this, 'redis-server');
    const tls = await makeCertificate({ names: ['localhost', '127.0.0.1'] });
    server = await startRedis({ password: 'pw', tls });
    front = await startTurboFront({ host: '127.0.0.1', port: server.tlsPort });
    folder = await mkdtemp(join(tmpdir(), 'turbotls-redis-'));
    await writeFile(join(folder, 'ca.pem'), tls.ca);
    ca = ['--ca', join(folder, 'ca.pem')];
  });
  after(async () => {
    await front?.close();
    await server?.stop();
    if (folder) await rm(folder, { recursive: true, force: true });
  });
  afterEach(endPrograms);

  it('over TCP, TLS and turbo: the reply, and where the time went', async () => {
    const ways: [string[], RegExp][] = [
      [['--url', `redis://:pw@127.0.0.1:${server.port}`], /ms {2}TCP is connected$/m],
      [['--url', `rediss://:pw@127.0.0.1:${server.tlsPort}`, ...ca], /ms {2}TCP is connected, and TLS is ready$/m],
      [['--url', `rediss://:pw@127.0.0.1:${server.tlsPort}`, ...ca, '--transport', 'tcp'], /ms {2}TCP is connected$/m],
      [
        ['--url', `rediss://:pw@127.0.0.1:${front.port}`, ...ca, '--transport', 'turbo'],
        /ms {2}TLS is ready, its handshake went over (udp|tcp)$/m,
      ],
    ];
    for (const [at, [options, timeline]] of ways.entries()) {
      const { code, stdout, stderr } = await run('redis/redis', [...options, 'RPUSH', 'list', `${at}`]);
      expect(code, stderr).to.equal(0);
      expect(stdout).to.equal(`(integer) ${at + 1}\n`);
      expect(stderr).to.match(timeline);
      expect(stderr).to.match(/ms {2}logged in, over RESP3\n.*ms {2}the reply is there\n$/);
    }
    const { stdout } = await run('redis/redis', [
      '--url',
      `redis://:pw@127.0.0.1:${server.port}`,
      'LRANGE',
      'list',
      '0',
      '-3',
    ]);
    expect(stdout).to.equal('1) "0"\n2) "1"\n');
  });

  it('errors of the server are replies; those of the connection and of the user end it', async () => {
    const url = ['--url', `redis://:pw@127.0.0.1:${server.port}`];
    const wrong = await run('redis/redis', [...url, 'GET']);
    expect(wrong).to.include({ code: 0, stdout: "(error) ERR wrong number of arguments for 'get' command\n" });
    const refused = await run('redis/redis', ['--url', 'redis://:pw@127.0.0.1:1', 'PING']);
    expect(refused.code).to.equal(1);
    expect(refused.stderr)
      .to.match(/^redis\.js: .*ECONNREFUSED/)
      .and.not.match(/^\s+at /m);
    const mixed = await run('redis/redis', [...url, '--transport', 'tls']);
    expect(mixed.code).to.equal(1);
    expect(mixed.stderr)
      .to.match(/rediss:\/\//)
      .and.not.include('pw');
    const odd = await run('redis/redis', [...url, '--transport', 'udp']);
    expect(odd.stderr).to.match(/--transport is tcp, tls or turbo/);
    const untrusted = await run('redis/redis', ['--url', `rediss://:pw@127.0.0.1:${server.tlsPort}`]);
    expect(untrusted.stderr)
      .to.match(/certificate/)
      .and.not.include('pw');
  });

  it('--help, and options that it does not have', async () => {
    const help = await run('redis/redis', ['--help']);
    expect(help.code).to.equal(0);
    expect(help.stdout).to.match(/^Usage: redis\.js \[options\] COMMAND \[ARGUMENT …\]\n\n.*\n\n( {2}.*\n)+$/);
    const unknown = await run('redis/redis', ['--bogus', 'PING']);
    expect(unknown.code).to.equal(2);
    expect(unknown.stderr).to.match(/Unknown option '--bogus'\n\nUsage: /);
  });

  const replies: [Reply, string][] = [
    [null, '(nil)'],
    ['OK', 'OK'],
    ['a"b\n', '"a\\"b\\n"'],
    [5, '(integer) 5'],
    [2n ** 63n, '(integer) 9223372036854775808'],
    [1.5, '(double) 1.5'],
    [true, '(true)'],
    [new RedisServerError('ERR no'), '(error) ERR no'],
    [[], '(empty array)'],
    [['a', ['b', ['c']], 'd'], '1) "a"\n2) 1) "b"\n   2) 1) "c"\n3) "d"'],
    [new Map<Reply, Reply>([['k', [1, 2]]]), '1# "k" => 1) (integer) 1\n          2) (integer) 2'],
    [new Set(['x']), '1~ "x"'],
    [Array(10).fill('x'), Array.from({ length: 10 }, (_, at) => `${String(at + 1).padStart(2)}) "x"`).join('\n')],
  ];
  for (const [reply, text] of replies) {
    it(`writes ${text.split('\n')[0]}`, () => expect(formatReply(reply)).to.equal(text));
  }
});
