import { expect } from 'chai';
import { json, readReport } from '../../../src/compare/report/json.js';
import { sampleReport } from '../sample-report.js';

describe('compare report: JSON', () => {
  it('keeps times to the microsecond, and all else as it is', () => {
    const report = sampleReport({ connections: 2, lossy: 2 });
    const [run] = report.runs;
    const [result] = run?.results ?? [];
    if (run?.conditions === undefined || result === undefined) throw new Error('the sample has no results');
    run.conditions.loss = 0.00025;
    run.at = 0.00025;
    run.roundTripMs = 50.12345678;
    result.samples = [{ ms: 107.98765432, phases: [{ name: 'tcp', atMs: 50.00049 }] }];
    const read = readReport(json(report)).runs[0];
    expect(read?.conditions?.loss).to.equal(0.00025);
    expect(read?.at).to.equal(0.00025);
    expect(read?.roundTripMs).to.equal(50.123);
    expect(read?.results[0]?.samples).to.deep.equal([{ ms: 107.988, phases: [{ name: 'tcp', atMs: 50 }] }]);
  });

  it('reads what it has written', () => {
    const text = json(sampleReport({ connections: 3, lossy: 3 }));
    expect(json(readReport(text))).to.equal(text);
  });

  it('says why a text is no report', () => {
    const whole = JSON.parse(json(sampleReport({ connections: 1, lossy: 1 })));
    const changed = (change: (report: typeof whole) => void) => {
      const copy = structuredClone(whole);
      change(copy);
      return JSON.stringify(copy);
    };
    const wrong: [string, string][] = [
      ['', 'it is not JSON'],
      ['[]', 'it names no version'],
      ['{"runs": []}', 'it names no version'],
      [
        changed((report) => {
          report.version = 2;
        }),
        'of version 2, and only 1 is known here',
      ],
      [
        changed((report) => {
          report.runs = {};
        }),
        'runs is no list',
      ],
      [
        changed((report) => {
          report.runs[1].sweep = 'other';
        }),
        'runs[1].sweep is none of cases',
      ],
      [
        changed((report) => {
          report.runs[0].results[2].samples[0].ms = '1';
        }),
        'runs[0].results[2].samples[0].ms is no number',
      ],
      [
        changed((report) => {
          delete report.machine.cpu;
        }),
        'machine.cpu is no string',
      ],
      [
        changed((report) => {
          report.runs[0].results[0].trace.packets[0].from = 'me';
        }),
        'trace.packets[0].from is none of client, server',
      ],
    ];
    for (const [text, why] of wrong) expect(() => readReport(text), why).to.throw(why);
  });
});
