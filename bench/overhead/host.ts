/** The client's side: starts the server process, connects to it each way, and tells what both processes used. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { connect as connectTurbo, defaultLimits, PathMemory, type TurboSocket } from 'turbotls/experimental';
import { makeCertificate } from '../../test/support/certificates.js';
import { Bridge } from './bridge.js';
import { type Connection, StreamConnection } from './connection.js';
import { connectByKeys } from './extracted-keys.js';
import type { Cpu, Ports, Request } from './server.js';

/** In the order of the tables; `tls` is what the others are compared with. */
export const ways = {
  tcp: 'plain TCP',
  tls: 'node:tls',
  tls128: 'node:tls, AES-128',
  bridgeHere: 'bare bridge, client only',
  bridge: 'bare bridge, both ends',
  turbo: 'turbo',
  keys: 'extracted keys, client only',
  keys128: 'extracted keys, AES-128',
} as const;
export type Way = keyof typeof ways;

export type KeyType = 'ecdsa' | 'rsa';

/** User and system, µs. */
export interface CpuOfBoth {
  client: number;
  server: number;
}

const HOST = '127.0.0.1';
const AES_128 = { ciphers: 'TLS_AES_128_GCM_SHA256' };
/** What is measured is turbo, not when it gives way to TLS over TCP. */
const limits = { graceMinMs: 5000 };

export class Host {
  readonly #child: ChildProcess;
  readonly #ca: string;
  readonly #ports: Ports;
  readonly #memory = new PathMemory({ limits: { ...defaultLimits, ...limits } });

  private constructor(child: ChildProcess, ca: string, ports: Ports) {
    this.#child = child;
    this.#ca = ca;
    this.#ports = ports;
  }

  static async start(keyType: KeyType): Promise<Host> {
    const { key, cert, ca } = await makeCertificate({ names: ['localhost'], keyType });
    const child = fork(fileURLToPath(new URL('./server.js', import.meta.url)));
    return new Host(child, ca, await ask<Ports>(child, { ask: 'start', key, cert }));
  }

  async stop(): Promise<void> {
    this.#child.send({ ask: 'stop' } satisfies Request);
    await once(this.#child, 'exit');
  }

  /** CPU that both processes use while this runs. */
  async cpuOf<T>(act: () => Promise<T>): Promise<{ result: T; cpu: CpuOfBoth }> {
    const before = await this.#cpu();
    const result = await act();
    const after = await this.#cpu();
    return { result, cpu: { client: after.client - before.client, server: after.server - before.server } };
  }

  async #cpu(): Promise<CpuOfBoth> {
    const { cpuUs } = await ask<Cpu>(this.#child, { ask: 'cpu' });
    const { user, system } = process.cpuUsage();
    return { client: user + system, server: cpuUs };
  }

  /** Connected, and where there is TLS, secure. */
  async connect(way: Way): Promise<Connection> {
    const { tcp, tls, bridge, turbo } = this.#ports;
    const secure = { servername: 'localhost', ca: this.#ca };
    switch (way) {
      case 'tcp':
        return ready(connectTcp({ host: HOST, port: tcp, noDelay: true }), 'connect');
      case 'tls':
        return ready(connectTls({ ...secure, host: HOST, port: tls, ...noDelay }), 'secureConnect');
      case 'tls128':
        return ready(connectTls({ ...secure, ...AES_128, host: HOST, port: tls, ...noDelay }), 'secureConnect');
      case 'bridgeHere':
        return ready(connectTls({ ...secure, socket: bridgeTo(tls) }), 'secureConnect');
      case 'bridge':
        return ready(connectTls({ ...secure, socket: bridgeTo(bridge) }), 'secureConnect');
      case 'turbo': {
        const options = { ...secure, host: HOST, port: turbo, turbo: { memory: this.#memory, limits } };
        const socket: TurboSocket = connectTurbo(options);
        const connection = await ready(socket, 'secureConnect');
        if (socket.turbo?.carrier !== 'udp') throw new Error('turbo did not run over UDP');
        return connection;
      }
      case 'keys':
        return connectByKeys({ ...secure, host: HOST, port: tls });
      case 'keys128':
        return connectByKeys({ ...secure, ...AES_128, host: HOST, port: tls });
    }
  }
}

/** tls.connect hands it on to net.connect, which its types do not say. */
const noDelay: object = { noDelay: true };

function bridgeTo(port: number): Bridge {
  return new Bridge(connectTcp({ host: HOST, port, noDelay: true }));
}

async function ready(socket: Socket | TLSSocket, event: 'connect' | 'secureConnect'): Promise<Connection> {
  await once(socket, event);
  socket.on('error', () => {});
  return new StreamConnection(socket);
}

async function ask<T>(child: ChildProcess, request: Request): Promise<T> {
  child.send(request);
  const [reply] = await once(child, 'message');
  return reply as T;
}
