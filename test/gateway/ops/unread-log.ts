/** Logs 60 MB to a pipe that nobody reads; tells its parent when it is through, and how far its memory grew. */
import { setImmediate } from 'node:timers/promises';
import { logger } from '../../../src/gateway/ops/logger.js';

const LINE = 'x'.repeat(3_000);
const LINES = 20_000;

const log = logger({ level: 'info', format: 'json' });
const before = process.memoryUsage().rss;
for (let i = 0; i < LINES; i++) {
  log.info(LINE);
  if (i % 100 === 0) await setImmediate();
}
process.send?.({ wrote: LINE.length * LINES, grewBytes: process.memoryUsage().rss - before });
