/**
 * The program that serves what the harness measures, on one address: in a network namespace of its own, or on loopback.
 * It tells its parent where everything is (server-messages.ts), and ends when its parent does, or by SIGINT or SIGTERM.
 *
 *   nsenter --net=… node dist/examples/latency/server-process.js --address 10.88.0.2
 */
import { commandLine, EXIT_INTERRUPTED } from '../command-line.js';
import type { ServerMessage, ServerRequest } from './server-messages.js';
import { type Servers, startServers } from './servers.js';

const { address } = commandLine('Serves what `latency` measures; is started by it.', {
  address: { kind: 'text', value: 'IP', default: '127.0.0.1', about: 'where to listen' },
});

let servers: Servers | undefined;
let isEnding = false;

for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, () => void end(EXIT_INTERRUPTED));
process.on('disconnect', () => void end(0));
process.on('message', (request: ServerRequest) => {
  if (request.kind === 'counters') {
    tell({ kind: 'counters', id: request.id, counters: servers?.counters() ?? {} });
  }
});

try {
  servers = await startServers(address, (text) => tell({ kind: 'progress', text }));
  tell({ kind: 'ready', served: servers.served });
} catch (error) {
  tell({ kind: 'failed', message: error instanceof Error ? error.message : String(error) });
  await end(1);
}

/** What is being started ends with this process: see test/servers/workshop.ts. */
async function end(code: number): Promise<void> {
  if (isEnding) return;
  isEnding = true;
  await servers?.stop();
  process.exit(code);
}

function tell(message: ServerMessage): void {
  // The parent may have gone this moment: then 'disconnect' ends this process.
  if (process.connected) process.send?.(message, () => {});
  else if (message.kind !== 'counters') console.log(JSON.stringify(message));
}
