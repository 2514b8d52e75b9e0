/**
 * HTTP/1.1 by Node's own client and by undici, each as it is and over turbo, with an agent of its own for each connection.
 * To the head of the response, whatever its status; the body is not waited for.
 */
import { Agent, type RequestOptions, request } from 'node:https';
import { isIPv6 } from 'node:net';
import { TLSSocket } from 'node:tls';
import { onAbort } from '../../abort.js';
import { connect as connectTurbo, type TurboSocket } from '../../client/connect.js';
import { PathMemory } from '../../client/path-memory.js';
import type { HostAddress } from '../../transport.js';
import type { Case, HttpsTarget, Missing, Prepared } from '../case.js';
import type { Sample } from '../model.js';
import { isMissing, optional } from './optional.js';
import { Stopwatch } from './stopwatch.js';
import { tlsPeer } from './tls-peer.js';
import { watchTls } from './watch-tls.js';

type Undici = typeof import('undici');

const DEFAULT_PORT = 443;

export const httpsCases: readonly Case<HttpsTarget>[] = [
  {
    ...named('https-undici', 'undici', 'https-undici'),
    prepare: (target) => prepareUndici((undici, signal) => undiciOverTcp(undici, target, signal)),
  },
  {
    ...named('https-undici-turbo', 'undici over turbo', 'https-undici'),
    prepare: (target) => prepareUndici((undici, signal) => undiciOverTurbo(undici, target, signal)),
  },
  {
    ...named('https-node', 'node:https', 'https-node'),
    prepare: async (target) => ({ once: (signal) => nodeOverTcp(target, signal) }),
  },
  {
    ...named('https-node-turbo', 'node:https over turbo', 'https-node'),
    prepare: async (target) => ({ once: (signal) => nodeOverTurbo(target, signal) }),
  },
];

function named(id: string, title: string, reference: string): Omit<Case<HttpsTarget>, 'prepare'> {
  return { id, title, group: 'https', reference };
}

async function prepareUndici(
  once: (undici: Undici, signal: AbortSignal) => Promise<Sample>,
): Promise<Prepared | Missing> {
  const undici = await optional('undici', () => import('undici'));
  return isMissing(undici) ? undici : { once: (signal) => once(undici, signal) };
}

function undiciOverTcp(undici: Undici, target: HttpsTarget, signal: AbortSignal): Promise<Sample> {
  const stopwatch = new Stopwatch();
  const connector = undici.buildConnector({ ...tlsPeer(target), timeout: 0 });
  const connect: typeof connector = (options, callback) => {
    // undici 5 to 7 give the socket, and promise nothing: without it no phases are known.
    const socket: unknown = connector(options, callback);
    if (socket instanceof TLSSocket) watchTls(socket, stopwatch);
  };
  return requestByUndici(undici, new undici.Agent({ connect }), target, { address: target.address, stopwatch, signal });
}

function undiciOverTurbo(undici: Undici, target: HttpsTarget, signal: AbortSignal): Promise<Sample> {
  const stopwatch = new Stopwatch();
  const agent = new undici.Agent({
    connect(_options, callback) {
      const socket = dialTurbo(target, stopwatch);
      socket.once('secureConnect', () => callback(null, socket));
      socket.once('error', (error) => callback(error, null));
    },
  });
  return requestByUndici(undici, agent, target, { address: turboAddressOf(target), stopwatch, signal });
}

interface Trial {
  address: HostAddress;
  stopwatch: Stopwatch;
  signal: AbortSignal;
}

async function requestByUndici(
  undici: Undici,
  agent: InstanceType<Undici['Agent']>,
  target: HttpsTarget,
  { address, stopwatch, signal }: Trial,
): Promise<Sample> {
  try {
    const { body } = await undici.request(`https://${authority(address)}${target.path}`, {
      dispatcher: agent,
      headers: headersOf(target),
      signal,
    });
    const sample = stopwatch.sample();
    body.on('error', () => {}); // it is not read
    return sample;
  } finally {
    await agent.destroy();
  }
}

function nodeOverTcp(target: HttpsTarget, signal: AbortSignal): Promise<Sample> {
  const stopwatch = new Stopwatch();
  const agent = new Agent();
  return requestByNode(target, { ...target.address, ...tlsPeer(target), agent }, stopwatch, signal);
}

function nodeOverTurbo(target: HttpsTarget, signal: AbortSignal): Promise<Sample> {
  const stopwatch = new Stopwatch();
  return requestByNode(target, { createConnection: () => dialTurbo(target, stopwatch) }, stopwatch, signal);
}

function requestByNode(
  target: HttpsTarget,
  options: RequestOptions,
  stopwatch: Stopwatch,
  signal: AbortSignal,
): Promise<Sample> {
  return new Promise((resolve, reject) => {
    signal.throwIfAborted();
    const get = request({ path: target.path, headers: headersOf(target), ...options });
    const stopListening = onAbort(signal, () => get.destroy(signal.reason));
    if (options.agent) get.once('socket', (socket) => watchTls(socket as TLSSocket, stopwatch));
    get.once('response', (response) => {
      const sample = stopwatch.sample();
      response.on('error', () => {}); // it is not read
      get.once('close', () => resolve(sample));
      get.destroy();
    });
    get.on('error', reject);
    get.once('close', stopListening);
    get.end();
  });
}

function dialTurbo(target: HttpsTarget, stopwatch: Stopwatch): TurboSocket {
  const socket = connectTurbo({
    ...turboAddressOf(target),
    ...tlsPeer(target),
    ALPNProtocols: ['http/1.1'],
    turbo: { memory: new PathMemory() },
  });
  watchTls(socket, stopwatch);
  return socket;
}

function turboAddressOf({ address, turboAddress = address }: HttpsTarget): HostAddress {
  return turboAddress;
}

/** The server is called by its name, wherever it is. */
function headersOf({ serverName, address }: HttpsTarget): Record<string, string> {
  return { host: authority({ host: serverName, port: address.port }), 'user-agent': 'turbotls' };
}

function authority({ host, port }: HostAddress): string {
  const name = isIPv6(host) ? `[${host}]` : host;
  return port === DEFAULT_PORT ? name : `${name}:${port}`;
}
