/**
 * For http2.connect: what is given as its option `createConnection`.
 *
 *     http2.connect('https://api.example.com', { createConnection: createHttp2Connection({ ca }) });
 */
import { connect as connectTcp, type Socket } from 'node:net';
import { connect, type TurboConnectionOptions } from '../client/connect.js';
import { TurboError } from '../errors.js';
import { withServerName } from '../transport.js';

export type Http2ConnectionOptions = Omit<TurboConnectionOptions, 'host' | 'port' | 'path' | 'socket'>;

export type CreateHttp2Connection = (authority: URL, options?: object) => Socket;

/**
 * Connects to https: over TurboTLS, and to http: over TCP as ever. TLS's options among those of http2.connect count
 * too, after these.
 *
 * @throws what is returned: TurboError ERR_TURBO_BAD_OPTION, ERR_TURBO_REQUIRED, and what tls.connect throws
 */
export function createHttp2Connection(options: Http2ConnectionOptions = {}): CreateHttp2Connection {
  return (authority, sessionOptions = {}) => {
    const { protocol, hostname, port } = authority;
    const secure = protocol === 'https:';
    const address = { host: hostname.replace(/^\[(.*)\]$/, '$1'), port: Number(port || (secure ? 443 : 80)) };
    const all = { noDelay: true, ALPNProtocols: ['h2'], ...sessionOptions, ...options, ...address };
    if (secure) return connect(withServerName(all));
    if (options.turbo?.mode === 'require') {
      throw new TurboError('ERR_TURBO_REQUIRED', `there is no TLS to ${authority.origin}; ask for https:`);
    }
    return connectTcp(all);
  };
}
