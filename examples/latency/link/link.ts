import { fileURLToPath } from 'node:url';
import type { Conditions } from '../../../src/compare/model.js';
import { CLIENT_ADDRESS, Host, SERVER_ADDRESS } from './host.js';
import type { Hosts, Joint, LinkKind, Recorder } from './joint.js';
import { NetemJoint } from './netem/netem-joint.js';
import { availableKind } from './requirements.js';
import { TunJoint } from './tun/tun-joint.js';

export interface LinkOptions {
  /** Default: netem where the kernel has it. */
  kind?: LinkKind | undefined;
  /** Whether the round trip is measured and has to be what is asked for. Default true. */
  check?: boolean | undefined;
  /** Ends the opening. */
  signal?: AbortSignal | undefined;
}

/** What a link may be off by: the greater of the two. */
const OFF_BY_MAX_MS = 1;
const OFF_BY_MAX_PART = 0.03;
/** A machine that others use too may be late once. */
const CHECKS = 5;
/** What TCP waits for before it repeats a SYN, ms (RFC 6298, section 2). */
const SYN_TIMEOUT_MS = 1_000;

const ROUND_TRIP_PROCESS = fileURLToPath(new URL('round-trip-process.js', import.meta.url));

/** Two hosts with the kernel's own TCP and UDP, and the network between them. */
export class Link {
  readonly clientAddress = CLIENT_ADDRESS;
  readonly serverAddress = SERVER_ADDRESS;
  readonly #hosts: Hosts;
  readonly #joint: Joint;
  #checkedRoundTripMs: number | undefined;

  private constructor(hosts: Hosts, joint: Joint) {
    this.#hosts = hosts;
    this.#joint = joint;
  }

  /** @throws LinkUnavailable where this machine or this account cannot have one */
  static async open(conditions: Conditions, { kind, check = true, signal }: LinkOptions = {}): Promise<Link> {
    const { hosts, joint } = await join(availableKind(kind), clean(conditions), signal);
    const link = new Link(hosts, joint);
    try {
      if (check) await link.#check(conditions.roundTripMs, signal);
      await link.set(conditions);
      return link;
    } catch (error) {
      await link.close();
      throw error;
    }
  }

  get kind(): LinkKind {
    return this.#joint.kind;
  }

  /** What was measured when it was opened, without loss, jitter and the rest. */
  get checkedRoundTripMs(): number | undefined {
    return this.#checkedRoundTripMs;
  }

  /** Records packets; undefined where the link is netem's: tcpdump, run on a host, sees those that the host sees. */
  get trace(): Recorder | undefined {
    return this.#joint.trace;
  }

  /**
   * What runs a command on a host. It becomes that command, so that its process id, its streams and Node's channel to it
   * are as without:
   *
   *     const [file, ...args] = link.command('server', [process.execPath, 'server.js']);
   *     spawn(file, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
   *
   * Whoever starts it ends it: a host is there as long as anything runs on it.
   */
  command(host: 'client' | 'server', command: readonly string[]): [file: string, ...args: string[]] {
    return this.#hosts[host].command(command) as [string, ...string[]];
  }

  /** Resolves when they hold for all packets to come; those under way keep their fate. */
  async set(conditions: Conditions): Promise<void> {
    await this.#joint.set(conditions);
  }

  /** The median of some 20, now, ms. Under loss of a quarter and more it is TCP's patience that is measured. */
  async measureRoundTrip(): Promise<number> {
    return median(await this.#roundTrips());
  }

  /** Again is no error. */
  async close(): Promise<void> {
    const { client, server } = this.#hosts;
    await this.#joint.close();
    await Promise.all([client.close(), server.close()]);
  }

  async #check(askedMs: number, signal: AbortSignal | undefined): Promise<void> {
    for (let check = 1; ; check++) {
      signal?.throwIfAborted();
      const roundTrips = await this.#roundTrips();
      const fault = faultOf(askedMs, roundTrips);
      if (fault === undefined) {
        this.#checkedRoundTripMs = median(roundTrips);
        return;
      }
      if (check === CHECKS) throw new Error(`the link is not as asked for: ${fault}; is this machine too busy?`);
    }
  }

  async #roundTrips(): Promise<number[]> {
    const output = await this.#hosts.client.run([process.execPath, ROUND_TRIP_PROCESS, this.serverAddress]);
    return JSON.parse(output) as number[];
  }
}

/** What is wrong with round trips over a link that loses nothing. */
export function faultOf(askedMs: number, roundTrips: readonly number[]): string | undefined {
  const measuredMs = median(roundTrips);
  if (Math.abs(measuredMs - askedMs) > Math.max(OFF_BY_MAX_MS, OFF_BY_MAX_PART * askedMs)) {
    return `a round trip takes ${measuredMs.toFixed(2)} ms, not ${askedMs} ms`;
  }
  const lost = roundTrips.filter((ms) => ms >= askedMs + SYN_TIMEOUT_MS).length;
  return lost > 0 ? `${lost} of ${roundTrips.length} round trips lost a packet` : undefined;
}

function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length / 2;
  return ((sorted[Math.ceil(middle) - 1] as number) + (sorted[Math.floor(middle)] as number)) / 2;
}

/** Of its delay alone. */
function clean(conditions: Conditions): Conditions {
  return { ...conditions, jitterMs: 0, loss: 0, reorder: 0, duplicate: 0, rateKbit: 0, udp: 'pass' };
}

async function join(kind: LinkKind, conditions: Conditions, signal?: AbortSignal) {
  const opened: { close(): Promise<void> }[] = [];
  const keep = <T extends { close(): Promise<void> }>(part: T): T => {
    opened.unshift(part);
    signal?.throwIfAborted();
    return part;
  };
  try {
    const hosts = { client: keep(await Host.open()), server: keep(await Host.open()) };
    const joint: Joint = keep(await (kind === 'netem' ? NetemJoint : TunJoint).open(hosts, conditions));
    return { hosts, joint };
  } catch (error) {
    for (const part of opened) await part.close();
    throw error;
  }
}
