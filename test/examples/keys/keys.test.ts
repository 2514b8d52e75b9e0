import { expect } from 'chai';
import { requireKeyProcess } from '../../keys/availability.js';
import { endPrograms, run, start } from '../programs.js';

describe('examples: keys', function () {
  this.timeout(60_000);
  before(function () {
    requireKeyProcess(this);
  });
  afterEach(endPrograms);

  for (const flags of [[], ['--rsa']]) {
    it(`shows in which processes the key is ${flags.join(' ')}`, async () => {
      const { code, stdout, stderr } = await run('keys/keys', flags);
      expect(code, stderr).to.equal(0);
      const rows = stdout.slice(stdout.indexOf('Process ')).trim().split('\n').slice(1);
      const places = rows.map((row) =>
        row
          .replace(/\s+\d+\s+/, ': ')
          .replace(/found: .*/, 'found')
          .trim(),
      );
      expect(places).to.deep.equal([
        'node:tls, key in a file: found',
        'turbotls, key in a file: found',
        'turbotls, key in the token: not found',
        'its key process: found',
        'gateway with workers, key in a file',
        'main process, with the ports: not found',
        'worker: found',
        'worker: found',
        'gateway with workers, key in the token',
        'main process, with the ports: not found',
        'worker: not found',
        'worker: not found',
      ]);
    });
  }

  it('says what is missing', async () => {
    const { code, stderr } = await start('keys/keys', [], { PATH: '/nonexistent', OPENSSL_ENGINES: '/nonexistent' })
      .ended;
    expect(code).to.equal(1);
    expect(stderr).to.match(/softhsm2-util is missing here; it comes with Debian's package softhsm2/);
    expect(stderr).to.include("Debian's package p11-kit").and.include('libengine-pkcs11-openssl');
  });
});
