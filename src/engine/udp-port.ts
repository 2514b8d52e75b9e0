/** The UDP port beside a TCP port. */
import { type AddressInfo, isIPv6 } from 'node:net';
import { TurboError } from '../errors.js';
import { type Network, numericLookup, type UdpSocket } from '../platform/network.js';

/** The kernel's default loses datagrams in bursts of 50; it grants what its own limit allows. */
const RECEIVE_BUFFER_BYTES = 4 * 1024 * 1024;

/**
 * Binds UDP to the address and port that TCP has. It does not keep the process alive: the TCP port does.
 * @throws TurboError ERR_TURBO_LISTEN; retryable where another port number may do
 */
export function bindUdp(
  network: Pick<Network, 'createUdpSocket'>,
  { address, port }: AddressInfo,
  ipv6Only = false,
): Promise<UdpSocket> {
  return new Promise((resolve, reject) => {
    const udp = network.createUdpSocket({
      type: isIPv6(address) ? 'udp6' : 'udp4',
      ipv6Only,
      recvBufferSize: RECEIVE_BUFFER_BYTES,
      lookup: numericLookup,
    });
    const failed = (cause: Error) => {
      udp.close();
      const taken = (cause as NodeJS.ErrnoException).code === 'EADDRINUSE';
      const detail = taken
        ? `UDP port ${port} is in use (in node:cluster by another worker, perhaps: see sharePorts of turbotls/cluster)`
        : `UDP port ${port}: ${cause.message}`;
      reject(new TurboError('ERR_TURBO_LISTEN', detail, { cause, retryable: taken }));
    };
    udp.once('error', failed);
    // In a cluster each worker has its own sessions: a shared socket would scatter their datagrams.
    udp.bind({ address, port, exclusive: true }, () => {
      udp.off('error', failed);
      udp.unref();
      resolve(udp);
    });
  });
}
