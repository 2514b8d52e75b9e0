/** What a PgClient is told besides where to connect to. */
import type { Transport } from '../../../transport.js';
import type { PgLimits } from '../limits.js';
import type { PgTlsOptions } from '../tls-options.js';
import type { TextParser } from '../types/registry.js';
import type { PgMemory } from './memory.js';

export interface PgClientOptions {
  /** Default: TCP, and TLS on it as `sslmode` and `sslnegotiation` say. */
  transport?: Transport | undefined;
  /** A function is asked anew for each connection, for tokens that do not live long. Wins over the string's. */
  password?: string | (() => string | Promise<string>) | undefined;
  /** Certificates and keys in memory (PEM); they win over the files that the connection string names. */
  tls?: PgTlsOptions | undefined;
  /** Parsers of text values by type OID, over the built-in ones. */
  types?: Readonly<Record<number, TextParser>> | undefined;
  /**
   * Whether messages are sent before the server has asked for them, so that no round trip is spent on what it is
   * expected to ask. Default true.
   */
  speculate?: boolean | undefined;
  /** Whether a password may go in the clear over a connection that is not encrypted. Default false. */
  allowCleartext?: boolean | undefined;
  /** Ends the attempt to connect, or the connection. */
  signal?: AbortSignal | undefined;
  /** Of each query that names none of its own, ms. Default 0: none. */
  queryTimeoutMs?: number | undefined;
  limits?: Partial<PgLimits> | undefined;
  /** Instead of the process's: PGHOST and the like. */
  env?: NodeJS.ProcessEnv | undefined;
  /** What connections learn of servers. Default: one for the process. */
  memory?: PgMemory | undefined;
  /** What is odd but goes on: a password file that others can read, say. Default: process.emitWarning. */
  onWarning?: ((text: string) => void) | undefined;
}
