/** The front and its workers, with real processes and the kernel's sockets. */
import type { ChildProcess } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import { echoed, request, until, WorkersRig } from './rig.js';

const MiB = 1024 * 1024;

for (const server of ['listener', 'attach'] as const) {
  describe(`workers behind a front, by ${server === 'attach' ? 'a tls.Server' : 'a TurboListener'}`, function () {
    this.timeout(30_000);
    let rig: WorkersRig;

    before(async () => {
      rig = await WorkersRig.start({ settings: { server } });
    });

    after(() => rig.close());

    it('make TurboTLS connections', async () => {
      for (let round = 0; round < 4; round++) {
        const socket = await rig.turbo();
        expect(socket.turbo?.carrier).to.equal('udp');
        expect((await echoed(socket, Buffer.from(`round ${round}`))).toString()).to.equal(`round ${round}`);
        socket.destroy();
      }
    });

    it('make them in careful mode', async () => {
      const socket = await rig.turbo({ turbo: { firstContact: 'careful' } });
      expect(socket.turbo?.carrier).to.equal('udp');
      expect((await echoed(socket, Buffer.from('careful'))).toString()).to.equal('careful');
      socket.destroy();
    });

    it('make plain TLS connections, of both versions', async () => {
      for (const maxVersion of ['TLSv1.2', 'TLSv1.3'] as const) {
        const socket = await rig.plain({ maxVersion });
        expect(socket.getProtocol()).to.equal(maxVersion);
        expect((await echoed(socket, Buffer.from(maxVersion))).toString()).to.equal(maxVersion);
        socket.destroy();
      }
    });

    it('make TLS 1.2 over turbo', async () => {
      const socket = await rig.turbo({ maxVersion: 'TLSv1.2' });
      expect(socket.getProtocol()).to.equal('TLSv1.2');
      expect((await echoed(socket, Buffer.from('1.2'))).toString()).to.equal('1.2');
      socket.destroy();
    });

    it('carry megabytes both ways without losing a byte, said at once', async () => {
      const carry = async (kind: 'turbo' | 'plain') => {
        const bytes = randomBytes(4 * MiB);
        const socket = await (kind === 'turbo' ? rig.turbo() : rig.plain());
        const back = await echoed(socket, bytes);
        socket.destroy();
        expect(back.equals(bytes)).to.equal(true);
      };
      for (let round = 0; round < 2; round++) {
        await Promise.all((['turbo', 'plain', 'turbo', 'plain'] as const).map(carry));
      }
    });

    it('share what comes', async () => {
      const sockets = await Promise.all(Array.from({ length: 12 }, (_, i) => (i % 2 ? rig.turbo() : rig.plain())));
      await until(() => rig.pool.front.arriving === 0, 'all are passed on');
      const connections = (await rig.reports()).map((each) => each.connections);
      expect(connections.reduce((sum, each) => sum + each)).to.equal(12);
      expect(Math.min(...connections)).to.be.at.least(5);
      for (const socket of sockets) socket.destroy();
      await until(() => rig.pool.front.workers.every((each) => each.connections === 0), 'the front has heard of it');
    });

    it('see the client’s addresses', async () => {
      const socket = await rig.turbo();
      expect(socket.remotePort).to.equal(rig.address.port);
      socket.destroy();
    });
  });
}

describe('first bytes in the front', function () {
  this.timeout(20_000);
  let rig: WorkersRig;

  before(async () => {
    const protocols = ['tls', 'proxy-v1', 'pg-ssl-request', 'pg-cancel-request'] as const;
    rig = await WorkersRig.start({ settings: { protocols: [...protocols] }, limits: { arrivalTimeoutMs: 300 } });
  });

  after(() => rig.close());

  /** Writes the pieces one after the other, and reads to the end. */
  async function say(...pieces: (string | Buffer)[]): Promise<string> {
    const socket = connectTcp(rig.address.port, '127.0.0.1').setNoDelay(true);
    let heard = '';
    socket.on('data', (chunk) => {
      heard += chunk.toString('latin1');
    });
    socket.on('error', () => {});
    await once(socket, 'connect');
    for (const piece of pieces) {
      socket.write(piece);
      await delay(20);
    }
    if (!socket.closed) await once(socket, 'close');
    return heard;
  }

  it('reach the worker’s own detection, in one piece or byte by byte', async () => {
    const request = Buffer.from('0000000804d2162f', 'hex');
    expect(await say(request)).to.equal(`pg-ssl-request ${request.toString('latin1')}`);
    expect(await say(...[...request].map((byte) => Buffer.of(byte)))).to.equal(
      `pg-ssl-request ${request.toString('latin1')}`,
    );
    const cancel = Buffer.from('0000001004d2162e0000000100000002', 'hex');
    expect(await say(cancel)).to.equal(`pg-cancel-request ${cancel.toString('latin1')}`);
    const header = 'PROXY TCP4 10.1.2.3 127.0.0.1 4711 443\r\n';
    const hello = '\x16\x03\x01 more';
    expect(await say(header, Buffer.from(hello, 'latin1'))).to.equal(`proxy-v1 ${header}${hello}`);
  });

  it('that are no protocol are the worker’s to refuse', async () => {
    expect(await say('GET / HTTP/1.1\r\n\r\n')).to.equal('');
  });

  it('that do not come end the connection', async () => {
    const refused = rig.next('refused');
    expect(await say()).to.equal('');
    expect(await refused).to.include({ reason: 'timeout' });
    expect(await say('TTLS')).to.equal('');
    expect(rig.pool.front.arriving).to.equal(0);
  });

  it('of a client that leaves are nobody’s', async () => {
    const refused = rig.next('refused');
    const socket = connectTcp(rig.address.port, '127.0.0.1');
    await once(socket, 'connect');
    socket.resetAndDestroy();
    expect(await refused).to.include({ reason: 'peer-gone' });
  });
});

describe('what front and workers tell each other', function () {
  this.timeout(20_000);
  let rig: WorkersRig;

  before(async () => {
    rig = await WorkersRig.start();
  });

  after(() => rig.close());

  it('arrives whole and in order, each at whom it was told', async () => {
    const [one, two] = rig.pool.processes as [ChildProcess, ChildProcess];
    const said = ['', 'a', 'x'.repeat(300_000), 'end'];
    for (const text of said) {
      rig.pool.front.tell(one, Buffer.from(`1${text}`));
      rig.pool.front.tell(two, Buffer.from(text));
    }
    await until(() => rig.told.length === 8, 'all is told back');
    const of = (child: ChildProcess) => rig.told.filter(({ pid }) => pid === child.pid).map(({ text }) => text);
    expect(of(one)).to.deep.equal(said.map((text) => `heard 1${text}`));
    expect(of(two)).to.deep.equal(said.map((text) => `heard ${text}`));
  });

  it('is counted and acknowledged', async () => {
    const [one] = rig.pool.processes as [ChildProcess];
    request(one, { ask: 'block', ms: 100 });
    rig.pool.front.tell(one, Buffer.from('later'));
    const lag = () => rig.pool.front.workers.find(({ pid }) => pid === one.pid)?.lagMs ?? 0;
    await until(() => lag() > 20, 'it is not acknowledged yet');
    await until(() => lag() === 0, 'it is');
  });

  it('is nothing to a process that is none of the workers', () => {
    rig.pool.front.tell({ kill: () => {}, connected: true, on: () => {}, off: () => {} }, Buffer.from('nobody'));
  });
});
