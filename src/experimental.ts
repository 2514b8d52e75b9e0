/**
 * TurboTLS: the feature flag. Only this module gives turbo; `turbotls` itself never loads it.
 *
 *   client                                   server
 *   ClientHello ────── UDP datagrams ──────► engine ─► TLS
 *   SYN         ────── TCP ────────────────►
 *               ◄───── UDP datagrams ─────── ServerHello … Finished
 *               ◄───── TCP ───────────────── SYN-ACK
 *   [tombstone] Finished, request ── TCP ──► bound to the session
 *               ◄───── TCP ───────────────── [Reply] response
 *
 * `connect` and `createServer` are tls.connect and tls.createServer, one round trip shorter. `attach` gives an existing
 * server a TurboTLS port. ClientIO, ServerIO and TurboListener are for those who bring their own TLS.
 *
 * Where to look next: `proto/turbotls.proto` is the wire; `client/client-io.ts` and `engine/engine.ts` are the two ends.
 */

export { Dialer, type DialerOptions } from './adapters/dialer.js';
export { type CreateHttp2Connection, createHttp2Connection, type Http2ConnectionOptions } from './adapters/http2.js';
export { type TurboAgentOptions, turboAgent } from './adapters/https-agent.js';
export { TurboConnector, type TurboConnectorClass } from './adapters/ioredis.js';
export { type MysqlConnection, type MysqlOptions, type MysqlStream, mysqlStream } from './adapters/mysql.js';
export { type PgStreamConfig, type PgStreamResult, pgStream } from './adapters/pg.js';
export { type PostgresSocketOptions, type PostgresSocketResult, postgresSocket } from './adapters/postgres-js.js';
export {
  type UndiciCallback,
  type UndiciConnector,
  type UndiciConnectorOptions,
  type UndiciOrigin,
  undiciConnector,
} from './adapters/undici.js';
export { ClientIO } from './client/client-io.js';
export { type ClientTurboOptions, connect, type TurboConnectionOptions, type TurboSocket } from './client/connect.js';
export type { ClientIOOptions, Timeline, TurboInfo } from './client/connection.js';
export { type FirstContact, PathMemory, type PathMemoryOptions } from './client/path-memory.js';
export { turboTransport } from './client/turbo-transport.js';
export type { AttachOptions, TurboPort } from './engine/attach.js';
export type { ServerOptions, ServerTurboOptions, TurboServer } from './engine/create-server.js';
export type { DropReason, EngineEvent, RefuseReason, RejectReason } from './engine/events.js';
export type { Accepted, TurboListenerOptions } from './engine/turbo-listener.js';
export { errorTexts, TurboError, type TurboErrorCode } from './errors.js';
export { defaultLimits, type Limits } from './limits.js';
export { type Clock, systemClock, type Timer } from './platform/clock.js';
export { type Network, nodeNetwork, type TcpServer, type TcpSocket, type UdpSocket } from './platform/network.js';
export { HandshakeState } from './server/future-tcp-link.js';
export { ServerIO } from './server/server-io.js';
export { attach, createServer, TurboListener } from './workers/cluster-worker.js';
