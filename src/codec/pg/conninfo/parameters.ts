/**
 * libpq's parameter key words ("Parameter Key Words", "Environment Variables") and what becomes of each here. The table
 * is the one place that knows them; a key word that is not in it is refused.
 */
import type {
  ChannelBinding,
  LoadBalanceHosts,
  ProtocolVersion,
  SslMode,
  SslNegotiation,
  TargetSessionAttrs,
  TlsVersion,
} from './target.js';

type Flag = boolean | 0 | 1 | '0' | '1';
type Whole = number | string;
/** The values that are known, completed by editors, and any string, for what comes from a configuration. */
type OneOf<Value extends string> = Value | (string & {});

/** libpq's parameters as an object. What is undefined or empty is not given, as with PQconnectdbParams. */
export interface Conninfo {
  /** A name, an address, the directory of a Unix socket, or several with commas between. */
  host?: string | undefined;
  hostaddr?: string | undefined;
  port?: Whole | undefined;
  dbname?: string | undefined;
  user?: string | undefined;
  password?: string | undefined;
  passfile?: string | undefined;
  service?: string | undefined;
  sslmode?: OneOf<SslMode> | undefined;
  sslnegotiation?: OneOf<SslNegotiation> | undefined;
  /** The name of a file, or `system`: Node's trust store, and verify-full unless said otherwise. */
  sslrootcert?: string | undefined;
  sslcert?: string | undefined;
  sslkey?: string | undefined;
  sslpassword?: string | undefined;
  sslcertmode?: OneOf<'disable' | 'allow'> | undefined;
  sslcrl?: string | undefined;
  sslcrldir?: string | undefined;
  sslsni?: Flag | undefined;
  ssl_min_protocol_version?: OneOf<TlsVersion> | undefined;
  ssl_max_protocol_version?: OneOf<TlsVersion> | undefined;
  channel_binding?: OneOf<ChannelBinding> | undefined;
  /** Methods with commas between, each of them with `!` before it or none. */
  require_auth?: string | undefined;
  target_session_attrs?: OneOf<TargetSessionAttrs> | undefined;
  load_balance_hosts?: OneOf<LoadBalanceHosts> | undefined;
  /** Seconds, per host; 0 or less: no limit. */
  connect_timeout?: Whole | undefined;
  application_name?: string | undefined;
  fallback_application_name?: string | undefined;
  /** Command-line options for the server, such as `-c statement_timeout=5000`. */
  options?: string | undefined;
  client_encoding?: OneOf<'UTF8' | 'auto'> | undefined;
  replication?: Flag | OneOf<'database'> | undefined;
  keepalives?: Flag | undefined;
  /** Seconds; 0 or less: as the system has it. */
  keepalives_idle?: Whole | undefined;
  min_protocol_version?: OneOf<ProtocolVersion> | undefined;
  max_protocol_version?: OneOf<ProtocolVersion> | undefined;
  gssencmode?: OneOf<'disable' | 'prefer'> | undefined;
  /** Taken and without effect: Node has no such socket option, or GSSAPI is not spoken here. */
  keepalives_interval?: Whole | undefined;
  keepalives_count?: Whole | undefined;
  tcp_user_timeout?: Whole | undefined;
  sslcompression?: Flag | undefined;
  krbsrvname?: string | undefined;
  gsslib?: string | undefined;
  gssdelegation?: Flag | undefined;
}

/** What becomes of a key word: it is `used`, taken `without effect`, or refused with a reason. */
type Fate = 'used' | 'without effect' | { readonly refused: string };

interface Parameter {
  /** The environment variable that gives it where nothing else does. */
  readonly env?: string;
  readonly fate: Fate;
}

const used = (env?: string): Parameter => (env === undefined ? { fate: 'used' } : { env, fate: 'used' });
const without = (env?: string): Parameter => ({ ...used(env), fate: 'without effect' });
const refused = (reason: string, env?: string): Parameter => ({ ...used(env), fate: { refused: reason } });

const NO_OAUTH = 'OAuth is not spoken here; a short-lived token can be passed as the password';

const PARAMETERS: Readonly<Record<keyof Conninfo, Parameter>> = {
  host: used('PGHOST'),
  hostaddr: used('PGHOSTADDR'),
  port: used('PGPORT'),
  dbname: used('PGDATABASE'),
  user: used('PGUSER'),
  password: used('PGPASSWORD'),
  passfile: used('PGPASSFILE'),
  service: used('PGSERVICE'),
  sslmode: used('PGSSLMODE'),
  sslnegotiation: used('PGSSLNEGOTIATION'),
  sslrootcert: used('PGSSLROOTCERT'),
  sslcert: used('PGSSLCERT'),
  sslkey: used('PGSSLKEY'),
  sslpassword: used(),
  sslcertmode: used('PGSSLCERTMODE'),
  sslcrl: used('PGSSLCRL'),
  sslcrldir: used('PGSSLCRLDIR'),
  sslsni: used('PGSSLSNI'),
  ssl_min_protocol_version: used('PGSSLMINPROTOCOLVERSION'),
  ssl_max_protocol_version: used('PGSSLMAXPROTOCOLVERSION'),
  channel_binding: used('PGCHANNELBINDING'),
  require_auth: used('PGREQUIREAUTH'),
  target_session_attrs: used('PGTARGETSESSIONATTRS'),
  load_balance_hosts: used('PGLOADBALANCEHOSTS'),
  connect_timeout: used('PGCONNECT_TIMEOUT'),
  application_name: used('PGAPPNAME'),
  fallback_application_name: used(),
  options: used('PGOPTIONS'),
  client_encoding: used('PGCLIENTENCODING'),
  replication: used(),
  keepalives: used(),
  keepalives_idle: used(),
  min_protocol_version: used('PGMINPROTOCOLVERSION'),
  max_protocol_version: used('PGMAXPROTOCOLVERSION'),
  gssencmode: used('PGGSSENCMODE'),
  keepalives_interval: without(),
  keepalives_count: without(),
  tcp_user_timeout: without(),
  sslcompression: without('PGSSLCOMPRESSION'),
  krbsrvname: without('PGKRBSRVNAME'),
  gsslib: without('PGGSSLIB'),
  gssdelegation: without('PGGSSDELEGATION'),
};

/** Key words of libpq that would promise what cannot be kept here. */
const REFUSED: Readonly<Record<string, Parameter>> = {
  requirepeer: refused('Node does not tell which user is behind a Unix socket', 'PGREQUIREPEER'),
  sslkeylogfile: refused('start Node with --tls-keylog=<file> instead'),
  scram_client_key: refused('only a password is taken'),
  scram_server_key: refused('only a password is taken'),
  oauth_issuer: refused(NO_OAUTH),
  oauth_client_id: refused(NO_OAUTH),
  oauth_client_secret: refused(NO_OAUTH),
  oauth_scope: refused(NO_OAUTH),
};

export type Keyword = keyof Conninfo;

/** Every key word, with its environment variable and its fate. */
export const parameters: ReadonlyMap<string, Parameter> = new Map([
  ...Object.entries(PARAMETERS),
  ...Object.entries(REFUSED),
]);

/** The known key word that is nearest to `word`, if it is near enough to be what was meant. */
export function suggestionFor(word: string): string | undefined {
  if (word.length > 40) return undefined;
  const meant = ALIASES.get(word.toLowerCase());
  if (meant !== undefined) return meant;
  const usable = [...parameters].filter(([, { fate }]) => fate === 'used').map(([keyword]) => keyword);
  const [nearest] = usable
    .map((keyword) => ({ keyword, distance: editDistance(word.toLowerCase(), keyword) }))
    .sort((a, b) => a.distance - b.distance);
  return nearest && nearest.distance <= Math.max(1, Math.floor(word.length / 4)) ? nearest.keyword : undefined;
}

/** What other drivers call the same. */
const ALIASES: ReadonlyMap<string, Keyword> = new Map([
  ['database', 'dbname'],
  ['db', 'dbname'],
  ['username', 'user'],
  ['hostname', 'host'],
  ['pass', 'password'],
  ['ssl', 'sslmode'],
  ['applicationname', 'application_name'],
  ['connectiontimeoutmillis', 'connect_timeout'],
  ['timeout', 'connect_timeout'],
  ['keepalive', 'keepalives'],
]);

/** Levenshtein's. */
function editDistance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, column) => column);
  for (const [index, letter] of [...a].entries()) {
    const next = [index + 1];
    for (let column = 1; column <= b.length; column++) {
      const replaced = (row[column - 1] ?? 0) + (letter === b[column - 1] ? 0 : 1);
      next.push(Math.min(replaced, (row[column] ?? 0) + 1, (next[column - 1] ?? 0) + 1));
    }
    row = next;
  }
  return row[b.length] ?? 0;
}
