/**
 * Item 3 of the reliability matrix: loss x reordering x duplication x corruption, in virtual time, with the real
 * node:tls at both ends. Every connection completes, over UDP or over TCP alone, and gets back what it sent.
 *
 * TCP loses segments too, and sends them again as Linux does. One limit keeps TCP itself from failing, which no client
 * could mend: no segment is lost more than four times in a row.
 */
import { expect } from 'chai';
import type { TurboConnectionOptions } from '../../src/client/connect.js';
import type { PathMemory } from '../../src/client/path-memory.js';
import type { FirstContact } from '../../src/experimental.js';
import type { Filter } from '../simulator/network.js';
import { Random } from '../simulator/random.js';
import { makeCertificate } from '../support/certificates.js';
import { announceSeed, byForm, isLong, makeWorld, NAME, SERVER, seed, type World } from './support.js';

const LOSSES = [0, 0.01, 0.02, 0.05, 0.1, 0.2, 0.3];
const REORDERS = [0, 0.05, 0.25];
const DUPLICATES = [0, 0.05];
const CORRUPTIONS = [0, 0.01, 0.05];

const CONNECTIONS = byForm({ short: 6, long: 1_000 });
/** Between the starts of two connections, on average: sessions that nobody claims must not fill the table. */
const PAUSE_MS = 40;
/** How much later a reordered datagram arrives at most: longer than any grace here. */
const REORDER_MS = 20;
const LOSSES_IN_A_ROW = 4;
/** Connections that share a path memory, where they share one. */
const SHARERS = 16;
const CHAIN_SERVER = '10.0.0.3';
/** Of such a chain the flight takes five datagrams, all but one of what first contact has credit for. */
const CHAIN_LENGTH = 10;
/** A ClientHello with these takes two datagrams. */
const PROTOCOLS = Array.from({ length: 40 }, (_, index) => `protocol-${index}`.padEnd(40, '.'));

const TARGETS: readonly TurboConnectionOptions[] = [
  { host: SERVER },
  { host: CHAIN_SERVER },
  { host: SERVER, ALPNProtocols: PROTOCOLS },
];

interface Cell {
  loss: number;
  reorder: number;
  duplicate: number;
  corrupt: number;
}

interface Variant {
  firstContact: FirstContact;
  memory: 'fresh' | 'shared';
}

const VARIANTS: readonly Variant[] = [
  { firstContact: 'fast', memory: 'fresh' },
  { firstContact: 'careful', memory: 'fresh' },
  { firstContact: 'fast', memory: 'shared' },
  { firstContact: 'careful', memory: 'shared' },
];

/** How many of the connections ran over UDP. */
class Tally {
  udp = 0;
  all = 0;

  add(carrier: 'udp' | 'tcp' | undefined): void {
    this.all++;
    if (carrier === 'udp') this.udp++;
  }

  get share(): number {
    return this.udp / this.all;
  }

  get percent(): string {
    return (this.all === 0 ? '-' : `${Math.round(100 * this.share)}%`).padStart(5);
  }
}

/** Tallies by name, made where they are missing. */
class Tallies {
  readonly #tallies = new Map<string, Tally>();

  at(name: string): Tally {
    let tally = this.#tallies.get(name);
    if (!tally) {
      tally = new Tally();
      this.#tallies.set(name, tally);
    }
    return tally;
  }
}

const neverLostTooOften: Filter = ({ protocol, attempt }) =>
  protocol === 'tcp' && attempt >= LOSSES_IN_A_ROW ? 'deliver' : undefined;

function cellsOf(loss: number): Cell[] {
  return REORDERS.flatMap((reorder) =>
    DUPLICATES.flatMap((duplicate) => CORRUPTIONS.map((corrupt) => ({ loss, reorder, duplicate, corrupt }))),
  );
}

describe('item 3: loss, reordering, duplication, corruption', () => {
  announceSeed();

  const byCell = new Tallies();
  const byVariant = new Tallies();

  for (const loss of LOSSES) {
    it(`${CONNECTIONS} connections in each of 18 cells complete at ${loss * 100} % loss`, async () => {
      for (const cell of cellsOf(loss)) await runCell(cell);
      const [mildest] = cellsOf(loss);
      if (loss === 0) expect(byCell.at(JSON.stringify(mildest)).share, 'over UDP without any fault').to.equal(1);
    }).timeout(byForm({ short: 60_000, long: 3_600_000 }));
  }

  after(() => {
    printVariants();
    if (isLong) printCells();
  });

  async function runCell(cell: Cell): Promise<void> {
    const name = JSON.stringify(cell);
    const random = new Random(`${seed} ${name}`);
    const world = await makeWorld({ seed: `${seed} ${name}`, link: { ...cell, reorderMs: REORDER_MS } });
    world.net.filter = neverLostTooOften;
    const { ca } = world.certificate;
    await world.server({ tls: { ALPNProtocols: PROTOCOLS.slice(-1) } });
    const chain = await makeCertificate({ names: [NAME], chainLength: CHAIN_LENGTH });
    const chainServer = await world.server({ address: CHAIN_SERVER, certificate: chain });
    expect(chain.ca).to.equal(ca);

    const memories = new Map<string, PathMemory>();
    const failures: string[] = [];
    let startMs = 0;
    const connections = Array.from({ length: CONNECTIONS }, async (_, index) => {
      const variant = VARIANTS[index % VARIANTS.length] as Variant;
      const draws = random.fork(index);
      startMs += 2 * PAUSE_MS * draws.next();
      await later(world, startMs);
      try {
        const carrier = await connectOnce(world, index, draws, variant, memoryOf(world, memories, index, variant));
        byCell.at(name).add(carrier);
        byVariant.at(`${cell.loss} ${variantName(variant)}`).add(carrier);
      } catch (error) {
        failures.push(`connection ${index} of ${name}, ${JSON.stringify(variant)}: ${error}`);
      }
    });
    await world.clock.run(Promise.all(connections));
    expect(failures, 'failed connections').to.deep.equal([]);
    expect(chainServer.secured, 'connections to the long chain').to.be.above(0);
    await world.expectNothingLeft();
  }

  /** One connection, from a host of its own, to one of three targets; returns what carried it. */
  async function connectOnce(world: World, index: number, draws: Random, variant: Variant, memory: PathMemory) {
    const target = TARGETS[index % TARGETS.length];
    const payload = draws.bytes(1 + draws.int(draws.chance(0.03) ? 100_000 : 4_000));
    const { firstContact } = variant;
    const from = `10.1.${index >> 8}.${index & 255}`;
    const socket = world.connect({ ...target, turbo: { firstContact, memory } }, from);
    const { carrier } = await world.exchange(socket, { payload, halfClose: draws.chance(0.3) });
    return carrier;
  }

  function printVariants(): void {
    console.log('      carried by UDP, by loss and variant');
    for (const variant of VARIANTS) {
      const shares = LOSSES.map((loss) => byVariant.at(`${loss} ${variantName(variant)}`).percent);
      console.log(`      ${variantName(variant).padEnd(15)}${shares.join('')}`);
    }
  }

  function printCells(): void {
    console.log('      carried by UDP: reorder, duplicate, corrupt; by loss');
    for (const { reorder, duplicate, corrupt } of cellsOf(0)) {
      const shares = LOSSES.map((loss) => byCell.at(JSON.stringify({ loss, reorder, duplicate, corrupt })).percent);
      console.log(
        `      ${[reorder, duplicate, corrupt].map((part) => String(part).padEnd(5)).join('')}${shares.join('')}`,
      );
    }
  }
});

function variantName({ firstContact, memory }: Variant): string {
  return `${firstContact} ${memory}`;
}

function memoryOf(world: World, shared: Map<string, PathMemory>, index: number, variant: Variant): PathMemory {
  if (variant.memory === 'fresh') return world.memory();
  const key = `${variant.firstContact} ${Math.floor(index / (SHARERS * VARIANTS.length))}`;
  const memory = shared.get(key) ?? world.memory();
  shared.set(key, memory);
  return memory;
}

function later(world: World, delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    world.clock.after(delayMs, resolve);
  });
}
