import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, closeSync, fstatSync, readlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { expect } from 'chai';
import { openTicketSeed, readTicketSeed } from '../../../src/gateway/ops/index.js';
import { TICKET_SEED_BYTES } from '../../../src/gateway/tickets.js';

describe('gateway: seed of session tickets', () => {
  let descriptor: number;
  beforeEach(() => {
    descriptor = openTicketSeed();
  });
  afterEach(() => closeSync(descriptor));

  it('is the same for all processes, whichever comes first', async () => {
    const children: ChildProcess[] = [];
    try {
      for (let i = 0; i < 8; i++) {
        const stdio = ['ignore', 'inherit', 'inherit', 'ipc', descriptor] as const;
        children.push(fork(new URL('./seed-process.js', import.meta.url), { stdio: [...stdio] }));
      }
      await Promise.all(children.map((child) => once(child, 'message')));
      const told = children.map((child) => once(child, 'message'));
      for (const child of children) child.send('go');
      const seeds = new Set((await Promise.all(told)).map(([seed]) => seed as string));
      expect(seeds.size).to.equal(1);
      const [seed = ''] = seeds;
      expect(Buffer.from(seed, 'hex')).to.have.length(TICKET_SEED_BYTES);
      expect(seed, 'it is random').to.not.match(/^(..)\1*$/);
      expect(readTicketSeed(descriptor).toString('hex'), 'and of those that come later').to.equal(seed);
    } finally {
      for (const child of children) child.kill('SIGKILL');
    }
  });

  it('is what was appended first, whatever follows', () => {
    const first = Buffer.alloc(TICKET_SEED_BYTES, 1);
    appendFileSync(descriptor, first);
    appendFileSync(descriptor, Buffer.alloc(TICKET_SEED_BYTES, 2));
    expect(readTicketSeed(descriptor)).to.deep.equal(first);
    expect(readTicketSeed(descriptor), 'reading moves nothing').to.deep.equal(first);
  });

  it('is not there before a worker makes it, and is in a file that has no name and is nobody else’s', () => {
    const { size, mode, nlink } = fstatSync(descriptor);
    expect({ size, mode: mode & 0o777, nlink }).to.deep.equal({ size: 0, mode: 0o600, nlink: 0 });
    if (process.platform === 'linux') expect(readlinkSync(`/proc/self/fd/${descriptor}`)).to.match(/ \(deleted\)$/);
  });

  it('is another one each time', () => {
    const second = openTicketSeed();
    try {
      expect(readTicketSeed(second)).to.not.deep.equal(readTicketSeed(descriptor));
    } finally {
      closeSync(second);
    }
  });

  it('is where a file can be made, and says so where none can', () => {
    const second = openTicketSeed(['/nonexistent', tmpdir()]);
    closeSync(second);
    expect(() => openTicketSeed(['/nonexistent', '/proc']))
      .to.throw(/none of \/nonexistent, \/proc can be written to/)
      .with.property('code', 'ERR_GATEWAY_TICKET_SEED');
  });
});
