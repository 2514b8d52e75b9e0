import { expect } from 'chai';
import { Host } from '../../../../../examples/latency/link/host.js';
import { netemCommand } from '../../../../../examples/latency/link/netem/netem-joint.js';
import { VethPair } from '../../../../../examples/latency/link/netem/veth-pair.js';
import { PLAIN, requireLink, Talkers } from '../support.js';

/** Its header and 1,500 bytes. */
const ETHERNET_FRAME = 1_514;
const ALL = { roundTripMs: 50, jitterMs: 3, loss: 0.01, reorder: 0.1, duplicate: 0.002, rateKbit: 20_000, seed: 4 };

function parameters(conditions: Partial<typeof PLAIN>, hasSeed = false): string {
  return netemCommand('to-server', { ...PLAIN, ...conditions }, hasSeed)
    .slice(7)
    .join(' ');
}

describe('link of netem', () => {
  it('names the device', () => {
    expect(netemCommand('to-client', PLAIN, false).slice(0, 7).join(' ')).to.equal(
      'tc qdisc replace dev link0 root netem',
    );
  });

  it('names all parameters, or netem would keep those of before', () => {
    expect(parameters({})).to.equal('limit 100000 delay 10000us 0us loss 0% duplicate 0% rate 0kbit');
  });

  it('says all that can be asked for', () => {
    expect(parameters(ALL)).to.equal(
      'limit 1000 delay 26500us 1500us loss 1% duplicate 0.2% reorder 10% rate 20000kbit',
    );
  });

  it('has room for what waits and what is under way', () => {
    expect(parameters({ roundTripMs: 200, rateKbit: 1_000_000 })).to.match(/^limit 25000 /);
  });

  it('does not ask for reordering without a delay', () => {
    expect(parameters({ reorder: 0.5, roundTripMs: 0 })).to.not.include('reorder');
  });

  it('has another seed in each direction', () => {
    const seeds = (['to-server', 'to-client'] as const).map((direction) =>
      netemCommand(direction, { ...PLAIN, seed: 3 }, true).slice(-2),
    );
    expect(seeds).to.deep.equal([
      ['seed', '6'],
      ['seed', '7'],
    ]);
  });

  describe('in real namespaces', () => {
    let client: Host;
    let server: Host;
    let pair: VethPair;
    let talkers: Talkers;

    before(async function () {
      requireLink(this);
      [client, server] = await Promise.all([Host.open(), Host.open()]);
      pair = await VethPair.open({ client, server });
      talkers = await Talkers.start(
        (command) => client.command(command),
        (command) => server.command(command),
      );
    });

    after(async () => {
      await talkers?.end();
      await client?.close();
      await server?.close();
    });

    it('is asked for in words that tc knows', async () => {
      const said = await client.run(netemCommand('to-server', { ...PLAIN, ...ALL }, false)).catch(String);
      expect(said, 'a kernel without netem says so, tc says nothing').to.match(/^$|qdisc kind is unknown/);
    });

    it('carries TCP in single packets, as netem has to lose them', async () => {
      await talkers.talk({ bytes: 1_000_000 });
      const [device] = JSON.parse(await client.run(['ip', '-json', '-statistics', 'link', 'show', 'link0']));
      const { bytes, packets } = device.stats64.tx;
      expect(bytes).to.be.above(2_000_000);
      expect(bytes / packets).to.be.at.most(ETHERNET_FRAME);
    });

    const filters = [
      { udp: 'drop', atServer: [], back: [] },
      { udp: 'drop-to-server', atServer: [], back: [] },
      { udp: 'drop-to-client', atServer: [0, 1, 2], back: [] },
      { udp: 'pass', atServer: [0, 1, 2], back: [0, 1, 2] },
    ] as const;
    for (const { udp, atServer, back } of filters) {
      it(`UDP ${udp}: told to nobody, and TCP passes`, async () => {
        await pair.filterUdp(udp);
        expect(await talkers.talk({ datagrams: 3 })).to.deep.equal({ atServer, back });
      });
    }
  });
});
