/** The front of this process: a child, so that the test, the clients and the servers are all in the worker. */
import { fork } from 'node:child_process';
import { WorkerNetwork } from '../../src/workers/index.js';

/** The worker is the tests and their clients, too: that it is late, or has hundreds of handshakes to make, says nothing. */
export const PATIENT = { lagMs: 5000, unresponsiveMs: 60_000, channelBytes: 64 * 2 ** 20, channelMessages: 65_536 };

let network: WorkerNetwork | undefined;

export function frontNetwork(): WorkerNetwork {
  if (!network) {
    const execArgv = ['--disable-warning=ExperimentalWarning'];
    const child = fork(new URL('./front-process.js', import.meta.url), [], { execArgv });
    child.unref();
    network = WorkerNetwork.of(child, { limits: PATIENT });
  }
  return network;
}
