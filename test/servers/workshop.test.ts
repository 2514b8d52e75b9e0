import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { requirePart } from './index.js';
import { isRunning } from './running.js';

const child = fileURLToPath(new URL('abandon-child.js', import.meta.url));

describe('servers: the workshop', function () {
  this.timeout(60_000);

  before(function () {
    requirePart(this, 'redis-server');
    requirePart(this, 'postgresql-15');
  });

  for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
    it(`vanishes with its servers when their process is ended by ${signal}`, async () => {
      const program = spawn(process.execPath, [child], { stdio: ['ignore', 'pipe', 'inherit'] });
      const [line] = await once(program.stdout.setEncoding('utf8'), 'data');
      const { pids, folders } = JSON.parse(line) as { pids: number[]; folders: string[] };
      const left = () => [...pids.filter(isRunning), ...folders.filter(existsSync)];
      expect(left()).to.have.lengthOf(4);
      program.kill(signal);
      await once(program, 'exit');
      for (let tries = 0; tries < 200 && left().length > 0; tries++) await delay(50);
      expect(left()).to.deep.equal([]);
    });
  }
});
