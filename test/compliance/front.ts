/** The front of this process: a child, so that the test, the clients and the servers are all in the worker. */
import { fork } from 'node:child_process';
import { WorkerNetwork } from '../../src/workers/index.js';

let network: WorkerNetwork | undefined;

export function frontNetwork(): WorkerNetwork {
  if (!network) {
    const execArgv = ['--disable-warning=ExperimentalWarning'];
    const child = fork(new URL('./front-process.js', import.meta.url), { serialization: 'advanced', execArgv });
    child.unref();
    // The tests and their front share the machine: that one of them is late says nothing.
    network = WorkerNetwork.of(child);
  }
  return network;
}
