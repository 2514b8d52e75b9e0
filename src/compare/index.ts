/**
 * Ways to connect, measured against each other.
 *
 *     Case.prepare(target) ─► Prepared.once() ─► Sample        cases/: one module for each client
 *     measure(cases, targetOf) ─► CaseResult[]                 measure.ts: by turns
 *     compareServer(target) ─► Report                          compare-server.ts: a server somewhere
 *     Report ─► table, html, json                              model.ts has its shape, statistics.ts its figures
 */
export type * from './case.js';
export { allCases } from './cases/index.js';
export { type CompareOptions, casesOf, compareServer } from './compare-server.js';
export { thisMachine } from './machine.js';
export { type MeasureOptions, measure, type Progress, sampleOnce, type TargetOf } from './measure.js';
export type * from './model.js';
export { parseTarget, type TargetSettings, withoutPassword } from './parse-target.js';
export { html, json } from './report/index.js';
export { medianSample, percentile, referenceOf, type Summary, summaryOf } from './statistics.js';
export { table } from './table.js';
export type { TerminalStyle } from './terminal.js';
