/** PostgreSQL 15 of Debian, 17 and 18 of npm. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import pg from 'pg';
import { Daemon, freePort } from './daemon.js';
import type { PostgresVersion } from './parts.js';
import { withPg } from './pg-session.js';
import { makeCluster, makeStandby, postgresPrograms, SUPERUSER } from './postgres-installation.js';
import { type ServerTls, writeTlsFiles } from './tls-files.js';
import { makeFolder, writeServerFile } from './workshop.js';

export interface PostgresUser {
  readonly name: string;
  /** Default: none, so that only trust and cert let the user in. */
  readonly password?: string;
  /** How the password is kept, which decides what md5 in pg_hba.conf asks for. Default scram-sha-256. */
  readonly encryption?: 'scram-sha-256' | 'md5';
}

export interface PostgresOptions {
  version: PostgresVersion;
  /** Default: no TLS. */
  tls?: ServerTls | undefined;
  /** Lines of pg_hba.conf. Default: scram-sha-256 for everyone from everywhere. */
  hba?: readonly string[];
  /** Of postgresql.conf, over those of the harness. */
  settings?: Readonly<Record<string, string>>;
  users?: readonly PostgresUser[];
  /** It is a hot standby of that server; both are of version 15. Users and rows are that one's. */
  standbyOf?: PostgresServer;
}

export type Row = Record<string, unknown>;

const DEFAULT_HBA = ['host all all all scram-sha-256', 'local all all scram-sha-256'];

/** By which `sql` gets in, whatever a test writes behind it. */
const HARNESS_HBA = `local all,replication ${SUPERUSER.user} trust`;

/** Small and quick; what is written need not outlive the machine. */
const SETTINGS = {
  listen_addresses: '127.0.0.1',
  shared_buffers: '8MB',
  max_connections: '50',
  fsync: 'off',
  synchronous_commit: 'off',
  full_page_writes: 'off',
  autovacuum: 'off',
  max_wal_size: '32MB',
  min_wal_size: '2MB',
  logging_collector: 'off',
};

const RELOAD_TIMEOUT_MS = 10_000;

export class PostgresServer {
  readonly version: PostgresVersion;
  readonly host = '127.0.0.1';
  readonly port: number;
  /** Of the Unix socket; trusts the superuser. */
  readonly socketDir: string;
  readonly dataDir: string;
  readonly superuser = SUPERUSER;
  readonly #settings: Record<string, string>;
  #daemon: Daemon | undefined;

  private constructor(version: PostgresVersion, socketDir: string, dataDir: string, port: number) {
    this.version = version;
    this.socketDir = socketDir;
    this.dataDir = dataDir;
    this.port = port;
    this.#settings = { ...SETTINGS, port: String(port), unix_socket_directories: socketDir };
  }

  static async start(options: PostgresOptions): Promise<PostgresServer> {
    const { version, tls, hba = DEFAULT_HBA, settings = {}, users = [], standbyOf } = options;
    const programs = await postgresPrograms(version);
    const folder = await makeFolder(`postgresql-${version}`);
    const data = await (standbyOf ? makeStandby(folder, standbyOf) : makeCluster(version, folder));
    const server = new PostgresServer(version, folder, data, await freePort());
    await server.#writeHba(hba);
    await server.#writeSettings({ ...settings, ...(await server.#tlsSettings(tls)) });
    server.#daemon = await Daemon.start({
      name: `PostgreSQL ${version}`,
      folder,
      command: [join(programs, 'postgres'), '-D', server.dataDir],
      endSignal: 'SIGINT',
      probe: () => server.sql('SELECT 1'),
    });
    if (standbyOf) return server;
    try {
      await server.sql(['GRANT ALL ON SCHEMA public TO PUBLIC', ...users.map(createUser)].join(';\n'));
    } catch (error) {
      await server.stop();
      throw error;
    }
    return server;
  }

  /** Runs one or more statements as superuser; the rows of the last one. */
  async sql(text: string): Promise<Row[]> {
    return withPg({ host: this.socketDir, port: this.port, ...SUPERUSER }, async (client) => {
      const result: pg.QueryResult<Row> | pg.QueryResult<Row>[] = await client.query<Row>(text);
      return (Array.isArray(result) ? result.at(-1) : result)?.rows ?? [];
    });
  }

  /** From here on these lines of pg_hba.conf hold; a line that PostgreSQL does not understand is an error. */
  async setHba(lines: readonly string[]): Promise<void> {
    await this.#writeHba(lines);
    await this.reload();
  }

  /** From the next connection on; undefined: no TLS. */
  async setTls(tls: ServerTls | undefined): Promise<void> {
    await this.set(await this.#tlsSettings(tls));
  }

  /** Settings of postgresql.conf that a reload can change. */
  async set(settings: Readonly<Record<string, string>>): Promise<void> {
    await this.#writeSettings(settings);
    await this.reload();
  }

  /** Resolves once the configuration is in force; rejects with what the server says against it. */
  async reload(): Promise<void> {
    const logged = this.log().length;
    const before = await this.#loadTime();
    this.#daemon?.signal('SIGHUP');
    for (const deadline = Date.now() + RELOAD_TIMEOUT_MS; (await this.#loadTime()) === before; await delay(10)) {
      if (Date.now() > deadline) throw new Error(`no reload in ${RELOAD_TIMEOUT_MS} ms:\n${this.log()}`);
    }
    const said = this.log().slice(logged);
    if (/was not reloaded|contains errors/.test(said)) throw new Error(`the configuration is not in force:\n${said}`);
  }

  /** Keeps port and data. */
  async restart(): Promise<void> {
    await this.#daemon?.restart();
  }

  /** Ends it and removes its folder; again is no error. */
  async stop(): Promise<void> {
    await this.#daemon?.stop();
  }

  log(): string {
    return this.#daemon?.log ?? '';
  }

  get pid(): number | undefined {
    return this.#daemon?.pid;
  }

  async #loadTime(): Promise<unknown> {
    const [row] = await this.sql('SELECT pg_conf_load_time()::text AS time');
    return row?.time;
  }

  async #writeHba(lines: readonly string[]): Promise<void> {
    await writeServerFile(join(this.dataDir, 'pg_hba.conf'), `${[HARNESS_HBA, ...lines].join('\n')}\n`);
  }

  async #writeSettings(settings: Readonly<Record<string, string>>): Promise<void> {
    Object.assign(this.#settings, settings);
    const lines = Object.entries(this.#settings).map(([name, value]) => `${name} = ${quote(value)}\n`);
    await writeServerFile(join(this.dataDir, 'postgresql.conf'), lines.join(''));
  }

  async #tlsSettings(tls: ServerTls | undefined): Promise<Record<string, string>> {
    if (tls === undefined) return { ssl: 'off' };
    const { cert, key, ca = '', crl = '' } = await writeTlsFiles(this.socketDir, tls);
    return { ssl: 'on', ssl_cert_file: cert, ssl_key_file: key, ssl_ca_file: ca, ssl_crl_file: crl };
  }
}

/** Starts it, and stops it again by `stop()`. Port and Unix socket are its own, and so is its empty cluster. */
export function startPostgres(options: PostgresOptions): Promise<PostgresServer> {
  return PostgresServer.start(options);
}

/** In postgresql.conf. */
function quote(value: string): string {
  return `'${value.replaceAll('\\', '\\\\').replaceAll("'", "''")}'`;
}

function createUser({ name, password, encryption = 'scram-sha-256' }: PostgresUser): string {
  const secret = password === undefined ? '' : ` PASSWORD ${pg.escapeLiteral(password)}`;
  return `SET password_encryption = '${encryption}'; CREATE ROLE ${pg.escapeIdentifier(name)} LOGIN${secret}`;
}
