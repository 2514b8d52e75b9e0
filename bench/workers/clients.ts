/** A process of clients: handshakes, at a rate or as many as possible, each one its own connection. */
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { connect as connectTurbo, PathMemory, type TurboSocket } from '../../src/experimental.js';
import { type Job, type JobResult, quantile } from './protocol.js';

/** A saturated server answers late; what is measured is turbo, not when it gives way to TLS over TCP. */
const limits = { graceMinMs: 5000 };
const memory = new PathMemory();

async function run(job: Job): Promise<JobResult> {
  const times: number[] = [];
  const result = { made: 0, failed: 0, turbo: 0, resumed: 0 };
  let session: Buffer | undefined;
  const one = async () => {
    const startedAt = performance.now();
    try {
      const socket = await connect(job, session);
      times.push(performance.now() - startedAt);
      result.made++;
      if ('turbo' in socket && (socket as TurboSocket).turbo?.carrier === 'udp') result.turbo++;
      if (socket.isSessionReused()) result.resumed++;
      const ticket = await said(socket, job.resume && !session);
      session ??= job.resume ? ticket : undefined;
      socket.destroy();
    } catch {
      result.failed++;
    }
  };
  const beganAt = performance.now();
  const endsAt = beganAt + job.ms;
  if (job.rate > 0) await atRate(one, job.rate, endsAt);
  else await Promise.all(Array.from({ length: job.concurrency }, () => repeat(one, endsAt)));
  const seconds = (performance.now() - beganAt) / 1000;
  times.sort((a, b) => a - b);
  return { ...result, seconds, p50: quantile(times, 0.5), p99: quantile(times, 0.99) };
}

async function repeat(one: () => Promise<void>, endsAt: number): Promise<void> {
  while (performance.now() < endsAt) await one();
}

/** At their times, whatever became of those before. */
async function atRate(one: () => Promise<void>, rate: number, endsAt: number): Promise<void> {
  const running = new Set<Promise<void>>();
  const beganAt = performance.now();
  for (let due = 0; performance.now() < endsAt; ) {
    for (; due < ((performance.now() - beganAt) / 1000) * rate; due++) {
      const each: Promise<void> = one().finally(() => running.delete(each));
      running.add(each);
    }
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
  await Promise.all(running);
}

function connect({ port, ca, name, transport }: Job, session: Buffer | undefined): Promise<TLSSocket> {
  const options = { host: '127.0.0.1', port, ca, servername: name, ...(session && { session }) };
  return new Promise((resolve, reject) => {
    const socket = transport === 'tls' ? connectTls(options) : connectTurbo({ ...options, turbo: { memory, limits } });
    socket.on('error', reject);
    socket.once('close', () => reject(new Error('closed')));
    socket.once('secureConnect', () => resolve(socket));
  });
}

/** A byte there and back; with a ticket where one is wanted. */
function said(socket: TLSSocket, wantsTicket: boolean): Promise<Buffer | undefined> {
  return new Promise((resolve, reject) => {
    let ticket: Buffer | undefined;
    let heard = false;
    const done = () => heard && (ticket || !wantsTicket) && resolve(ticket);
    socket.on('session', (session) => {
      ticket = session;
      done();
    });
    socket.once('data', () => {
      heard = true;
      done();
    });
    socket.once('close', () => reject(new Error('closed')));
    socket.write('.');
  });
}

process.on('message', async (job: Job) => {
  process.send?.(await run(job));
});
