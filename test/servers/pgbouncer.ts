/** PgBouncer of Debian, in front of a PostgreSQL. */
import { join } from 'node:path';
import { Daemon, freePort } from './daemon.js';
import { DaemonServer, takesConnections } from './daemon-server.js';
import { locatePart } from './parts.js';
import type { PostgresServer } from './postgres.js';
import { type ServerTls, writeTlsFiles } from './tls-files.js';
import { makeFolder, writeServerFile } from './workshop.js';

export interface PgbouncerOptions {
  upstream: PostgresServer;
  /** Default transaction. */
  poolMode?: 'session' | 'transaction' | 'statement';
  /**
   * How clients log in. `cert` takes the user from the certificate, and needs `tls.ca`. `any` lets everyone in, and logs
   * in upstream as the first of the users. Default scram-sha-256.
   */
  authType?: 'scram-sha-256' | 'md5' | 'plain' | 'trust' | 'cert' | 'any';
  /** Towards clients, who may do without unless `authType` is cert. Default: none. */
  tls?: ServerTls;
  /** Those of auth_file; PgBouncer logs in upstream with the same passwords. */
  users?: readonly { name: string; password: string }[];
  /** Of the section [pgbouncer], over those of the harness. */
  settings?: Readonly<Record<string, string>>;
}

export class PgbouncerServer extends DaemonServer {
  readonly port: number;
  readonly socketDir: string;

  private constructor(port: number, socketDir: string, daemon: Daemon) {
    super(daemon);
    this.port = port;
    this.socketDir = socketDir;
  }

  static async start(options: PgbouncerOptions): Promise<PgbouncerServer> {
    const program = locatePart('pgbouncer');
    const folder = await makeFolder('pgbouncer');
    const port = await freePort();
    const configuration = join(folder, 'pgbouncer.ini');
    await writeServerFile(join(folder, 'users.txt'), (options.users ?? []).map(userLine).join(''));
    await writeServerFile(configuration, await iniText(options, folder, port));
    const daemon = await Daemon.start({
      name: 'PgBouncer',
      folder,
      command: [program, configuration],
      endSignal: 'SIGTERM',
      probe: () => takesConnections({ path: join(folder, `.s.PGSQL.${port}`) }),
    });
    return new PgbouncerServer(port, folder, daemon);
  }
}

/** Starts it, and stops it again by `stop()`; its upstream is another's to stop. */
export function startPgbouncer(options: PgbouncerOptions): Promise<PgbouncerServer> {
  return PgbouncerServer.start(options);
}

async function iniText(options: PgbouncerOptions, folder: string, port: number): Promise<string> {
  const { upstream, poolMode = 'transaction', authType = 'scram-sha-256', tls, users = [], settings = {} } = options;
  const [first] = authType === 'any' ? users : [];
  const login = first ? ` user=${quote(first.name)} password=${quote(first.password)}` : '';
  const all: Record<string, string> = {
    listen_addr: '127.0.0.1',
    listen_port: String(port),
    unix_socket_dir: folder,
    auth_type: authType,
    auth_file: join(folder, 'users.txt'),
    pool_mode: poolMode,
    ...(tls ? await tlsSettings(folder, tls, authType === 'cert') : {}),
    ...settings,
  };
  const lines = Object.entries(all).map(([name, value]) => `${name} = ${value}\n`);
  return `[databases]\n* = host=${upstream.host} port=${upstream.port}${login}\n[pgbouncer]\n${lines.join('')}`;
}

async function tlsSettings(folder: string, tls: ServerTls, needsCertificate: boolean): Promise<Record<string, string>> {
  const { cert, key, ca } = await writeTlsFiles(folder, tls);
  return {
    client_tls_sslmode: needsCertificate ? 'verify-full' : 'allow',
    client_tls_cert_file: cert,
    client_tls_key_file: key,
    ...(ca ? { client_tls_ca_file: ca } : {}),
  };
}

function userLine({ name, password }: { name: string; password: string }): string {
  const quoted = [name, password].map((text) => `"${text.replaceAll('"', '""')}"`);
  return `${quoted.join(' ')}\n`;
}

/** In a connection string of the section [databases]. */
function quote(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
