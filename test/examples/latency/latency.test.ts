/** The harness, run as a program; and its figures beside those of tcpdump. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { expect } from 'chai';
import type { CaseResult, Report, Run } from '../../../src/compare/model.js';
import { percentile } from '../../../src/compare/statistics.js';
import { requirePart } from '../../servers/index.js';
import { endPrograms, run, start } from '../programs.js';
import { flightsOf } from './capture-flights.js';
import { requireLink } from './link/support.js';

const SCRIPT = 'latency/latency';
/** How far the harness may be from what tcpdump saw. */
const AGREEMENT = 0.05;
const CLEAR_UP_MS = 20_000;

describe('latency', function () {
  this.timeout(120_000);
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'turbotls-latency-'));
  });
  after(() => rmSync(folder, { recursive: true, force: true }));
  afterEach(endPrograms);

  async function measured(...args: string[]): Promise<Report> {
    const { code, stdout, stderr } = await run(SCRIPT, [...args, '--json']);
    expect(code, stderr).to.equal(0);
    return JSON.parse(stdout) as Report;
  }

  function resultOf({ results }: Run, id: string): CaseResult {
    const result = results.find((each) => each.id === id);
    if (!result) throw new Error(`no ${id} in ${results.map((each) => each.id)}`);
    return result;
  }

  describe('over the link', () => {
    before(function () {
      requireLink(this);
    });

    it('agrees with tcpdump, which sees the round trips that it tells of', async function () {
      requirePart(this, 'tcpdump');
      const pcap = join(folder, 'client.pcap');
      // The longer a round trip, the smaller a part of it is what a busy machine adds.
      const args = ['--rtt', '200', '--sweeps', 'cases', '--only', 'tls,turbo', '--samples', '5', '--pcap', pcap];
      const { runs } = await measured(...args);
      const [cases] = runs as [Run];
      const flights = flightsOf(pcap, cases.roundTripMs as number);
      for (const [id, carrier, roundTrips] of [
        ['tls', 'tcp', 3],
        ['turbo', 'udp', 2],
      ] as const) {
        const { samples, failures, missing } = resultOf(cases, id);
        expect({ failures, missing, count: samples.length }).to.deep.equal({
          failures: [],
          missing: undefined,
          count: 5,
        });
        const seen = flights.filter((each) => each.carrier === carrier && each.roundTrips === roundTrips);
        expect(seen.length, `connections of ${roundTrips} round trips that began over ${carrier}`).to.be.at.least(3);
        const own = percentile(
          samples.filter((each) => each.carrier === carrier).map(({ ms }) => ms),
          50,
        ) as number;
        const captured = percentile(
          seen.map(({ ms }) => ms),
          50,
        ) as number;
        expect(own / captured, `${id}: ${own} ms, captured ${captured} ms`).to.be.within(1 - AGREEMENT, 1 + AGREEMENT);
      }
    });

    it('shows each packet of a usual connection, and UDP blocked', async () => {
      const { runs, network } = await measured('--quick', '--sweeps', 'cases,udp', '--only', 'turbo', '--samples', '1');
      expect(network).to.match(/two network namespaces/);
      const [cases, blocked] = runs as [Run, Run];
      expect(cases.results.map(({ id }) => id)).to.deep.equal(['tls', 'turbo']);
      const labels = (run: Run, id: string) => resultOf(run, id).trace?.packets.map(({ label }) => label) ?? [];
      expect(labels(cases, 'tls')[0]).to.equal('SYN');
      expect(labels(cases, 'tls')).to.include('ClientHello').and.not.include('datagram');
      expect(labels(cases, 'turbo')).to.include.members(['SYN', 'datagram']);
      expect(blocked.conditions?.udp).to.equal('drop');
      const { samples, trace } = resultOf(blocked, 'turbo');
      expect(samples.map(({ carrier }) => carrier)).to.deep.equal(['tcp']);
      const datagrams = trace?.packets.filter(({ protocol }) => protocol === 'udp') ?? [];
      expect(datagrams.length).to.be.above(0);
      expect(datagrams.every(({ arrivedAtMs }) => arrivedAtMs === undefined)).to.equal(true);
    });

    it('clears everything away at Ctrl-C', async () => {
      const mark = randomUUID();
      const program = start(SCRIPT, ['--sweeps', 'cases', '--only', 'tls', '--samples', '1000'], { TEST_MARK: mark });
      await until(() => programsOf(mark).some((command) => command.includes('client-process')), 'it measures');
      program.process.kill('SIGINT');
      const { code } = await program.ended;
      expect(code).to.equal(130);
      await until(() => programsOf(mark).length === 0, 'nothing is left');
    });
  });

  it('measures over loopback where that is asked for, and says that there is nothing to save', async () => {
    const { runs, network, notes } = await measured('--loopback', '--only', 'tls', '--samples', '2');
    expect(network).to.equal('loopback of this machine');
    expect(notes[0]).to.match(/no round trip to save/);
    expect(runs.map(({ roundTripMs, results }) => [roundTripMs, results.length])).to.deep.equal([[undefined, 1]]);
  });

  it('shows what was measured before, as a table and as a page', async () => {
    const report = await measured('--loopback', '--only', 'tls', '--samples', '2');
    const file = join(folder, 'report.json');
    writeFileSync(file, JSON.stringify(report));
    const page = join(folder, 'report.html');
    const { code, stdout, stderr } = await run(SCRIPT, ['--from', file, '--html', page, '--svg', join(folder, 'svg')]);
    expect(code, stderr).to.equal(0);
    expect(stdout).to.match(/node:tls/);
    expect(readFileSync(page, 'utf8')).to.match(/^<!doctype html>/);
    expect(readdirSync(join(folder, 'svg'))).to.include('round-trips-echo.svg');
  });

  const refused = [
    ['--sweeps', 'nonsense'],
    ['--only', 'tls,nonsense'],
    ['--link', 'nonsense'],
    ['--loss', '0.1,nonsense'],
    ['--rtt', '5000'],
    ['--nonsense'],
  ];
  for (const args of refused) {
    it(`does not understand ${args.join(' ')}`, async () => {
      const { code, stderr } = await run(SCRIPT, args);
      expect(code).to.equal(2);
      expect(stderr).to.match(new RegExp(args.at(-1)?.split(',').at(-1) as string));
    });
  }
});

/** The command lines of all that was started with this in its environment. */
function programsOf(mark: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const isOurs = readFileSync(`/proc/${pid}/environ`, 'utf8').includes(mark);
        return isOurs ? [readFileSync(`/proc/${pid}/cmdline`, 'utf8')] : [];
      } catch {
        return []; // it has just ended
      }
    });
}

async function until(condition: () => boolean, what: string): Promise<void> {
  for (const deadline = Date.now() + CLEAR_UP_MS; Date.now() < deadline; await delay(50)) if (condition()) return;
  throw new Error(`not within ${CLEAR_UP_MS} ms: ${what}`);
}
