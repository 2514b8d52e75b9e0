/** The driver's side: starts the server process, and connects to it by either transport. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { connect as connectTurbo, defaultLimits, PathMemory, type TurboSocket } from 'turbotls/experimental';
import { makeCertificate } from '../test/support/certificates.js';
import type { Cpu, Memory, Mode, Ports, Request } from './server.js';

export const transports = ['tls', 'turbo'] as const;
export type Transport = (typeof transports)[number];

/** A saturated server answers late; what is measured is turbo, not when it gives way to TLS over TCP. */
const limits = { graceMinMs: 5000 };

export class Peer {
  readonly #child: ChildProcess;
  readonly #ca: string;
  readonly #memory = new PathMemory({ limits: { ...defaultLimits, ...limits } });
  readonly #ports: Ports;

  private constructor(child: ChildProcess, ca: string, ports: Ports) {
    this.#child = child;
    this.#ca = ca;
    this.#ports = ports;
  }

  static async start(mode: Mode, keyType: 'ecdsa' | 'rsa' = 'ecdsa'): Promise<Peer> {
    const { key, cert, ca } = await makeCertificate({ names: ['localhost'], keyType });
    const child = fork(fileURLToPath(new URL('./server.js', import.meta.url)), { execArgv: ['--expose-gc'] });
    const ports = await ask<Ports>(child, { ask: 'start', key, cert, mode });
    return new Peer(child, ca, ports);
  }

  /** CPU of the server process so far. */
  cpu(): Promise<Cpu> {
    return ask<Cpu>(this.#child, { ask: 'cpu' });
  }

  /** Memory of the server process, after a collection: what the JIT has compiled may go with it. */
  memory(): Promise<Memory> {
    return ask<Memory>(this.#child, { ask: 'memory' });
  }

  async stop(): Promise<void> {
    this.#child.send({ ask: 'stop' } satisfies Request);
    await once(this.#child, 'exit');
  }

  /** A connection that is secure at both ends: with a greeting server, its first byte is here. */
  async greeted(transport: Transport): Promise<TLSSocket> {
    const socket = await this.connect(transport);
    await once(socket, 'data');
    return socket;
  }

  /** A secure connection. */
  connect(transport: Transport): Promise<TLSSocket> {
    const options = { host: '127.0.0.1', port: this.#ports[transport], servername: 'localhost', ca: this.#ca };
    return new Promise((resolve, reject) => {
      const socket =
        transport === 'tls'
          ? connectTls(options)
          : connectTurbo({ ...options, turbo: { memory: this.#memory, limits } });
      socket.once('error', reject);
      socket.once('secureConnect', () => {
        socket.off('error', reject);
        socket.on('error', () => {});
        if (carrierOf(socket) === 'tcp') reject(new Error('turbo did not run over UDP'));
        else resolve(socket);
      });
    });
  }
}

function carrierOf(socket: TLSSocket | TurboSocket): 'udp' | 'tcp' | undefined {
  return 'turbo' in socket ? socket.turbo?.carrier : undefined;
}

async function ask<T>(child: ChildProcess, request: Request): Promise<T> {
  child.send(request);
  const [reply] = await once(child, 'message');
  return reply as T;
}
