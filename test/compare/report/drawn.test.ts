/** The report as a browser draws it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { Report } from '../../../src/compare/model.js';
import { html } from '../../../src/compare/report/html.js';
import { type SvgFile, svgs } from '../../../src/compare/report/svgs.js';
import { requirePart } from '../../servers/availability.js';
import { hostileReport, sampleReport } from '../sample-report.js';
import { Browser, type Emulation } from './browser.js';
import { edgeReports } from './edge-reports.js';
import {
  activeContent,
  barLengths,
  drawnPackets,
  overflow,
  parserError,
  shownKinds,
  textsThatCollide,
  unnamedCharts,
  useWiderFont,
  weakColours,
} from './page-checks.js';

const HEIGHT = 900;
const PLACES: readonly Emulation[] = [
  { width: 400, height: HEIGHT, scheme: 'light' },
  { width: 400, height: HEIGHT, scheme: 'dark' },
  { width: 1600, height: HEIGHT, scheme: 'light' },
  { width: 1600, height: HEIGHT, scheme: 'dark' },
];
const [NARROW, , WIDE, WIDE_DARK] = PLACES as [Emulation, Emulation, Emulation, Emulation];

describe('compare report: as drawn', function () {
  this.timeout(60_000);
  let browser: Browser;
  let folder: string;

  before(async function () {
    requirePart(this, 'chromium');
    requirePart(this, 'chromedriver');
    folder = await mkdtemp(join(tmpdir(), 'turbotls-report-'));
    browser = await Browser.start();
  });

  after(async () => {
    await browser?.close();
    if (folder !== undefined) await rm(folder, { recursive: true });
  });

  const page = async (name: string, report: Report): Promise<string> => {
    const file = join(folder, `${name}.html`);
    await writeFile(file, html(report));
    return file;
  };
  const run = <T>(check: () => T): Promise<T> => browser.evaluate<T>(check.toString());

  for (const place of PLACES) {
    it(`can be read at ${place.width} px, ${place.scheme}`, async () => {
      await browser.open(await page('sample', sampleReport({ lossy: 60 })), place);
      expect(await run(textsThatCollide)).to.deep.equal([]);
      expect(await run(weakColours)).to.deep.equal([]);
      expect(await run(overflow)).to.deep.equal([]);
    });
  }

  for (const width of [320, 859, 860]) {
    it(`fits a window of ${width} px`, async () => {
      await browser.open(await page('sample', sampleReport({ lossy: 60 })), { ...NARROW, width });
      expect(await run(textsThatCollide)).to.deep.equal([]);
      expect(await run(overflow)).to.deep.equal([]);
    });
  }

  it('can be read in another, wider font', async () => {
    await browser.open(await page('sample', sampleReport({ lossy: 60 })), WIDE);
    await run(useWiderFont);
    expect(await run(textsThatCollide)).to.deep.equal([]);
  });

  it('asks for nothing, says nothing on the console, and names each chart', async () => {
    const file = await page('sample', sampleReport({ lossy: 60 }));
    await browser.requests();
    await browser.messages();
    await browser.open(file, WIDE);
    expect(await browser.requests()).to.deep.equal([`file://${file}`]);
    expect(await browser.messages()).to.deep.equal([]);
    expect(await run(activeContent)).to.deep.equal([]);
    expect(await run(unnamedCharts)).to.deep.equal([]);
  });

  it('takes foreign text for text alone', async () => {
    const file = await page('hostile', hostileReport());
    await browser.requests();
    for (const place of [NARROW, WIDE]) {
      await browser.open(file, place);
      expect(await run(activeContent)).to.deep.equal([]);
      expect(await run(textsThatCollide)).to.deep.equal([]);
      expect(await run(overflow)).to.deep.equal([]);
    }
    expect(await browser.requests()).to.deep.equal([`file://${file}`, `file://${file}`]);
    expect(await browser.messages()).to.deep.equal([]);
  });

  it('draws what it says: lengths of bars, arrows and crosses of packets', async () => {
    const report = sampleReport({ connections: 5, lossy: 5 });
    await browser.open(await page('sample', report), WIDE);
    const lengths = await run(barLengths);
    const figures = svgs(report).find(({ name }) => name === 'round-trips-echo')?.svg ?? '';
    const values = [...figures.matchAll(/>(\d\.\d\d)(?:, [\d.]+ ×)?<\/text>/g)].map(([, value]) => Number(value));
    expect(lengths).to.have.length(7);
    for (const [index, length] of lengths.entries()) expect(length).to.be.closeTo(values[index] ?? 0, 0.01);

    const trace = report.runs[0]?.results.find(({ id }) => id === 'turbo')?.trace;
    const packets = (trace?.packets ?? []).filter(({ sentAtMs }) => sentAtMs <= (trace?.sample.ms ?? 0));
    const drawn = await run(drawnPackets);
    expect(drawn.udp).to.equal(packets.filter(({ protocol }) => protocol === 'udp').length);
    expect(drawn.all).to.equal(packets.length);
    expect(drawn.lost).to.equal(packets.filter(({ arrivedAtMs }) => arrivedAtMs === undefined).length);
  });

  it('shows one drawing of each chart, and the wide one on paper', async () => {
    await browser.open(await page('sample', sampleReport({ connections: 3, lossy: 5 })), NARROW);
    expect(await run(shownKinds)).to.deep.equal(['chart narrow']);
    await browser.cdp('Emulation.setEmulatedMedia', { media: 'print' });
    expect(await run(shownKinds)).to.deep.equal(['chart wide']);
    await browser.cdp('Emulation.setEmulatedMedia', { media: '' });
  });

  it('draws each chart alone as well, light and dark', async () => {
    const files = oneOfEachKind(svgs(sampleReport({ lossy: 60 })));
    for (const [index, { name, svg }] of files.entries()) {
      const file = join(folder, `${name}.svg`);
      await writeFile(file, svg);
      await browser.open(file, index % 2 === 0 ? WIDE : WIDE_DARK);
      expect(await run(textsThatCollide), name).to.deep.equal([]);
      expect(await run(weakColours), name).to.deep.equal([]);
      expect(await run(unnamedCharts), name).to.deep.equal([]);
    }
    expect(await browser.messages()).to.deep.equal([]);
  });

  it('draws charts of foreign text that are sound XML', async () => {
    for (const { name, svg } of oneOfEachKind(svgs(hostileReport()))) {
      const file = join(folder, 'foreign.svg');
      await writeFile(file, svg);
      await browser.open(file, WIDE);
      expect(await run(activeContent), name).to.deep.equal([]);
      expect(await run(parserError), name).to.equal('');
    }
  });

  for (const [index, [name, report]] of Object.entries(edgeReports()).entries()) {
    it(`can be read with ${name}`, async () => {
      await browser.open(await page('edge', report), index % 2 === 0 ? NARROW : WIDE);
      expect(await run(textsThatCollide)).to.deep.equal([]);
      expect(await run(overflow)).to.deep.equal([]);
    });
  }
});

/** Of charts that differ in their group alone, and waterfalls that differ in their case alone, the last. */
function oneOfEachKind(files: readonly SvgFile[]): SvgFile[] {
  const kind = (name: string) => name.replace(/^waterfall-.*|-(echo|postgres|redis|https)$/, '');
  return [...new Map(files.map((file) => [kind(file.name), file])).values()];
}
