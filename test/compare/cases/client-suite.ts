/** What holds for every way to reach a server, whoever's client it is; run against a server and a gateway before it. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { readdir, readFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import type { Case, PostgresTarget, Prepared, RedisTarget } from '../../../src/compare/case.js';
import type { Phase, Sample } from '../../../src/compare/model.js';
import type { HostAddress } from '../../../src/transport.js';
import { closeGateways, type GatewayRig } from '../../gateway/gateway-rig.js';
import { makeAuthority } from '../../support/certificates.js';
import { until } from '../../support/engine-rig.js';

type ServerTarget = PostgresTarget | RedisTarget;

/** What is particular to a case. */
export interface Particulars {
  /** Those that it shows each time, in their order; `udp` comes and goes. */
  phases: readonly Phase['name'][];
  /** How it reaches the server. */
  by: 'itself' | 'proxy' | 'turbo';
  /** Default true. */
  verifiesName?: boolean;
  /** Of one by turbo. Default true. */
  tellsCarrier?: boolean;
}

export interface Served<T extends ServerTarget> {
  /** Its `turboAddress` is the gateway's. */
  target: T;
  gateway: GatewayRig;
  stop(): Promise<void>;
}

/** In a target's password, and so to be seen nowhere. */
export const PASSWORD = 'a-password-that-nobody-sees';

/** Below the time limits that clients have of their own: what one of those ends was forgotten. */
const PATIENCE_MS = 3_000;

export function describeClientCases<T extends ServerTarget>(
  title: string,
  cases: readonly Case<T>[],
  particulars: Readonly<Record<string, Particulars>>,
  start: (context: Mocha.Context) => Promise<Served<T>>,
): void {
  describe(title, function () {
    this.timeout(60_000);
    let served: Served<T>;
    const prepared = new Set<Prepared>();

    async function prepare(each: Case<T>, target: T, signal = new AbortController().signal): Promise<Prepared> {
      const way = await each.prepare(target, signal);
      if ('missing' in way) throw new Error(way.missing);
      prepared.add(way);
      return way;
    }

    async function failureOf(each: Case<T>, target: T, signal = new AbortController().signal): Promise<Error> {
      try {
        const way = await prepare(each, target, signal);
        await way.once(signal);
      } catch (error) {
        return error as Error;
      }
      expect.fail('it connected');
    }

    before(async function () {
      served = await start(this);
    });
    afterEach(async () => {
      for (const way of prepared) await way.close?.();
      prepared.clear();
    });
    after(async () => {
      await closeGateways();
      await served?.stop();
    });

    it('has the cases that are told of here, each in its group', () => {
      expect(cases.map(({ id }) => id)).to.have.members(Object.keys(particulars));
      for (const { group, reference } of cases) {
        expect(group).to.equal(served.target.group);
        expect(reference).to.equal(cases[0]?.id);
      }
    });

    for (const each of cases) {
      const { phases, by, verifiesName = true, tellsCarrier = true } = particulars[each.id] as Particulars;

      describe(each.id, () => {
        it(`connects, and tells ${phases.length} phases`, async () => {
          const ended = served.gateway.of('connection-end').length;
          const way = await prepare(each, served.target);
          const before = handles(served.gateway);
          const sample = await way.once(new AbortController().signal);
          expectPhases(sample, phases);
          if (by === 'itself') expect(sample.carrier).to.be.oneOf([undefined, 'tcp']);
          if (by === 'turbo' && tellsCarrier) expect(sample.carrier).to.be.oneOf(['udp', 'tcp']);
          if (by !== 'itself') await served.gateway.ended(ended + 1);
          else expect(served.gateway.of('connection-end')).to.have.length(ended);
          await until(() => handles(served.gateway) <= before, PATIENCE_MS);
        });

        it('connects several times at once', async () => {
          const way = await prepare(each, served.target);
          const { signal } = new AbortController();
          const samples = await Promise.all([way.once(signal), way.once(signal), way.once(signal)]);
          for (const sample of samples) expectPhases(sample, phases);
        });

        it('fails where another authority has signed', async () => {
          const { cert: ca } = await makeAuthority({ name: 'Another Authority' });
          const error = await failureOf(each, { ...served.target, ca });
          expect(error.message).to.match(/certificate/i);
        });

        it(verifiesName ? 'fails where the name is another' : 'does not look at the name', async () => {
          const target = { ...served.target, serverName: 'another.test' };
          if (verifiesName) expect((await failureOf(each, target)).message).to.match(/another\.test|certificate/);
          else await (await prepare(each, target)).once(new AbortController().signal);
        });

        it('fails where the password is another', async () => {
          const error = await failureOf(each, { ...served.target, password: `${PASSWORD}-not` });
          expect(error.message).to.match(/password|WRONGPASS|NOAUTH/);
          expect(error.message).not.to.include(PASSWORD);
        });

        it('fails where nobody listens', async () => {
          const address = { host: '127.0.0.1', port: 1 };
          const error = await failureOf(each, { ...served.target, address, turboAddress: address });
          expect(error.message).to.be.a('string').that.is.not.empty;
        });

        it('ends when it is told to, and shows no password meanwhile', async () => {
          const silent = await startSilent();
          try {
            const { address } = silent;
            const before = handles(served.gateway);
            const abort = new AbortController();
            const failure = failureOf(each, { ...served.target, address, turboAddress: address }, abort.signal);
            await silent.reached;
            expect(await commandLinesWith(PASSWORD)).to.deep.equal([]);
            const abortedAt = performance.now();
            abort.abort(new Error('told to'));
            expect(await failure).to.have.property('message', 'told to');
            expect(performance.now() - abortedAt).to.be.below(PATIENCE_MS);
            await until(() => handles(served.gateway) <= before, PATIENCE_MS);
          } finally {
            await silent.close();
          }
        });
      });
    }

    const known = cases.find(({ id }) => id.endsWith('-known')) as Case<T>;
    const cold = cases.find(({ id }) => `${id}-known` === known.id) as Case<T>;

    it(`${cold.id} begins each time anew, ${known.id} goes on with what it has learned`, async () => {
      const { address } = served.target;
      const udp = createSocket('udp4').bind(address.port, address.host); // and nobody answers
      let datagrams = 0;
      udp.on('message', () => datagrams++);
      try {
        await once(udp, 'listening');
        const target = { ...served.target, turboAddress: address };
        for (const [each, asks] of [
          [cold, true],
          [known, false],
        ] as const) {
          const way = await prepare(each, target);
          for (let count = 0; count < 3; count++) await way.once(new AbortController().signal);
          await delay(20); // for what is on its way
          datagrams = 0;
          await way.once(new AbortController().signal);
          await delay(20);
          expect(datagrams > 0, each.id).to.equal(asks);
        }
      } finally {
        udp.close();
      }
    });
  });
}

function expectPhases({ ms, phases }: Sample, names: readonly Phase['name'][]): void {
  const shown = phases.filter(({ name }) => name !== 'udp');
  expect(shown.map(({ name }) => name)).to.deep.equal(names);
  const times = [0, ...phases.map(({ atMs }) => atMs), ms];
  expect(times).to.deep.equal(times.toSorted((one, other) => one - other));
  expect(ms).to.be.above(0);
}

/**
 * Sockets and processes that hold this one. A session over UDP that its client gave up is the gateway's for some seconds
 * more, with one socket to the server.
 */
function handles({ gateway }: GatewayRig): number {
  const kinds = new Set(['TCPSocketWrap', 'TLSWrap', 'UDPWrap', 'ProcessWrap']);
  const all = process.getActiveResourcesInfo().filter((kind) => kinds.has(kind)).length;
  return all - gateway.state.engine.halfOpen.sessions;
}

interface Silent {
  address: HostAddress;
  /** Somebody has connected. */
  reached: Promise<unknown>;
  close(): Promise<void>;
}

/** Takes connections and says nothing. */
async function startSilent(): Promise<Silent> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => sockets.delete(socket));
    socket.resume();
  });
  const reached = once(server, 'connection');
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { address: host, port } = server.address() as AddressInfo;
  const close = async () => {
    for (const socket of sockets) socket.destroy();
    server.close();
    await once(server, 'close');
  };
  return { address: { host, port }, reached, close };
}

/** Of all processes of this machine, as everybody on it can read them. */
async function commandLinesWith(text: string): Promise<string[]> {
  const folders = (await readdir('/proc').catch(() => [])).filter((name) => /^\d+$/.test(name));
  const lines = await Promise.all(folders.map((id) => readFile(`/proc/${id}/cmdline`, 'utf8').catch(() => '')));
  return lines.filter((line) => line.includes(text));
}
