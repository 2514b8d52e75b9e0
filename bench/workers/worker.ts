/** A worker of the front in `server.ts`. */
import { TurboListener } from '../../src/engine/turbo-listener.js';
import { WorkerNetwork } from '../../src/workers/index.js';
import type { Ask, ServerSettings } from './protocol.js';
import { Echo } from './tls-server.js';

const settings = JSON.parse(process.env.BENCH_SETTINGS ?? '') as ServerSettings;
const echo = new Echo(settings);
// How much of its core UDP's handshakes may take is not what is measured.
const listener = new TurboListener({ network: WorkerNetwork.of(), limits: { handshakeCpuShare: 100 } });
process.on('message', ({ ask }: Ask) => {
  if (ask === 'watch') echo.watch();
  else if (ask === 'delays') process.send?.({ delay: echo.delay });
});
await listener.listen({ host: '127.0.0.1' });
for await (const { stream } of listener) echo.server.emit('connection', stream);
