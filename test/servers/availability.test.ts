import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const mocha = fileURLToPath(new URL('../../../node_modules/mocha/bin/mocha.js', import.meta.url));
const redisTests = fileURLToPath(new URL('redis.test.js', import.meta.url));

/** A run of the tests of redis-server on a machine without it. */
function runWithout(ci: string): { status: number | null; said: string } {
  const env = { PATH: '/nowhere', CI: ci };
  const { status, stdout, stderr } = spawnSync(process.execPath, [mocha, redisTests], { env, encoding: 'utf8' });
  return { status, said: stdout + stderr };
}

describe('servers: a part that is missing', function () {
  this.timeout(60_000);

  it("is skipped in a developer's run, which says so", () => {
    const { status, said } = runWithout('');
    expect(said).to.match(/skipped: redis-server is missing here; it comes with Debian's package redis-server/);
    expect(said).to.match(/0 passing/);
    expect(status).to.equal(0);
  });

  it('is a failure in CI', () => {
    const { status, said } = runWithout('true');
    expect(said).to.match(/redis-server is missing here.*, and CI needs it/);
    expect(status).to.equal(1);
  });
});
