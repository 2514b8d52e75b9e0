/**
 * The program that connects and measures: in a network namespace of its own, or on loopback. It does what its parent
 * orders (client-messages.ts) and ends with it.
 *
 *   nsenter --net=… node dist/examples/latency/client-process.js
 */
import { once } from 'node:events';
import type { Case } from '../../src/compare/case.js';
import { allCases } from '../../src/compare/cases/index.js';
import { measure } from '../../src/compare/measure.js';
import type { Sample } from '../../src/compare/model.js';
import { commandLine, EXIT_INTERRUPTED } from '../command-line.js';
import type { ClientMessage, ClientRequest, Order } from './client-messages.js';
import { monotonicMs } from './link/index.js';

commandLine('Measures what `latency` orders; is started by it.', {});

const ending = new AbortController();
const end = () => ending.abort(new Error('the program that directs is gone'));
process.on('disconnect', end);
if (!process.connected) end(); // the channel may have been closed while this program was loaded
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, end);
process.on('message', (request: ClientRequest) => {
  if (request.kind === 'measure') void carryOut(request.order);
});

async function carryOut(order: Order): Promise<void> {
  const { targets, missing, cases: ids, recorded, ...options } = order;
  try {
    const cases = allCases.filter(({ id }) => ids.includes(id));
    const targetOf = (group: Case['group']) =>
      targets[group] ?? { missing: missing[group] ?? 'no server of this kind' };
    const results = await measure(cases, targetOf, {
      ...options,
      signal: ending.signal,
      onProgress: ({ doing, case: { title }, done, of }) =>
        tell({ kind: 'progress', text: `${doing} ${title}`, done, of }),
      ...(recorded && { around }),
    });
    tell({ kind: 'measured', results });
  } catch (error) {
    if (ending.signal.aborted) process.exit(EXIT_INTERRUPTED);
    tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  }
}

async function around({ id }: Case, run: () => Promise<Sample>): Promise<Sample> {
  tell({ kind: 'recording' });
  await goOn();
  const startedAt = monotonicMs();
  let sample: Sample | undefined;
  try {
    sample = await run();
    return sample;
  } finally {
    tell({ kind: 'recorded', id, sample, startedAt });
    await goOn();
  }
}

async function goOn(): Promise<void> {
  await once(process, 'message', { signal: ending.signal });
}

function tell(message: ClientMessage): void {
  // The parent may have gone this moment: then 'disconnect' ends this process.
  if (process.connected) process.send?.(message, () => {});
}
