/**
 * PostgreSQL: the wire protocol, and a client that wastes no round trip.
 *
 *     const client = PgClient.open('postgres://user@db.example.org/app', { transport: turboTransport() });
 *     const { rows } = await client.query('SELECT * FROM items WHERE id = $1', [42]);
 *     await client.close();
 *
 * The client is `client/pg-client.ts`: a queue of exchanges (`exchange.ts`), a session that sends them (`session.ts`),
 * a connector that comes to a session by hosts, TLS (`link.ts`, `../negotiation.ts`) and login (`login.ts`, `../auth`).
 *
 * The codec, 3.0 and 3.2, is bytes to messages and back, for both sides. It touches no socket.
 *
 *     bytes ─► BackendDecoder  ─► BackendMessage      what a server sends: a client decodes it
 *     bytes ─► FrontendDecoder ─► FrontendMessage     what a client sends: a server or a gateway decodes it
 *     FrontendMessage ─► FrontendEncoder ─► bytes
 *     BackendMessage  ─► BackendEncoder  ─► bytes
 *
 * Messages are plain objects, named and shaped as the documentation's "Message Formats" has them (`messages.ts`), told
 * apart by `name`. Only a row is an object with methods, `DataRow`: its values stay bytes until somebody asks. Every
 * failure is a `PgError` with a code; every length has a limit, `PgLimits`, small before login.
 *
 * Where to look: `decoder.ts` and `encoder.ts` are what others use; `message/` has a module per area of the protocol,
 * with both ways of each message together; `message-table.ts` tells which is which; `byte-queue.ts`, `reader.ts` and
 * `writer.ts` own the offsets; `constants.ts` names the numbers.
 */
export type { PgPassword } from './auth/authenticator.js';
export type { PgTimeline } from './client/connector.js';
export { PgMemory } from './client/memory.js';
export type { PgClientOptions } from './client/options.js';
export { PgClient } from './client/pg-client.js';
export type { PgResult, Row, RowMode } from './client/result.js';
export type { PreparedStatement, QueryOptions, RowsOptions } from './client/scope.js';
export type { PgNotification } from './client/session.js';
export type { Transaction, TransactionOptions } from './client/transaction.js';
export type { Conninfo } from './conninfo/parameters.js';
export { PROTOCOL_3_0, PROTOCOL_3_2 } from './constants.js';
export { DataRow } from './data-row.js';
export { BackendDecoder, type DecoderOptions, FrontendDecoder } from './decoder.js';
export { BackendEncoder, FrontendEncoder } from './encoder.js';
export { PgError, type PgErrorCode, PgServerError, pgErrorTexts } from './errors.js';
export { defaultPgLimits, type PgLimits } from './limits.js';
export {
  decodeGSSResponse,
  decodePasswordMessage,
  decodeSASLInitialResponse,
  decodeSASLResponse,
} from './message/authentication.js';
export type {
  AuthenticationMessage,
  BackendMessage,
  FieldDescription,
  Format,
  FrontendMessage,
  NoticeFields,
  ParameterValue,
  PasswordPhaseMessage,
  StartupPhaseMessage,
  TransactionStatus,
  UnknownMessage,
} from './messages.js';
export type { PgTlsOptions } from './tls-options.js';
export { arrayParser } from './types/array.js';
export { quoteIdentifier, quoteLiteral } from './types/identifiers.js';
export { typeOids } from './types/oids.js';
export type { TextParser } from './types/registry.js';
