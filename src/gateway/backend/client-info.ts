/** What a backend is told of the client, and how (PROXY protocol, version 2). */
import { encodeProxyV2, type ProxyHeader, type ProxyTls } from '../../wire/proxy-protocol.js';

export interface ClientInfo {
  /** The client's own: what a PROXY header said of it, else that of its connection. */
  address: string;
  port: number;
  /** Where it connected to. */
  localAddress: string;
  localPort: number;
  serverName: string | undefined;
  /** What was agreed on; in passthrough, where that is not seen, undefined. */
  alpn: string | undefined;
  /** The TLS that ended at the gateway. */
  tls: ClientTls | undefined;
}

export type ClientTls = Pick<ProxyTls, 'version' | 'cipher' | 'commonName' | 'verified'>;

/** The header of a connection that the gateway makes for itself. */
export const LOCAL_HEADER: Buffer = encodeProxyV2({ command: 'local', version: 2 });

/** @throws TurboError ERR_TURBO_BAD_OPTION where an address is none */
export function headerFor({ address, port, localAddress, localPort, serverName, alpn, tls }: ClientInfo): Buffer {
  const header: ProxyHeader = {
    command: 'proxy',
    version: 2,
    source: { address, port },
    destination: { address: localAddress, port: localPort },
    alpn,
    authority: serverName,
    tls,
  };
  return encodeProxyV2(header);
}
