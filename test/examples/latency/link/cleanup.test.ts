/** However a program ends that has a link: nothing of it is left, with or without a user namespace of its own. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';
import { linkMissing, linkMissingInUserNamespace } from '../../../../examples/latency/link/index.js';
import { processesIn, requireNothingMissing, untilGone } from './support.js';

const OWNER = fileURLToPath(new URL('link-owner.js', import.meta.url));

const PLACES = [
  { where: 'here', missing: () => linkMissing('tun') },
  { where: 'user-namespace', missing: () => linkMissingInUserNamespace('tun') },
];

for (const { where, missing } of PLACES) {
  describe(`link of a program that ends, ${where}`, function () {
    this.timeout(30_000);
    let owner: ChildProcess;

    before(function () {
      requireNothingMissing(this, missing());
    });

    beforeEach(() => {
      // A group of its own, as a shell gives it to what runs in the foreground.
      owner = spawn(process.execPath, [OWNER, where], { stdio: ['pipe', 'pipe', 'inherit'], detached: true });
    });

    afterEach(() => {
      owner.kill('SIGKILL');
    });

    it('by closing it', async () => {
      const namespaces = await namespacesOfOwner();
      owner.stdin?.end();
      expect(await once(owner, 'close')).to.deep.equal([3, null]);
      await untilGone(namespaces);
    });

    it('by Ctrl-C', async () => {
      const namespaces = await namespacesOfOwner();
      process.kill(-(owner.pid as number), 'SIGINT'); // the terminal sends it to the whole group
      await once(owner, 'close');
      await untilGone(namespaces);
    });

    it('by SIGKILL', async () => {
      const namespaces = await namespacesOfOwner();
      owner.kill('SIGKILL');
      await once(owner, 'exit');
      await untilGone(namespaces);
    });

    async function namespacesOfOwner(): Promise<string[]> {
      const [line] = await once(owner.stdout as NonNullable<typeof owner.stdout>, 'data');
      const namespaces = JSON.parse(String(line)) as string[];
      expect(processesIn(namespaces)).to.have.length.above(2);
      return namespaces;
    }
  });
}
