/** Reports at the edges of what there may be. */
import type { Report, Run } from '../../../src/compare/model.js';
import { sampleReport } from '../sample-report.js';

/** By what is odd about them. */
export function edgeReports(): Record<string, Report> {
  const whole = sampleReport({ connections: 3, lossy: 4 });
  const withRuns = (change: (run: Run) => Run): Report => ({ ...whole, runs: whole.runs.map(change) });
  const withResults = (change: (result: Run['results'][number]) => Run['results'][number]): Report =>
    withRuns((run) => ({ ...run, results: run.results.map(change) }));
  return {
    'no runs': { ...whole, runs: [] },
    'runs without results': withRuns((run) => ({ ...run, results: [] })),
    'every case missing': withResults((result) => ({
      ...result,
      missing: 'its package is not installed',
      samples: [],
      failures: [],
      trace: undefined,
    })),
    'every connection failed': withResults((result) => ({
      ...result,
      samples: [],
      failures: [{ message: 'connect ECONNREFUSED', count: 30 }],
      trace: undefined,
    })),
    'no round trip known': withRuns((run) => ({ ...run, roundTripMs: undefined })),
    'a round trip of nothing': withRuns((run) => ({ ...run, roundTripMs: 0, at: 0 })),
    'no time at all': withResults((result) => ({
      ...result,
      startMs: 0,
      samples: result.samples.map((sample) => ({ ...sample, ms: 0, phases: [] })),
      trace: undefined,
    })),
    'one point a sweep': {
      ...whole,
      runs: whole.runs.filter(({ sweep }, index, all) => all.findIndex((other) => other.sweep === sweep) === index),
    },
    'no reference': withResults((result) => ({ ...result, reference: 'not here' })),
    'one result': { ...whole, runs: whole.runs.map((run) => ({ ...run, results: run.results.slice(0, 1) })) },
  };
}
