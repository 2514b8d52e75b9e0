/** A worker of `turbotls gateway`: see `../gateway/workers`. */
import { GatewayWorker } from '../gateway/workers/index.js';
import { EXIT } from './exit.js';
import { planOf } from './plan-source.js';
import { endWithReader, quietExperimental } from './standard-streams.js';

// A terminal and systemd send them to the whole group: the main process says what becomes of its workers.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
quietExperimental();
endWithReader();

const worker = new GatewayWorker({ planOf: (text) => planOf(text, { keys: 'read' }).plan });
process.exitCode = (await worker.ended) ? EXIT.ok : EXIT.failed;
