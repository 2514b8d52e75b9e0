/**
 * `createServer`, `attach` and `TurboListener` as an application has them. In a worker of node:cluster their ports are
 * the primary's, whose workers share them (`sharePorts`); elsewhere, and with a network of the caller's, they are the
 * engine's, and nothing of the workers is loaded.
 */
import cluster, { type Worker } from 'node:cluster';
import type { AddressInfo, ListenOptions, ServerOpts } from 'node:net';
import { setTimeout as delay } from 'node:timers/promises';
import type { Server as TlsServer } from 'node:tls';
import { filter, firstValueFrom, startWith } from 'rxjs';
import { type AttachOptions, attach as attachAlone, type TurboPort } from '../engine/attach.js';
import { createServerWith } from '../engine/create-server.js';
import { TurboListener as LoneListener, type TurboListenerOptions } from '../engine/turbo-listener.js';
import { TIMER_MAX_MS } from '../limit-units.js';
import { type Network, nodeNetwork, type TcpServer, type UdpSocket } from '../platform/network.js';
import { WorkersError } from './errors.js';
import type { FrontProcess } from './front-link.js';
import { ThroughServer } from './listen-through.js';
import type { WorkerNetwork } from './worker-network.js';

/** What listens on a port of the primary's. */
interface Sharing {
  /** Nothing new comes; resolves when the sessions that wait are claimed. */
  settle(): Promise<unknown>;
  /** Resolves when the last connection has ended. */
  close(): Promise<unknown>;
}

/** How long what came before the word to drain may take until its server has it, ms. */
const ARRIVED_MS = 50;

const sharing = new Set<Sharing>();
let joined: Promise<WorkerNetwork> | undefined;

/** The primary, at the other end of this process's channel, which keeps a worker alive as ever until it disconnects. */
export const primary: FrontProcess = {
  get connected() {
    return process.connected;
  },
  send: (...args) => process.send?.(...args) ?? false,
  on: (event: string, listener: (...args: never[]) => void) => process.on(event, listener as () => void),
  off: (event: string, listener: (...args: never[]) => void) => process.off(event, listener as () => void),
};

/**
 * Gives a server a TurboTLS port: UDP, of the same address and number as its TCP port. In a worker of node:cluster
 * before the server listens.
 *
 * Where the UDP port cannot be opened, the server closes and emits `error` with ERR_TURBO_LISTEN.
 * @throws TurboError ERR_TURBO_ALREADY_ATTACHED, ERR_TURBO_BAD_OPTION
 */
export function attach(server: TlsServer, options: AttachOptions = {}): TurboPort {
  if (!cluster.isWorker || options.network) return attachAlone(server, options);
  const through = new ThroughServer(joinPrimary, explained);
  const port = attachAlone(server, { ...options, network: through });
  through.take(server);
  const shares: Sharing = {
    settle: () =>
      firstValueFrom(
        port.events$.pipe(
          startWith(undefined),
          filter(() => !port.engine?.halfOpen.sessions),
        ),
      ),
    close: async () => {
      await new Promise<unknown>((resolve) => server.close(resolve));
      await through.udpClosed;
    },
  };
  server.on('listening', () => through.listening && sharing.add(shares));
  server.on('close', () => sharing.delete(shares));
  return port;
}

/**
 * As tls.createServer: the same options, events and methods, and clients of both kinds on one port.
 * @throws TurboError ERR_TURBO_BAD_OPTION, and what tls.createServer throws
 */
export const createServer = createServerWith(attach);

/** A UDP and a TCP port of the same number, for those who bring their own TLS. */
export class TurboListener extends LoneListener {
  readonly #network: ClusterNetwork | undefined;

  constructor(options: TurboListenerOptions = {}) {
    const network = cluster.isWorker && !options.network ? new ClusterNetwork() : undefined;
    super(network ? { ...options, network } : options);
    this.#network = network;
  }

  override async listen(options: ListenOptions = {}): Promise<AddressInfo> {
    if (!this.#network) return super.listen(options);
    await this.#network.choose(options);
    const address = await super.listen(options).catch((error: Error) => {
      throw explained(error);
    });
    if (!options.exclusive) this.#share();
    return address;
  }

  #share(): void {
    const shares: Sharing = { settle: async () => {}, close: () => this.close({ deadlineMs: TIMER_MAX_MS }) };
    sharing.add(shares);
    this.sessions$.subscribe({ complete: () => sharing.delete(shares) });
  }
}

/** One server's: the primary's ports, or with `exclusive` those of this process. */
class ClusterNetwork implements Network {
  readonly connectTcp = nodeNetwork.connectTcp;
  #chosen: Network = nodeNetwork;

  async choose({ exclusive }: ListenOptions): Promise<void> {
    this.#chosen = exclusive ? nodeNetwork : await joinPrimary();
  }

  createTcpServer(options: ServerOpts): TcpServer {
    return this.#chosen.createTcpServer(options);
  }

  createUdpSocket(options: Parameters<Network['createUdpSocket']>[0]): UdpSocket {
    return this.#chosen.createUdpSocket(options);
  }
}

/** Only here the workers' part is loaded. */
function joinPrimary(): Promise<WorkerNetwork> {
  joined ??= import('./worker-network.js').then(({ WorkerNetwork }) => {
    const network = WorkerNetwork.of(primary);
    const { worker } = cluster;
    if (worker) {
      closeBeforeDisconnect(worker);
      network.drain$.subscribe(async () => {
        await delay(ARRIVED_MS);
        await Promise.all([...sharing].map((each) => each.settle()));
        worker.disconnect();
      });
    }
    return network;
  });
  return joined;
}

/** As Node says: servers close, connections end, and only then the worker leaves its primary. */
function closeBeforeDisconnect(worker: Worker): void {
  const { disconnect } = worker;
  let closing = false;
  worker.disconnect = () => {
    worker.exitedAfterDisconnect = true;
    if (closing) return worker;
    closing = true;
    void Promise.all([...sharing].map((each) => each.close())).then(() => {
      // After the front was told: that waits for the end of the turn.
      setImmediate(() => disconnect.call(worker));
    });
    return worker;
  };
}

function explained(error: Error): Error {
  if ((error as Partial<WorkersError>).code !== 'ERR_WORKERS_NO_FRONT') return error;
  const line = "import { sharePorts } from 'turbotls/cluster'; sharePorts();";
  return new WorkersError('ERR_WORKERS_NO_FRONT', `the primary of node:cluster needs one line: ${line}`, {
    cause: error,
  });
}
