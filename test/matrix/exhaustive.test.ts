/**
 * Item 4 of the reliability matrix: every drop, duplicate and swap of the twelve datagrams of a first contact, TCP
 * connecting before, between and behind the server's, stragglers on either side of the tombstone. All complete.
 *
 * Each case is one connection, from a host of its own; a batch of them shares a world, in which none sees another.
 */
import { expect } from 'chai';
import type { FirstContact } from '../../src/experimental.js';
import type { Packet, Verdict } from '../simulator/network.js';
import { Random } from '../simulator/random.js';
import { makeCertificate } from '../support/certificates.js';
import { announceSeed, byForm, makeWorld, NAME, PORT, seed, type World } from './support.js';

/** What first contact sends, and what the answer may take of it: a server's flight of six datagrams takes all. */
const CLIENT_DATAGRAMS = 6;
const SERVER_DATAGRAMS = 6;
const DATAGRAMS = CLIENT_DATAGRAMS + SERVER_DATAGRAMS;
/** Names that make a certificate so long. */
const NAMES = [NAME, ...Array.from({ length: 88 }, (_, index) => `${'n'.repeat(50)}${index}.${NAME}`)];
/** Between two datagrams of the server, ms; TCP connects in the middle of such a gap. */
const GAP_MS = 2;
/** The client's stragglers come behind the tombstone, however late TCP connects. */
const CLIENT_STRAGGLER_MS = 120;
/** The server's come behind the claim and before the Reply. */
const SERVER_STRAGGLER_MS = 30;
const BATCH = 128;
/** A ClientHello with these takes two datagrams. */
const PROTOCOLS = Array.from({ length: 40 }, (_, index) => `protocol-${index}`.padEnd(40, '.'));

type Fate = 'pass' | 'drop' | 'duplicate' | 'straggle';

/** The client's datagrams are 0 to 5, the server's 6 to 11. */
interface Faults {
  fates: ReadonlyMap<number, Fate>;
  swap?: readonly [number, number];
}

interface Case extends Faults {
  firstContact: FirstContact;
  longHello: boolean;
  /** How many of the server's datagrams would come before TCP connects, if none were lost. */
  before: number;
}

const ALL = Array.from({ length: DATAGRAMS }, (_, index) => index);
const EVERY_BEFORE = Array.from({ length: SERVER_DATAGRAMS + 1 }, (_, index) => index);
/** None, half, all of the server's datagrams. */
const SOME_BEFORE = [0, 3, 6];
const SWAPS = ALL.flatMap((one) =>
  ALL.filter((other) => other > one && isClients(one) === isClients(other)).map((other) => [one, other] as const),
);

function isClients(datagram: number): boolean {
  return datagram < CLIENT_DATAGRAMS;
}

/** Every subset of the datagrams with this fate; of `size` members only, where that is given. */
function* subsets(fate: Fate, size?: number): Generator<Faults> {
  for (let bits = 0; bits < 2 ** DATAGRAMS; bits++) {
    const members = ALL.filter((datagram) => bits & (1 << datagram));
    if (size !== undefined && members.length !== size) continue;
    yield { fates: new Map(members.map((datagram) => [datagram, fate])) };
  }
}

/** Every swap of two datagrams of one side, beside each single fault. */
function* swaps(): Generator<Faults> {
  for (const swap of SWAPS) {
    yield { fates: new Map(), swap };
    for (const fate of ['drop', 'duplicate'] as const) {
      for (const datagram of ALL) yield { fates: new Map([[datagram, fate]]), swap };
    }
  }
}

/** Faults, with TCP at each of the places and with every kind of client. */
function* casesOf(faults: Iterable<Faults>, places: readonly number[]): Generator<Case> {
  for (const fault of faults) {
    for (const before of places) {
      for (const firstContact of ['fast', 'careful'] as const) {
        for (const longHello of [false, true]) yield { ...fault, before, firstContact, longHello };
      }
    }
  }
}

function* sample(cases: Iterable<Case>, part: number, random: Random): Generator<Case> {
  for (const each of cases) if (random.chance(part)) yield each;
}

/** What becomes of a packet of a case: its place in time, and its fate. */
function verdictOf({ fates, swap, before }: Case, packet: Packet): Verdict {
  if (packet.protocol === 'tcp') return packet.kind === 'syn' ? { delayMs: before * GAP_MS } : 'deliver';
  const datagram = packet.from.endsWith(`:${PORT}`) ? CLIENT_DATAGRAMS + packet.index : packet.index;
  const fate = fates.get(datagram) ?? 'pass';
  if (fate === 'drop') return 'drop';
  const place = swap?.includes(datagram) ? (swap[0] === datagram ? swap[1] : swap[0]) : datagram;
  const inOrder = isClients(place) ? place * 0.1 : GAP_MS / 2 + (place - CLIENT_DATAGRAMS) * GAP_MS;
  const straggling = isClients(datagram) ? CLIENT_STRAGGLER_MS : SERVER_STRAGGLER_MS;
  return { delayMs: fate === 'straggle' ? straggling + inOrder : inOrder, copies: fate === 'duplicate' ? 2 : 1 };
}

describe('item 4: every drop, duplicate and swap of twelve datagrams', () => {
  announceSeed();

  const random = new Random(seed);
  const timeout = byForm({ short: 60_000, long: 3_600_000 });

  it('a first contact without faults is twelve datagrams long', async () => {
    const { world, carriers } = await run([...casesOf([{ fates: new Map() }], [SERVER_DATAGRAMS])]);
    expect(carriers).to.deep.equal(['udp', 'udp', 'udp', 'udp']);
    expect(world.net.counters.udp.sent).to.equal(carriers.length * DATAGRAMS);
  });

  const suites: [string, () => Iterable<Case>][] = byForm<[string, () => Iterable<Case>][]>({
    short: [
      ['single drops', () => casesOf(subsets('drop', 1), SOME_BEFORE)],
      ['single duplicates', () => casesOf(subsets('duplicate', 1), SOME_BEFORE)],
      ['double drops', () => sample(casesOf(subsets('drop', 2), SOME_BEFORE), 0.5, random)],
      ['many drops', () => sample(casesOf(subsets('drop'), EVERY_BEFORE), 0.003, random)],
      ['many duplicates', () => sample(casesOf(subsets('duplicate'), EVERY_BEFORE), 0.001, random)],
      ['swaps', () => sample(casesOf(swaps(), SOME_BEFORE), 0.04, random)],
      ['stragglers', () => sample(casesOf(subsets('straggle'), EVERY_BEFORE), 0.003, random)],
    ],
    long: [
      ['drops of any datagrams', () => casesOf(subsets('drop'), EVERY_BEFORE)],
      ['duplicates of any datagrams', () => casesOf(subsets('duplicate'), SOME_BEFORE)],
      ['swaps of any two datagrams beside any other fault', () => casesOf(swaps(), EVERY_BEFORE)],
      ['stragglers behind the tombstone, of any datagrams', () => casesOf(subsets('straggle'), SOME_BEFORE)],
    ],
  });
  for (const [name, cases] of suites) {
    it(name, async () => {
      let count = 0;
      let overUdp = 0;
      for (const batch of batches(cases())) {
        const { carriers } = await run(batch);
        count += carriers.length;
        overUdp += carriers.filter((carrier) => carrier === 'udp').length;
      }
      console.log(`      ${count} cases, ${overUdp} of them over UDP`);
      expect(count).to.be.above(0);
    }).timeout(timeout);
  }

  it('a ClientHello that comes when its session was claimed and is forgotten', async () => {
    const world = await makeWorld();
    const server = await world.server();
    const lateMs = 11_000;
    world.net.filter = ({ protocol, from, index }) =>
      protocol === 'udp' && !from.endsWith(`:${PORT}`) && index === 1 ? { delayMs: lateMs } : undefined;
    expect((await world.visit()).carrier).to.equal('udp');
    await world.clock.advance(lateMs);
    await world.expectNothingLeft();
    expect(server.count('bound')).to.equal(1);
  });
});

/** Runs cases side by side; fails with those that did not complete. */
async function run(cases: readonly Case[]): Promise<{ world: World; carriers: (string | undefined)[] }> {
  const world = await makeWorld();
  const certificate = await makeCertificate({ names: NAMES });
  await world.server({ certificate, tls: { ALPNProtocols: PROTOCOLS.slice(-1) } });
  const byAddress = new Map(cases.map((each, index) => [`10.1.${index >> 8}.${index & 255}`, each]));
  world.net.filter = (packet) => {
    const client = packet.from.endsWith(`:${PORT}`) ? packet.to : packet.from;
    const found = byAddress.get(client.slice(0, client.lastIndexOf(':')));
    return found && verdictOf(found, packet);
  };
  const failures: string[] = [];
  const exchanges = [...byAddress].map(async ([address, each]) => {
    const { firstContact, longHello } = each;
    const hello = longHello ? { ALPNProtocols: PROTOCOLS } : {};
    try {
      const socket = world.connect({ ...hello, turbo: { firstContact } }, address);
      return (await world.exchange(socket, { payload: Buffer.alloc(3_000, address) })).carrier;
    } catch (error) {
      failures.push(`${JSON.stringify({ ...each, fates: [...each.fates] })}: ${error}`);
      return undefined;
    }
  });
  const carriers = await world.clock.run(Promise.all(exchanges));
  expect(failures, 'cases that did not complete').to.deep.equal([]);
  await world.expectNothingLeft();
  return { world, carriers };
}

function* batches(cases: Iterable<Case>): Generator<Case[]> {
  let batch: Case[] = [];
  for (const each of cases) {
    batch.push(each);
    if (batch.length < BATCH) continue;
    yield batch;
    batch = [];
  }
  if (batch.length > 0) yield batch;
}
