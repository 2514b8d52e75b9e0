/** A worker of a gateway that does with a plan what the plan's text says. */
import { appendFileSync, readFileSync } from 'node:fs';
import { planFrom } from '../../../src/gateway/config/index.js';
import { encodeToMain } from '../../../src/gateway/workers/control.js';
import { GatewayWorker } from '../../../src/gateway/workers/index.js';
import { WorkerNetwork } from '../../../src/workers/index.js';

/** What a worker does with the plan: the first that makes it the first, and so on; the last of them all others. */
export type Turn = 'take' | 'take slowly' | 'take and be spent' | 'refuse' | 'refuse slowly' | 'die';

export interface Script {
  gateway: object;
  turns: Turn[];
  /** Has a byte for each turn that was taken. */
  file: string;
}

const SLOW_MS = 1_500;
const REFUSAL_MS = 700;

function sleep(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}

function take({ turns, file }: Script): void {
  const turn = turns[Math.min(readFileSync(file).length, turns.length - 1)];
  appendFileSync(file, '.');
  if (turn === 'die') process.kill(process.pid, 'SIGKILL');
  if (turn === 'refuse slowly') sleep(REFUSAL_MS);
  if (turn === 'refuse' || turn === 'refuse slowly') throw new Error('refused by the script');
  if (turn === 'take slowly') sleep(SLOW_MS);
  if (turn === 'take and be spent') {
    setTimeout(() => WorkerNetwork.of(process).tell(encodeToMain({ spent: true })), 500);
  }
}

// As those of the program: the main process says when they end.
process.on('SIGTERM', () => {});

const worker = new GatewayWorker({
  planOf: (text) => {
    const script = JSON.parse(text) as Script;
    take(script);
    return planFrom(script.gateway, process.cwd());
  },
});
process.exitCode = (await worker.ended) ? 0 : 1;
