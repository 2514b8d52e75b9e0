import { expect } from 'chai';
import { html } from '../../../src/compare/report/html.js';
import { svgs } from '../../../src/compare/report/svgs.js';
import { hostileReport, sampleReport } from '../sample-report.js';
import { edgeReports } from './edge-reports.js';

describe('compare report: HTML and SVG', () => {
  const report = sampleReport({ connections: 3, lossy: 5 });

  it('says what was found, and how: machine, command, date, network, notes', () => {
    const page = html(report);
    const { command, machine, network, notes } = report;
    for (const text of [command, machine.cpu, machine.kernel, machine.node, machine.openssl, network, ...notes]) {
      expect(page).to.contain(text);
    }
    expect(page).to.contain('2025-11-03, 14:05 UTC');
    expect(page).to.contain('<h1>First byte after 2.2 round trips instead of 3.2</h1>');
  });

  it('tells what is missing and what failed', () => {
    const page = html(report);
    expect(page).to.contain('not measured: the npm package @redis/client is not installed');
    expect(page).to.contain('2 failed: connect ETIMEDOUT 10.88.0.2:8443');
    expect(page).to.contain('not measured: QUIC cannot do without UDP');
    const chart = svgs(report).find(({ name }) => name === 'round-trips-redis');
    expect(chart?.svg).to.contain('>not measured: the npm package @redis/client is not installed</text>');
  });

  it('needs nothing from elsewhere', () => {
    const everything = [html(report), ...svgs(report).map(({ svg }) => svg)].join('\n');
    const addresses = [...everything.matchAll(/(?:src|href|url|import|xlink)[^<>"']{0,3}["'(]([^"')]*)/g)].map(
      ([, at]) => at,
    );
    expect(addresses.filter((address) => !address?.startsWith('#') && address !== 'data:,')).to.deep.equal([]);
    expect(everything).to.not.match(/<script|@import|url\(/i);
    expect(everything.replaceAll('http://www.w3.org/2000/svg', '')).to.not.match(/https?:/);
  });

  it('has markup only where it was written', () => {
    const everything = [html(hostileReport()), ...svgs(hostileReport()).map(({ svg }) => svg)].join('\n');
    expect(everything).to.not.match(/<script|<img/i);
    expect(everything.replaceAll('\n', '')).to.not.match(/[\p{Cc}\p{Cf}\p{Cs}]/u);
    expect(everything).to.contain('&lt;script&gt;');
  });

  it('gives each chart a file with a name of its own that is fit for a file', () => {
    const odd = structuredClone(report);
    for (const { results } of odd.runs) for (const result of results) result.id = result.reference = '../../Etc/Passwd';
    for (const files of [svgs(report), svgs(odd)]) {
      const names = files.map(({ name }) => name);
      expect(new Set(names).size).to.equal(names.length);
      for (const name of names) expect(name).to.match(/^[a-z0-9-]+$/);
    }
  });

  it('has a chart for each sweep and group, and a waterfall for each case with packets or phases', () => {
    const names = svgs(report).map(({ name }) => name);
    expect(names).to.include.members(['round-trips-echo', 'round-trips-https', 'round-trip-postgres', 'loss-echo']);
    expect(names).to.include.members(['distribution-echo', 'udp-echo', 'certificate-postgres', 'load-echo']);
    expect(names).to.include.members(['waterfall-psql', 'waterfall-undici']);
    expect(names).to.not.include('waterfall-node-redis');
  });

  it('gives the reference, and what goes over UDP, the same colours everywhere', () => {
    const chart = svgs(report).find(({ name }) => name === 'loss-postgres')?.svg ?? '';
    const titles = [...chart.matchAll(/>([^<]*)<\/text>/g)].map(([, title]) => title);
    expect(titles.slice(1, 4)).to.deep.equal(['pg, direct TLS', 'PgClient over TurboTLS', 'PgClient over node:tls']);
  });

  it('draws each chart on a ground of its own, light and dark', () => {
    for (const { svg, name } of svgs(report)) {
      expect(svg, name).to.match(/^<svg xmlns="http:\/\/www\.w3\.org\/2000\/svg" [^>]*viewBox="0 0 \d+ [\d.]+"/);
      expect(svg, name).to.contain('prefers-color-scheme: dark').and.to.contain('<rect class="ground"');
    }
  });

  for (const [name, edge] of Object.entries(edgeReports())) {
    it(`has a number wherever there is one: ${name}`, () => {
      const everything = [html(edge), ...svgs(edge).map(({ svg }) => svg)].join('\n');
      expect(everything).to.not.match(/NaN|Infinity|undefined|\[object/);
    });
  }
});
