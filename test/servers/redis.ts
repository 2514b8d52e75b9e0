/** redis-server of Debian. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { Daemon, freePort } from './daemon.js';
import { DaemonServer } from './daemon-server.js';
import { locatePart } from './parts.js';
import { type ServerTls, writeTlsFiles } from './tls-files.js';
import { makeFolder, writeServerFile } from './workshop.js';

export interface RedisTls extends ServerTls {
  /** Whether clients must show a certificate. Default no. */
  readonly authClients?: 'yes' | 'no' | 'optional';
}

export interface RedisOptions {
  /** Of the user `default`. Default: none is asked for. */
  password?: string;
  /** Rules of ACL SETUSER, name first: `alice on >secret ~* +@all`. */
  acl?: readonly string[];
  /** On a port beside the plain one. Default: no TLS. */
  tls?: RedisTls;
  /** Where it listens; an IPv4 address of this machine. Default 127.0.0.1. */
  host?: string;
  /** More lines of redis.conf. */
  args?: readonly string[];
}

const PROBE_TIMEOUT_MS = 2_000;

/** Loses its data when it is started again. */
export class RedisServer extends DaemonServer {
  readonly port: number;
  /** 0 without TLS. */
  readonly tlsPort: number;
  readonly socketPath: string;

  private constructor(
    { host, ...ports }: { host: string; port: number; tlsPort: number },
    socketPath: string,
    daemon: Daemon,
  ) {
    super(daemon, host);
    this.port = ports.port;
    this.tlsPort = ports.tlsPort;
    this.socketPath = socketPath;
  }

  static async start(options: RedisOptions = {}): Promise<RedisServer> {
    const { password, acl = [], tls, host = '127.0.0.1', args = [] } = options;
    const program = locatePart('redis-server');
    const folder = await makeFolder('redis');
    const [port, tlsPort] = [await freePort(), tls ? await freePort() : 0];
    const socketPath = join(folder, 'redis.sock');
    const configuration = join(folder, 'redis.conf');
    const lines = [
      `bind ${host}`,
      `port ${port}`,
      `unixsocket ${socketPath}`,
      `dir ${folder}`,
      'save ""',
      'appendonly no',
      'enable-debug-command yes',
      ...(password === undefined ? [] : [`requirepass ${JSON.stringify(password)}`]),
      ...acl.map((rule) => `user ${rule}`),
      ...(tls ? await tlsLines(folder, tlsPort, tls) : []),
      ...args,
    ];
    await writeServerFile(configuration, `${lines.join('\n')}\n`);
    const daemon = await Daemon.start({
      name: 'redis-server',
      folder,
      command: [program, configuration],
      endSignal: 'SIGTERM',
      probe: () => ping(socketPath),
    });
    return new RedisServer({ host, port, tlsPort }, socketPath, daemon);
  }
}

/** Starts it, and stops it again by `stop()`. Its commands of DEBUG are on; it keeps nothing. */
export function startRedis(options?: RedisOptions): Promise<RedisServer> {
  return RedisServer.start(options);
}

async function tlsLines(folder: string, tlsPort: number, tls: RedisTls): Promise<string[]> {
  const { cert, key, ca } = await writeTlsFiles(folder, tls);
  return [
    `tls-port ${tlsPort}`,
    `tls-cert-file ${cert}`,
    `tls-key-file ${key}`,
    ...(ca ? [`tls-ca-cert-file ${ca}`] : []),
    `tls-auth-clients ${tls.authClients ?? 'no'}`,
  ];
}

/** Resolves with the answer, which may be that a password is needed. */
async function ping(path: string): Promise<unknown> {
  const socket = connect({ path });
  try {
    socket.write('PING\r\n');
    return await once(socket, 'data', { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
  } finally {
    socket.destroy();
  }
}
