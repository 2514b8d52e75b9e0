/** Two devices of the kernel's, one on each host: what is sent on the one comes out of the other. */
import type { UdpFilter } from '../../../../src/compare/model.js';
import { CLIENT_ADDRESS, DEVICE, SERVER_ADDRESS } from '../host.js';
import { addressBatch, type Hosts } from '../joint.js';

interface End {
  address: string;
  /** Locally administered. */
  mac: string;
}

const CLIENT: End = { address: CLIENT_ADDRESS, mac: '02:00:0a:58:00:01' };
const SERVER: End = { address: SERVER_ADDRESS, mac: '02:00:0a:58:00:02' };

export class VethPair {
  readonly #hosts: Hosts;
  #udp: UdpFilter = 'pass';

  private constructor(hosts: Hosts) {
    this.#hosts = hosts;
  }

  static async open(hosts: Hosts): Promise<VethPair> {
    await hosts.client.run([
      'ip',
      'link',
      'add',
      DEVICE,
      'type',
      'veth',
      'peer',
      DEVICE,
      'netns',
      `${hosts.server.pid}`,
    ]);
    await hosts.client.run(['ip', '-batch', '-'], endBatch(CLIENT, SERVER));
    await hosts.server.run(['ip', '-batch', '-'], endBatch(SERVER, CLIENT));
    return new VethPair(hosts);
  }

  /** Where a packet arrives: to drop it where it is sent would be told to the sender. */
  async filterUdp(udp: UdpFilter): Promise<void> {
    if (udp === this.#udp) return;
    await this.#hosts.server.run(['nft', '-f', '-'], udpRules(udp === 'drop' || udp === 'drop-to-server'));
    await this.#hosts.client.run(['nft', '-f', '-'], udpRules(udp === 'drop' || udp === 'drop-to-client'));
    this.#udp = udp;
  }
}

/** For `ip -batch -`. Neighbours are given: asking for them would take a round trip and could be lost. */
export function endBatch(own: End, peer: End): string {
  return [
    // One packet at a time: netem would lose what the kernel has put together for speed as one.
    `link set dev ${DEVICE} address ${own.mac} gso_max_segs 1`,
    `${addressBatch(DEVICE, own.address).trim()}`,
    `neighbour add ${peer.address} lladdr ${peer.mac} dev ${DEVICE} nud permanent`,
    '',
  ].join('\n');
}

/** For `nft -f -`, which does all of it at once. */
export function udpRules(drops: boolean): string {
  const chain = `chain arriving {
    type filter hook input priority filter
    ${drops ? `iifname "${DEVICE}" meta l4proto udp drop` : ''}
  }`;
  return `table ip link\ndelete table ip link\ntable ip link {\n  ${chain}\n}\n`;
}
