/** The transport of `../transport.ts` over TurboTLS. */
import { secureTransport, type Transport, untilEvent, withServerName } from '../transport.js';
import { connect, type TurboConnectionOptions, type TurboSocket } from './connect.js';

/** TLS over TurboTLS; the host is the server name that is sent and verified, unless the options name another. */
export function turboTransport(options: Omit<TurboConnectionOptions, 'host' | 'port'> = {}): Transport<TurboSocket> {
  return secureTransport((address, { signal, tls } = {}) =>
    untilEvent('secureConnect', signal, () =>
      connect(withServerName({ noDelay: true, ...options, ...tls, ...address })),
    ),
  );
}
