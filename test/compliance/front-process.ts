/** A front whose worker is the parent process. */
import { Front } from '../../src/workers/index.js';
import { PATIENT } from './front.js';

const front = new Front({ limits: PATIENT });
front.add({
  pid: process.ppid,
  get connected() {
    return process.connected;
  },
  send: (...args) => process.send?.(...args) ?? false,
  on: (event: string, listener: (...args: never[]) => void) => process.on(event, listener as () => void),
  off: (event: string, listener: (...args: never[]) => void) => process.off(event, listener as () => void),
  kill: () => process.exit(1),
});
process.on('disconnect', () => process.exit());
