/** One address of the front: a TCP and a UDP port of the same number, for all workers that asked for it. */
import type { RemoteInfo } from 'node:dgram';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { bindUdp } from '../engine/udp-port.js';
import { nodeNetwork, type UdpSocket } from '../platform/network.js';

/** What was asked for. */
export interface AskedAddress {
  /** Empty: all addresses. */
  readonly host: string;
  readonly port: number;
  readonly ipv6Only: boolean;
  /** 0: the system's default. */
  readonly backlog: number;
}

export interface FrontPortHandlers {
  onDatagram(port: FrontPort, message: Buffer, from: RemoteInfo): void;
  /** Its first bytes are not read, and it does not read by itself. */
  onConnection(port: FrontPort, socket: Socket): void;
  onError(type: 'udp-error' | 'tcp-error', error: Error): void;
}

/** With port 0, how often another number is tried where UDP has the one that TCP got. */
const PORT_TRIES = 16;

export class FrontPort {
  readonly id: number;
  readonly address: AddressInfo;
  /** Why there is no UDP port, where there is none. */
  readonly udpFailure: Error | undefined;
  readonly #tcp: Server;
  readonly #udp: UdpSocket | undefined;

  private constructor(id: number, tcp: Server, udp: UdpSocket | Error, handlers: FrontPortHandlers) {
    this.id = id;
    this.address = tcp.address() as AddressInfo;
    this.#tcp = tcp;
    tcp.on('connection', (socket) => handlers.onConnection(this, socket));
    tcp.on('error', (error) => handlers.onError('tcp-error', error));
    if (udp instanceof Error) {
      this.udpFailure = udp;
      return;
    }
    this.#udp = udp;
    udp.on('message', (message, from) => handlers.onDatagram(this, message, from));
    udp.on('error', (error) => handlers.onError('udp-error', error));
  }

  /** Opens both ports, or TCP alone. Rejects with TCP's error. */
  static async open(id: number, asked: AskedAddress, handlers: FrontPortHandlers): Promise<FrontPort> {
    for (let tries = 1; ; tries++) {
      const tcp = await listen(asked);
      try {
        const udp = await bindUdp(nodeNetwork, tcp.address() as AddressInfo, asked.ipv6Only);
        return new FrontPort(id, tcp, udp, handlers);
      } catch (error) {
        const { retryable, cause } = error as { retryable?: boolean; cause?: Error };
        if (!retryable || asked.port !== 0 || tries === PORT_TRIES) {
          return new FrontPort(id, tcp, cause ?? (error as Error), handlers);
        }
        tcp.close();
      }
    }
  }

  /** Sends a datagram of a worker's. What is lost is what UDP is like. */
  send(payload: Uint8Array, port: number, address: string): void {
    this.#udp?.send(payload, port, address, ignoreError);
  }

  /** They do not keep the process alive any more. */
  unref(): void {
    this.#tcp.unref();
    this.#udp?.unref();
  }

  /** Both numbers are free at once. */
  close(): void {
    this.#tcp.close();
    this.#udp?.close();
  }
}

function listen({ host, port, ipv6Only, backlog }: AskedAddress): Promise<Server> {
  return new Promise((resolve, reject) => {
    const tcp = createServer({ allowHalfOpen: true, pauseOnConnect: true, highWaterMark: 0 });
    tcp.once('error', reject);
    tcp.listen({ host: host || undefined, port, ipv6Only, backlog: backlog || undefined, exclusive: true }, () => {
      tcp.off('error', reject);
      resolve(tcp);
    });
  });
}

function ignoreError(): void {}
