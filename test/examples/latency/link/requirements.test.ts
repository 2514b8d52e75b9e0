import { existsSync, mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { expect } from 'chai';
import { Link, LinkUnavailable, linkMissing } from '../../../../examples/latency/link/index.js';
import { PLAIN, requireLink } from './support.js';

describe('link requirements', () => {
  const { PATH } = process.env;
  let folder: string;

  before(function () {
    requireLink(this);
    folder = mkdtempSync(join(tmpdir(), 'turbotls-link-'));
  });

  beforeEach(() => {
    process.env.PATH = folder;
  });

  afterEach(() => {
    process.env.PATH = PATH;
  });

  after(() => {
    if (folder) rmSync(folder, { recursive: true });
  });

  it('names the program that is missing, and where it comes from', async () => {
    const expected = "unshare is not installed; it comes with Debian's package util-linux";
    expect(linkMissing()).to.equal(expected);
    const error = await Link.open(PLAIN).catch((error: unknown) => error);
    expect(error).to.be.instanceOf(LinkUnavailable);
    expect((error as Error).message).to.equal(`no link between two hosts can be made here: ${expected}`);
  });

  it('names what each kind needs', () => {
    const folders = (PATH ?? '').split(delimiter);
    for (const program of ['unshare', 'nsenter', 'ip', 'sh', 'true']) {
      const source = folders.map((path) => join(path, program)).find((path) => existsSync(path)) as string;
      symlinkSync(source, join(folder, program));
    }
    expect(linkMissing('tun')).to.equal("perl is not installed; it comes with Debian's package perl-base");
    expect(linkMissing('netem')).to.equal("tc is not installed; it comes with Debian's package iproute2");
    expect(linkMissing()).to.equal(`${linkMissing('netem')}; ${linkMissing('tun')}`);
  });
});
