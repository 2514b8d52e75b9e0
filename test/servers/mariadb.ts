/** MariaDB of Debian, without TLS: its protocol upgrades in mid-stream, so that TLS in front of it is somebody else's. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Daemon, freePort } from './daemon.js';
import { locatePart } from './parts.js';
import { makeFolder, serverAccount, writeServerFile } from './workshop.js';

const run = promisify(execFile);
/** Of all databases, from everywhere. */
const USER = { name: 'alice', password: 'a-password-of-tests' } as const;
const PROBE_TIMEOUT_MS = 2_000;

export class MariadbServer {
  readonly host = '127.0.0.1';
  readonly port: number;
  readonly user = USER;
  readonly #daemon: Daemon;

  private constructor(port: number, daemon: Daemon) {
    this.port = port;
    this.#daemon = daemon;
  }

  static async start(): Promise<MariadbServer> {
    const program = locatePart('mariadbd');
    const folder = await makeFolder('mariadb');
    const [port, data] = [await freePort(), join(folder, 'data')];
    const { name, password } = USER;
    await run('mariadb-install-db', ['--no-defaults', `--datadir=${data}`, '--skip-test-db'], serverAccount());
    const init = join(folder, 'init.sql');
    // One statement a line, as mariadbd wants it.
    const statements = [
      `CREATE USER IF NOT EXISTS '${name}'@'%' IDENTIFIED BY '${password}';`,
      `GRANT ALL ON *.* TO '${name}'@'%';`,
    ];
    await writeServerFile(init, `${statements.join('\n')}\n`);
    const daemon = await Daemon.start({
      name: 'mariadbd',
      folder,
      command: [
        program,
        '--no-defaults',
        `--datadir=${data}`,
        `--port=${port}`,
        '--bind-address=127.0.0.1',
        `--socket=${join(folder, 'socket')}`,
        `--pid-file=${join(folder, 'pid')}`,
        `--init-file=${init}`,
        '--skip-name-resolve',
      ],
      endSignal: 'SIGTERM',
      probe: () => greeting(port),
    });
    return new MariadbServer(port, daemon);
  }

  /** Keeps its port and its data. */
  restart(): Promise<void> {
    return this.#daemon.restart();
  }

  /** Ends it and removes its folder; again is no error. */
  stop(): Promise<void> {
    return this.#daemon.stop();
  }
}

/** The server speaks first. */
async function greeting(port: number): Promise<void> {
  const socket = connect({ host: '127.0.0.1', port });
  try {
    await once(socket, 'data', { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
  } finally {
    socket.destroy();
  }
}
