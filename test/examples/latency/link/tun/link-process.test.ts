import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { PLAIN } from '../support.js';

const PROCESS = new URL('../../../../../examples/latency/link/tun/link-process.js', import.meta.url);

describe('link process', () => {
  it('ends with its channel, also while it is being loaded', async () => {
    // A pipe that nothing is written to is like a device without packets.
    const args = [fileURLToPath(PROCESS), JSON.stringify(PLAIN), '4', '4'];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'ignore', 'inherit', 'ipc', 'pipe'] });
    try {
      child.disconnect();
      expect(await once(child, 'exit')).to.deep.equal([null, 'SIGKILL']);
    } finally {
      child.kill('SIGKILL');
    }
  });
});
