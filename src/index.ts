/**
 * turbotls: the stable surface. Transports over plain TCP and TLS, and the errors; nothing here loads TurboTLS itself,
 * which is `turbotls/experimental`.
 */
export { errorTexts, TurboError, type TurboErrorCode } from './errors.js';
export {
  type Address,
  type DialOptions,
  type HostAddress,
  type PathAddress,
  secureTransport,
  startTls,
  type TlsOptions,
  type Transport,
  tcpTransport,
  tlsTransport,
} from './transport.js';
