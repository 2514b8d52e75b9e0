import { expect } from 'chai';
import { Link, monotonicMs, packetsOf } from '../../../../examples/latency/link/index.js';
import { faultOf } from '../../../../examples/latency/link/link.js';
import type { Packet } from '../../../../src/compare/model.js';
import { namespacesOf, PLAIN, processesIn, requireLink, Talkers, untilGone } from './support.js';

describe('link', () => {
  describe('between two hosts', function () {
    this.timeout(30_000);
    let link: Link;
    let talkers: Talkers;

    before(async function () {
      requireLink(this);
      link = await Link.open(PLAIN, { kind: 'tun', check: false });
      talkers = await Talkers.start(
        (command) => link.command('client', command),
        (command) => link.command('server', command),
      );
    });

    after(async () => {
      await talkers?.end();
      await link?.close();
    });

    beforeEach(() => link.set(PLAIN));

    it('has the round trip that is asked for, also when another one is', async () => {
      for (const roundTripMs of [20, 60]) {
        await link.set({ ...PLAIN, roundTripMs });
        expect(await link.measureRoundTrip()).to.be.within(roundTripMs - 1, roundTripMs + 1_000);
      }
    });

    const filters = [
      { udp: 'drop', atServer: [], back: [] },
      { udp: 'drop-to-server', atServer: [], back: [] },
      { udp: 'drop-to-client', atServer: [0, 1, 2], back: [] },
      { udp: 'pass', atServer: [0, 1, 2], back: [0, 1, 2] },
    ] as const;
    for (const { udp, atServer, back } of filters) {
      it(`UDP ${udp}: TCP passes`, async () => {
        await link.set({ ...PLAIN, udp });
        expect(await talkers.talk({ datagrams: 3 })).to.deep.equal({ atServer, back });
      });
    }

    it('loses the same packets each time', async () => {
      const talk = async (seed: number) => {
        await link.set({ ...PLAIN, roundTripMs: 2, loss: 0.3, seed });
        return (await talkers.talk({ datagrams: 200, lossy: true })).atServer;
      };
      const first = await talk(5);
      expect(first).to.have.length.within(100, 180);
      expect(await talk(5)).to.deep.equal(first);
      expect(await talk(6)).to.not.deep.equal(first);
    });

    it('duplicates datagrams', async () => {
      await link.set({ ...PLAIN, duplicate: 1 });
      expect((await talkers.talk({ datagrams: 2 })).atServer.toSorted()).to.deep.equal([0, 0, 1, 1]);
    });

    it('carries TCP whatever happens to its packets', async () => {
      await link.set({ ...PLAIN, roundTripMs: 4, jitterMs: 1, loss: 0.01, reorder: 0.02, duplicate: 0.02 });
      await talkers.talk({ bytes: 1_000_000 });
    });

    it('carries TCP at a rate', async () => {
      await link.set({ ...PLAIN, rateKbit: 16_000 });
      const start = monotonicMs();
      await talkers.talk({ bytes: 100_000 });
      expect(monotonicMs() - start).to.be.above((2 * 100_000 * 8) / 16_000);
    });

    it('records packets', async () => {
      const startedAt = monotonicMs();
      await link.trace?.start();
      await talkers.talk({ datagrams: 1, bytes: 10 });
      const traced = (await link.trace?.take()) ?? [];
      const [datagram] = packetsOf(traced, startedAt);
      expect(datagram).to.include({ from: 'client', protocol: 'udp', label: 'UDP', bytes: 4 });
      expect(datagram?.sentAtMs).to.be.within(0, monotonicMs() - startedAt);

      const port = traced.find(({ label }) => label === 'SYN')?.clientPort;
      const connection = packetsOf(
        traced.filter(({ clientPort }) => clientPort === port),
        startedAt,
      );
      expect(connection.slice(0, 3).map(said)).to.deep.equal(['client SYN 0', 'server SYN-ACK 0', 'client ACK 0']);
      expect(connection.map(said)).to.include.members(['client data 10', 'server data 6', 'server FIN 0']);
      for (const { sentAtMs, arrivedAtMs = 0 } of connection) expect(arrivedAtMs - sentAtMs).to.be.closeTo(10, 1e-6);
    });

    it('records what is lost', async () => {
      await link.trace?.start();
      await link.set({ ...PLAIN, udp: 'drop' });
      await talkers.talk({ datagrams: 1 });
      const datagrams = (await link.trace?.take())?.filter(({ protocol }) => protocol === 'udp');
      expect(datagrams?.map(({ arrivedAt }) => arrivedAt)).to.deep.equal([undefined]);
    });

    it('records nothing unless asked to', async () => {
      await talkers.talk();
      await link.trace?.start();
      expect(await link.trace?.take()).to.deep.equal([]);
    });
  });

  describe('opening and closing', function () {
    this.timeout(30_000);

    before(function () {
      requireLink(this);
    });

    it('leaves nothing, and may be closed twice', async () => {
      const link = await Link.open(PLAIN, { kind: 'tun', check: false });
      const namespaces = namespacesOf(link);
      expect(processesIn(namespaces)).to.have.length.above(2);
      await link.close();
      await link.close();
      await untilGone(namespaces);
    });

    it('may be many at a time', async () => {
      const links = await Promise.all([1, 2].map(() => Link.open(PLAIN, { kind: 'tun', check: false })));
      for (const link of links) await link.close();
    });

    it('ends with its signal', async () => {
      const open = Link.open(PLAIN, { kind: 'tun', signal: AbortSignal.abort(new Error('enough')) });
      expect(await open.catch(String)).to.equal('Error: enough');
    });

    it('says that its process has ended', async () => {
      const link = await Link.open(PLAIN, { kind: 'tun', check: false });
      const [, serverNamespace = ''] = namespacesOf(link);
      const holder = Number(/\d+/.exec(link.command('server', [])[1] ?? '')?.[0]);
      for (const pid of processesIn([serverNamespace])) if (pid !== holder) process.kill(pid, 'SIGKILL');
      expect(await link.set(PLAIN).catch(String)).to.equal('Error: the process of the link has ended (SIGKILL)');
      await link.close();
    });
  });

  describe('its check', () => {
    const some = (ms: number) => Array.from({ length: 21 }, () => ms);

    it('allows 1 ms, or 3 % of long round trips', () => {
      expect(faultOf(10, some(10.9))).to.equal(undefined);
      expect(faultOf(10, some(11.1))).to.equal('a round trip takes 11.10 ms, not 10 ms');
      expect(faultOf(10, some(8.9))).to.equal('a round trip takes 8.90 ms, not 10 ms');
      expect(faultOf(200, some(205.9))).to.equal(undefined);
      expect(faultOf(200, some(206.1))).to.match(/not 200 ms$/);
    });

    it('takes the median', () => {
      expect(faultOf(10, [0, 10, 500])).to.equal(undefined);
      expect(faultOf(10, [9.5, 10.5])).to.equal(undefined);
      expect(faultOf(10, [0, 13, 13])).to.not.equal(undefined);
    });

    it('allows no loss', () => {
      expect(faultOf(10, [...some(10), 1_010.2])).to.equal('1 of 22 round trips lost a packet');
    });
  });
});

function said({ from, label, bytes }: Packet): string {
  return `${from} ${label} ${bytes}`;
}
