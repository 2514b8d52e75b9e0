/** The thread of a KeyRelay: see there. */
import { connect, createServer, type Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';

export interface RelaySettings {
  /** Socket for the module to connect to. */
  path: string;
  /** Socket of the process that holds the key. */
  server: string;
  answerMs: number;
  /** One Int32, which becomes 1 once the module can connect. */
  ready: SharedArrayBuffer;
}

const { path, server, answerMs, ready } = workerData as RelaySettings;

createServer(relay).listen(path, () => {
  const flag = new Int32Array(ready);
  Atomics.store(flag, 0, 1);
  Atomics.notify(flag, 0);
});

/** p11-kit's protocol is a question, then its answer. */
function relay(module: Socket): void {
  const keyProcess = connect(server);
  let waiting: NodeJS.Timeout | undefined;
  const end = (reason: string) => {
    clearTimeout(waiting);
    // First, for the module's user will know of it at once.
    parentPort?.postMessage(reason);
    module.destroy();
    keyProcess.destroy();
  };
  module.on('data', (question) => {
    waiting ??= setTimeout(() => end(`it gave no answer for ${answerMs} ms`), answerMs);
    keyProcess.write(question);
  });
  keyProcess.on('data', (answer) => {
    clearTimeout(waiting);
    waiting = undefined;
    module.write(answer);
  });
  keyProcess.once('error', ({ message }) => end(message));
  keyProcess.once('end', () => end('it has ended the connection'));
  module.on('error', () => {});
  module.once('end', () => keyProcess.destroy());
}
