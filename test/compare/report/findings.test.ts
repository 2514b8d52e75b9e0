import { expect } from 'chai';
import type { Report } from '../../../src/compare/model.js';
import { findingsOf, headlineOf } from '../../../src/compare/report/findings.js';
import { sampleReport } from '../sample-report.js';
import { edgeReports } from './edge-reports.js';

describe('compare report: findings', () => {
  it('compares in each group what went over UDP with its reference', () => {
    const found = findingsOf(sampleReport({ connections: 3, lossy: 3 }));
    expect(found.map(({ best, reference }) => [best.result.id, reference.result.id])).to.deep.equal([
      ['turbo', 'node-tls'],
      ['pg-client-turbo', 'pg-direct'],
      ['redis-client-turbo', 'ioredis'],
      ['undici-turbo', 'undici'],
    ]);
    expect(headlineOf(found)).to.equal('First byte after 2.2 round trips instead of 3.2');
  });

  it('takes the fastest where nothing went over UDP', () => {
    const report = sampleReport({ connections: 3, lossy: 3 });
    for (const { results } of report.runs) {
      for (const { samples } of results) for (const sample of samples) sample.carrier = 'tcp';
    }
    expect(findingsOf(report)[0]?.best.result.id).to.equal('turbo-resumed');
  });

  it('speaks in ms where round trips are not known', () => {
    const headline = headlineOf(findingsOf(edgeReports()['no round trip known'] as Report));
    expect(headline).to.match(/^First byte after 1\d\d ms instead of 1\d\d$/);
  });

  it('claims nothing where nothing was gained', () => {
    const report = sampleReport({ connections: 3, lossy: 3 });
    const results = report.runs[0]?.results ?? [];
    const [tls, turbo] = ['node-tls', 'turbo'].map((id) => results.find((result) => result.id === id));
    if (tls && turbo) turbo.samples = tls.samples.map((sample) => ({ ...sample, carrier: 'udp' }));
    expect(headlineOf(findingsOf(report))).to.equal('Nothing gained here: first byte after 3.2 round trips either way');
  });

  it('has words for a report that compares nothing', () => {
    for (const name of ['no runs', 'every case missing', 'no reference']) {
      expect(headlineOf(findingsOf(edgeReports()[name] as Report)), name).to.equal('Ways to connect, compared');
    }
  });
});
