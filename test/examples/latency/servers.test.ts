import { fork } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { get } from 'node:https';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import type { ServerMessage, ServerRequest } from '../../../examples/latency/server-messages.js';
import type { ServedTargets } from '../../../examples/latency/servers.js';
import type { Case, EchoTarget, PostgresTarget, RedisTarget, Target } from '../../../src/compare/case.js';
import { postgresCases } from '../../../src/compare/cases/pg.js';
import { redisCases } from '../../../src/compare/cases/redis.js';
import type { CertificateKind, Sample } from '../../../src/compare/model.js';
import { PathMemory, turboTransport } from '../../../src/experimental.js';
import { type Transport, tlsTransport } from '../../../src/transport.js';
import { requirePart } from '../../servers/index.js';
import { isRunning } from '../../servers/running.js';

const program = fileURLToPath(new URL('../../../examples/latency/server-process.js', import.meta.url));

/** What a client that knows nothing asks for: 6 datagrams of 1,200 bytes, less what is not payload. */
const UNKNOWN_FLIGHT_BYTES = 6_900;

class ServerProcess {
  readonly child;
  readonly messages: ServerMessage[] = [];

  constructor(env: NodeJS.ProcessEnv = {}) {
    this.child = fork(program, ['--address', '127.0.0.1'], {
      env: { ...process.env, NODE_NO_WARNINGS: '1', ...env },
      stdio: ['ignore', 'inherit', 'ignore', 'ipc'],
    });
    this.child.on('message', (message: ServerMessage) => this.messages.push(message));
  }

  async ready(): Promise<ServedTargets> {
    return (await this.#message('ready')).served;
  }

  ask(request: ServerRequest): Promise<ServerMessage & { kind: 'counters' }> {
    this.child.send(request);
    return this.#message('counters');
  }

  async #message<K extends ServerMessage['kind']>(kind: K): Promise<ServerMessage & { kind: K }> {
    for (;;) {
      const found = this.messages.find((each): each is ServerMessage & { kind: K } => each.kind === kind);
      if (found) return found;
      await once(this.child, 'message');
    }
  }

  async end(): Promise<number | null> {
    if (this.child.exitCode !== null) return this.child.exitCode;
    const exited = once(this.child, 'exit');
    if (this.child.connected) this.child.disconnect();
    return (await exited)[0];
  }
}

describe('latency: the servers', function () {
  this.timeout(60_000);
  let server: ServerProcess;
  let served: ServedTargets;

  before(async function () {
    for (const part of ['postgresql-18', 'redis-server'] as const) requirePart(this, part);
    server = new ServerProcess();
    served = await server.ready();
  });
  after(() => server?.end());

  it('tell what they do, and miss nothing', () => {
    expect(server.messages.filter(({ kind }) => kind === 'progress')).to.deep.include({
      kind: 'progress',
      text: 'starting PostgreSQL',
    });
    expect(served.missing).to.deep.equal({});
  });

  for (const kind of ['ecdsa', 'rsa', 'long-chain'] as const satisfies readonly CertificateKind[]) {
    it(`echo with ${kind}: over TLS and over turbo`, async () => {
      const target = served.targets[kind] as EchoTarget;
      expect(await answerOf(target, tlsTransport())).to.equal('hello\n');
      expect(await answerOf(target, patientTurbo())).to.equal('hello\n');
      expect(target.quicAddress).to.include({ host: '127.0.0.1' });
    });
  }

  it('the long chain is longer than what a client that knows nothing asks for, and the others are not', async () => {
    expect(await chainBytes(served.targets['long-chain'] as EchoTarget)).to.be.above(UNKNOWN_FLIGHT_BYTES);
    expect(await chainBytes(served.targets.ecdsa as EchoTarget)).to.be.below(1_000);
    expect(await chainBytes(served.targets.rsa as EchoTarget)).to.be.below(1_000);
  });

  it('PostgreSQL and Redis, straight and through the gateway', async () => {
    for (const id of ['pg', 'pgclient-turbo']) await sampleOf(postgresCases, id, served.postgres as PostgresTarget);
    for (const id of ['ioredis', 'redisclient-turbo']) await sampleOf(redisCases, id, served.redis as RedisTarget);
  });

  it('https, straight and through the gateway', async () => {
    const { address, turboAddress, serverName, ca, path } = served.https ?? expect.fail('no https');
    for (const { host, port } of [address, turboAddress ?? expect.fail('no gateway')]) {
      const request = get({
        host,
        port,
        path,
        ca,
        servername: serverName,
        headers: { host: serverName },
        agent: false,
      });
      const [response] = await once(request, 'response');
      expect(Buffer.concat(await response.toArray()).toString()).to.equal('hello\n');
    }
  });

  it('counts sessions that TCP took over', async () => {
    await answerOf(served.targets.ecdsa as EchoTarget, patientTurbo());
    const { counters } = await server.ask({ kind: 'counters', id: 7 });
    expect(counters).to.have.keys('gateway', 'ecdsa', 'rsa', 'long-chain');
    expect(counters.ecdsa?.bound).to.be.above(0);
    expect(counters.ecdsa?.drops).to.be.an('object');
  });

  it('end with their parent', async () => {
    expect(await server.end()).to.equal(0);
    const { postgres, redis, https } = served;
    for (const target of [postgres, redis, https, served.targets.ecdsa]) {
      const failure = await answerOf(target as Target, tlsTransport()).catch((error) => error);
      expect(failure).to.have.property('code', 'ECONNREFUSED');
    }
  });
});

describe('latency: servers of which some are missing', function () {
  this.timeout(60_000);

  it('serve the others, say what is missing and what it comes with, and end by SIGTERM', async () => {
    const server = new ServerProcess({ PATH: '/nowhere' });
    try {
      const { missing, redis, targets } = await server.ready();
      expect(missing.Redis).to.match(/redis-server is missing here; it comes with Debian's package redis-server/);
      expect(redis).to.equal(undefined);
      expect(targets).to.have.keys('ecdsa', 'rsa', 'long-chain');
    } finally {
      const { pid = 0 } = server.child;
      const exited = once(server.child, 'exit');
      server.child.kill('SIGTERM');
      await exited;
      expect(isRunning(pid)).to.equal(false);
    }
  });
});

/** A busy machine must not count as a path without UDP. */
function patientTurbo(): Transport {
  return turboTransport({ turbo: { memory: new PathMemory(), limits: { graceMinMs: 1_000 }, mode: 'require' } });
}

async function answerOf({ address, serverName, ca }: Target, transport: Transport): Promise<string> {
  const stream = await transport(address, { tls: { ca, servername: serverName } });
  try {
    stream.write('hello\n');
    const [answer] = await once(stream, 'data');
    return answer.toString();
  } finally {
    stream.destroy();
  }
}

/** Of the certificates that the server sends: all but the authority's own. */
async function chainBytes({ address, serverName, ca }: EchoTarget): Promise<number> {
  const socket = await tlsTransport({ ca, servername: serverName })(address);
  try {
    let bytes = 0;
    for (let each = socket.getPeerX509Certificate(); each && !sameAs(each, ca); each = each.issuerCertificate) {
      bytes += each.raw.length;
    }
    return bytes;
  } finally {
    socket.destroy();
  }
}

function sameAs({ fingerprint256 }: X509Certificate, pem: string | undefined): boolean {
  return fingerprint256 === new X509Certificate(pem ?? '').fingerprint256;
}

async function sampleOf<T extends Target>(cases: readonly Case<T>[], id: string, target: T): Promise<Sample> {
  const { signal } = new AbortController();
  const way = await cases.find((each) => each.id === id)?.prepare(target, signal);
  if (way === undefined || 'missing' in way) expect.fail(`${id} is missing`);
  const sample = await way.once(signal);
  await way.close?.();
  return sample;
}
