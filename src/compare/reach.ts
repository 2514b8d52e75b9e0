/** Whether a server can be reached at all, and how far it is: asked before anything is measured. */
import { lookup } from 'node:dns/promises';
import { connect as connectTls } from 'node:tls';
import { type HostAddress, tcpTransport, untilEvent } from '../transport.js';
import type { Target } from './case.js';
import { tlsPeer } from './cases/tls-peer.js';
import { percentile } from './statistics.js';
import { within } from './within.js';

export interface Reached {
  /** With IP addresses, so that every connection goes to the same machine and no time has DNS in it. */
  target: Target;
  /** The median time that TCP takes to connect, ms. */
  tcpMs: number;
}

const TCP_CONNECTS = 5;

/** Rejects with what is in the way: name, TCP, or TLS with its certificate. */
export async function reach(target: Target, timeoutMs: number, signal: AbortSignal): Promise<Reached> {
  const { address, turboAddress } = target;
  const { address: host } = await lookup(address.host);
  signal.throwIfAborted();
  const resolved = {
    ...target,
    address: { ...address, host },
    ...(turboAddress && { turboAddress: { ...turboAddress, host } }),
  };
  const times: number[] = [];
  for (let connects = 0; connects < TCP_CONNECTS; connects++) {
    times.push(await timeTcp(resolved.address, timeoutMs, signal));
  }
  // PostgreSQL's TLS may begin behind a request, and its clients tell what is wrong.
  if (target.group !== 'postgres') await tryTls(resolved, timeoutMs, signal);
  return { target: resolved, tcpMs: percentile(times, 50) as number };
}

const dialTcp = tcpTransport();

async function timeTcp(address: HostAddress, timeoutMs: number, signal: AbortSignal): Promise<number> {
  return within(timeoutMs, signal, `TCP does not connect within ${timeoutMs} ms`, async (limit) => {
    const startedAt = performance.now();
    const socket = await dialTcp(address, { signal: limit });
    const ms = performance.now() - startedAt;
    socket.on('error', () => {});
    socket.destroy();
    return ms;
  });
}

async function tryTls(target: Target, timeoutMs: number, signal: AbortSignal): Promise<void> {
  await within(timeoutMs, signal, `TLS is not there within ${timeoutMs} ms`, async (limit) => {
    const dial = () => connectTls({ ...target.address, ...tlsPeer(target) });
    const socket = await untilEvent('secureConnect', limit, dial);
    socket.on('error', () => {});
    socket.end(() => socket.destroy());
  });
}
