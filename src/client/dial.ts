/** TCP as the client dials it. */
import type { TcpNetConnectOpts } from 'node:net';
import type { Network, TcpSocket } from '../platform/network.js';

/** Connects as net.connect does, without Nagle's delay, and open until TLS ends each direction. */
export function dialTcp(network: Network, options: TcpNetConnectOpts): TcpSocket {
  return network.connectTcp({ noDelay: true, ...options, ...laterLookup(options), allowHalfOpen: true });
}

/** A lookup that answers at once would have TCP attempt its addresses before anyone can listen for the attempts. */
function laterLookup({ lookup }: TcpNetConnectOpts): Pick<TcpNetConnectOpts, 'lookup'> {
  if (typeof lookup !== 'function') return {}; // what is none, net.connect refuses
  return {
    lookup: (hostname, options, callback) =>
      lookup(hostname, options, (...answer) => process.nextTick(() => callback(...answer))),
  };
}
