/** The link where the kernel can delay and lose packets itself. */
import type { Conditions } from '../../../../src/compare/model.js';
import { DEVICE, type Host } from '../host.js';
import { type Hosts, type Joint, MTU } from '../joint.js';
import { type Direction, QUEUE_MAX_MS } from '../schedule.js';
import { VethPair } from './veth-pair.js';

/** netem bounds its packets in number, those under way included: no fewer than this, whatever rate and delay. */
const QUEUE_MIN_PACKETS = 1_000;
/** Where no rate bounds them. */
const QUEUE_MAX_PACKETS = 100_000;

export class NetemJoint implements Joint {
  readonly kind = 'netem';
  /** The kernel tells nobody what netem does to which packet. */
  readonly trace = undefined;
  readonly #hosts: Hosts;
  readonly #pair: VethPair;
  readonly #hasSeed: boolean;

  private constructor(hosts: Hosts, pair: VethPair, hasSeed: boolean) {
    this.#hosts = hosts;
    this.#pair = pair;
    this.#hasSeed = hasSeed;
  }

  static async open(hosts: Hosts, conditions: Conditions): Promise<NetemJoint> {
    const pair = await VethPair.open(hosts);
    const joint = new NetemJoint(hosts, pair, await hasSeed(hosts.client));
    await joint.set(conditions);
    return joint;
  }

  async set(conditions: Conditions): Promise<void> {
    const { client, server } = this.#hosts;
    await client.run(netemCommand('to-server', conditions, this.#hasSeed));
    await server.run(netemCommand('to-client', conditions, this.#hasSeed));
    await this.#pair.filterUdp(conditions.udp);
  }

  /** The devices go with the hosts. */
  async close(): Promise<void> {}
}

/** iproute2 6.7 and Linux 6.7 can repeat what is random; with older ones each run is another. */
async function hasSeed(host: Host): Promise<boolean> {
  const add = ['tc', 'qdisc', 'replace', 'dev', DEVICE, 'root', 'netem', 'limit', '1000'];
  await host.run(add);
  return await host.run([...add, 'seed', '1']).then(
    () => true,
    () => false,
  );
}

/** All parameters each time: those that are not given, netem keeps as they were. */
export function netemCommand(direction: Direction, conditions: Conditions, hasSeed: boolean): string[] {
  const { roundTripMs, jitterMs, loss, duplicate, reorder, rateKbit, seed } = conditions;
  // netem's jitter goes both ways from the delay.
  const delayMs = roundTripMs / 2 + jitterMs / 2;
  return [
    ...['tc', 'qdisc', 'replace', 'dev', DEVICE, 'root', 'netem'],
    ...['limit', `${limitOf(conditions)}`],
    ...['delay', time(delayMs), time(jitterMs / 2)],
    ...['loss', percent(loss)],
    ...['duplicate', percent(duplicate)],
    // Where there is no delay, nothing can overtake; tc refuses to be asked.
    ...(reorder > 0 && delayMs > 0 ? ['reorder', percent(reorder)] : []),
    ...['rate', `${rateKbit}kbit`],
    ...(hasSeed ? ['seed', `${2 * seed + (direction === 'to-server' ? 0 : 1)}`] : []),
  ];
}

function limitOf({ roundTripMs, jitterMs, rateKbit }: Conditions): number {
  if (rateKbit === 0) return QUEUE_MAX_PACKETS;
  const bytes = ((QUEUE_MAX_MS + roundTripMs / 2 + jitterMs) * rateKbit) / 8;
  return Math.min(QUEUE_MAX_PACKETS, Math.max(QUEUE_MIN_PACKETS, Math.ceil(bytes / MTU)));
}

function time(ms: number): string {
  return `${Math.round(ms * 1_000)}us`;
}

/** As people read it, without the tails of binary fractions. */
function percent(part: number): string {
  return `${Number((part * 100).toPrecision(6))}%`;
}
