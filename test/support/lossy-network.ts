/** Real sockets on which a part of the datagrams is lost, or all of them; TCP is left alone. */
import type { Network, UdpSocket } from '../../src/platform/network.js';
import { nodeNetwork } from '../../src/platform/network.js';
import { Random } from '../simulator/random.js';

type Callback = (error: Error | null) => void;

/**
 * `nodeNetwork`, but each datagram that is sent is lost with the given probability. It also counts what is open, so
 * that a test can say that nothing was left behind.
 *
 *     const network = new LossyNetwork({ loss: 0.2, seed: 'a seed' });
 *     connect({ …, turbo: { network } });
 */
export class LossyNetwork implements Network {
  readonly #loss: number;
  readonly #random: Random;
  /** Datagrams that were sent, and those of them that were lost. */
  sent = 0;
  lost = 0;
  /** Sockets that are open: UDP of both ends, TCP of clients. */
  udpSockets = 0;
  tcpSockets = 0;

  constructor({ loss, seed }: { loss: number; seed: number | string }) {
    this.#loss = loss;
    this.#random = new Random(seed);
  }

  connectTcp: Network['connectTcp'] = (options) => {
    const socket = nodeNetwork.connectTcp(options);
    this.tcpSockets++;
    socket.once('close', () => this.tcpSockets--);
    return socket;
  };

  /** UDP sockets of another network, counted among those here; nothing is lost on them. */
  counting(other: Pick<Network, 'createUdpSocket'>): Pick<Network, 'createUdpSocket'> {
    return {
      createUdpSocket: (options) => {
        const socket = other.createUdpSocket(options);
        this.udpSockets++;
        socket.on('close', () => this.udpSockets--);
        return socket;
      },
    };
  }

  createTcpServer: Network['createTcpServer'] = (options) => nodeNetwork.createTcpServer(options);

  createUdpSocket: Network['createUdpSocket'] = (options) => {
    const socket = nodeNetwork.createUdpSocket(options);
    this.udpSockets++;
    socket.on('close', () => this.udpSockets--);
    const send = socket.send.bind(socket) as (...args: unknown[]) => void;
    return Object.assign(socket, {
      send: (...args: unknown[]) => {
        this.sent++;
        if (!this.#random.chance(this.#loss)) {
          send(...args);
          return;
        }
        this.lost++;
        const callback = args.at(-1);
        if (typeof callback === 'function') process.nextTick(callback as Callback, null);
      },
    }) satisfies UdpSocket;
  };
}
