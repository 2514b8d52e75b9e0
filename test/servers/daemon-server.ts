/** What the servers share that are a program of Debian, its configuration and a folder. */
import { once } from 'node:events';
import { connect, type NetConnectOpts } from 'node:net';
import type { Daemon } from './daemon.js';

const PROBE_TIMEOUT_MS = 2_000;

export abstract class DaemonServer {
  readonly host: string;
  readonly #daemon: Daemon;

  protected constructor(daemon: Daemon, host = '127.0.0.1') {
    this.host = host;
    this.#daemon = daemon;
  }

  /** Keeps its ports. */
  restart(): Promise<void> {
    return this.#daemon.restart();
  }

  /** Ends it and removes its folder; again is no error. */
  stop(): Promise<void> {
    return this.#daemon.stop();
  }

  log(): string {
    return this.#daemon.log;
  }

  get pid(): number | undefined {
    return this.#daemon.pid;
  }
}

/** As a daemon's probe: resolves when it takes a connection. */
export async function takesConnections(address: NetConnectOpts): Promise<void> {
  const socket = connect(address);
  try {
    await once(socket, 'connect', { signal: AbortSignal.timeout(PROBE_TIMEOUT_MS) });
  } finally {
    socket.destroy();
  }
}
