import { expect } from 'chai';
import type { Report } from '../../src/compare/model.js';
import { table } from '../../src/compare/table.js';
import { edgeReports } from './report/edge-reports.js';
import { hostileReport, sampleReport } from './sample-report.js';

const PLAIN = { colour: false, unicode: true };

describe('compare: table', () => {
  it('tells of each case its times, its round trips, its ratio and what carried it', () => {
    const lines = table(small(), { ...PLAIN, width: 100 }).split('\n');
    expect(lines).to.deep.equal([
      'Every way to connect: 50 ms',
      'A round trip takes 50.0 ms.',
      '',
      'Echo        median  p95  p99  ratio  carrier     round trips',
      '  node:tls     155  160  160   1.00  tcp          3.10 ████████████████████████',
      '  TurboTLS     105  110  110   0.68  udp 2 of 3   2.10 ████████████████▎',
      '      2 failed: connection refused',
      '  QUIC      not measured: the npm package @matrixai/quic is not installed',
      '  Times in ms. Ratios compare medians with node:tls.',
      '',
      'Each case connects anew each time: names, modules and proxies are ready before, nothing else is.',
      '',
      'Cases take turns, so that whatever the machine does beside reaches all of them alike.',
      '',
    ]);
  });

  it('stays within the width of the terminal, whatever that is', () => {
    for (const report of [
      sampleReport({ connections: 3, lossy: 4 }),
      hostileReport(),
      ...Object.values(edgeReports()),
    ]) {
      for (const width of [20, 40, 60, 80, 100, 200]) {
        const longest = Math.max(
          ...table(report, { ...PLAIN, width })
            .split('\n')
            .map((line) => [...line].length),
        );
        expect(longest, `at ${width} columns`).to.be.at.most(width);
      }
    }
  });

  it('shortens long titles, and gives up the bars before the figures', () => {
    const narrow = table(sampleReport({ connections: 3, lossy: 4 }), { ...PLAIN, width: 80 });
    expect(narrow).to.contain('psql through turbotls proxy').and.to.contain('…');
    const psql = narrow.split('\n').find((line) => line.includes('psql through')) ?? '';
    expect(psql).to.match(/4\.\d\d$/);
  });

  it('says below each title what its figures are where they do not fit beside it', () => {
    const lines = table(small(), { ...PLAIN, width: 48 }).split('\n');
    expect(lines.slice(3, 7)).to.deep.equal([
      'Echo',
      '  node:tls',
      '    median 155  p95 160  p99 160  ratio 1.00',
      '    carrier tcp  round trips 3.10',
    ]);
  });

  it('draws in ASCII and without escapes unless it may do otherwise', () => {
    const report = sampleReport({ connections: 3, lossy: 4 });
    expect(table(report, { width: 100, colour: false, unicode: false })).to.match(/^[\n\x20-\x7e]*$/);
    expect(table(report, { width: 100, colour: true, unicode: true })).to.contain('\x1b[1m');
  });

  it('lets nothing of foreign text reach the terminal as a command', () => {
    const text = table(hostileReport(), { ...PLAIN, width: 200 });
    expect(text.replaceAll('\n', '')).to.not.match(/[\p{Cc}\p{Cf}\p{Cs}]/u);
  });

  it('shows sweeps with cases in rows and points in columns, and loss by its tail as well', () => {
    const text = table(sampleReport({ connections: 3, lossy: 4 }), { ...PLAIN, width: 120 });
    expect(text).to.match(
      /Time against round trip: Echo, median, ms\n +0 ms +5 ms +10 ms .* 200 ms\n {2}node:tls( +[\d.]+){8}\n/,
    );
    for (const measure of ['median', '95th percentile', '99th percentile']) {
      expect(text).to.contain(`Time against loss: PostgreSQL, ${measure}, ms`);
    }
  });

  it('puts columns that do not fit below the others', () => {
    const text = table(sampleReport({ connections: 3, lossy: 4 }), { ...PLAIN, width: 60 });
    const [, block = ''] = text.split('Time against round trip: Echo, median, ms\n');
    expect(block.split('\n\n')[0]?.match(/node:tls/g)).to.have.length(2);
  });

  it('counts a case that a sweep could not measure once', () => {
    const report = edgeReports()['every case missing'] as Report;
    const [, sweeps = ''] = table(report, { ...PLAIN, width: 120 }).split('Time against loss: Echo, 99th');
    expect(sweeps.split('\n\n')[0]?.match(/node:tls {2}not measured|node:tls: not measured/g)).to.have.length(1);
  });
});

function small(): Report {
  const whole = sampleReport({ connections: 1, lossy: 1 });
  const result = { group: 'echo' as const, reference: 'tls', startMs: 0, samples: [], failures: [] };
  const samples = (carriers: ('udp' | 'tcp')[], ...times: number[]) =>
    times.map((ms, index) => ({ ms, phases: [], carrier: carriers[index] ?? 'tcp' }));
  return {
    ...whole,
    runs: [
      {
        sweep: 'cases',
        label: '50 ms',
        roundTripMs: 50,
        results: [
          { ...result, id: 'tls', title: 'node:tls', samples: samples([], 150, 155, 160) },
          {
            ...result,
            id: 'turbo',
            title: 'TurboTLS',
            samples: samples(['udp', 'udp', 'tcp'], 100, 105, 110),
            failures: [{ message: 'connection refused', count: 2 }],
          },
          { ...result, id: 'quic', title: 'QUIC', missing: 'the npm package @matrixai/quic is not installed' },
        ],
      },
    ],
  };
}
