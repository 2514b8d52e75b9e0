/** The server's process: node:tls by itself, or the front of workers. Driven over IPC. */
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { WorkerPool } from '../../src/workers/index.js';
import type { Answer, Ask, Delay, ServerSettings, Serving } from './protocol.js';
import { Echo } from './tls-server.js';

type OfWorkers = Extract<Serving, { by: 'workers' }>;

let echo: Echo | undefined;
let pool: WorkerPool | undefined;

async function start({ serving, settings }: Extract<Ask, { ask: 'start' }>): Promise<number> {
  if (serving.by === 'workers') return startWorkers(serving, settings);
  echo = new Echo(settings);
  echo.server.listen(0, '127.0.0.1');
  await once(echo.server, 'listening');
  return (echo.server.address() as AddressInfo).port;
}

async function startWorkers({ workers, bare }: OfWorkers, settings: ServerSettings): Promise<number> {
  let port = 0;
  const env = { ...process.env, BENCH_SETTINGS: JSON.stringify(settings) };
  pool = new WorkerPool({ module: new URL(bare ? './bare-worker.js' : './worker.js', import.meta.url), workers, env });
  pool.events$.subscribe((event) => {
    if (event.type === 'listening') port = event.address.port;
  });
  await pool.start();
  return port;
}

async function delays(): Promise<Delay[]> {
  if (echo) return [echo.delay];
  return Promise.all(
    (pool?.processes ?? []).map(async (child) => {
      const answer = new Promise<Delay>((resolve) => {
        const listener = (message: { delay?: Delay }) => {
          if (!message.delay) return;
          child.off('message', listener);
          resolve(message.delay);
        };
        child.on('message', listener);
      });
      child.send({ ask: 'delays' });
      return answer;
    }),
  );
}

async function answer(ask: Ask): Promise<Answer | undefined> {
  switch (ask.ask) {
    case 'start':
      return { port: await start(ask) };
    case 'cpu': {
      const { user, system } = process.cpuUsage();
      return { cpuUs: user + system };
    }
    case 'watch':
      echo?.watch();
      for (const child of pool?.processes ?? []) child.send(ask);
      return { watching: true };
    case 'delays':
      return { delays: await delays() };
    case 'stop':
      await pool?.close();
      process.exit();
  }
}

process.on('message', async (ask: Ask) => {
  const reply = await answer(ask);
  if (reply) process.send?.(reply);
});
