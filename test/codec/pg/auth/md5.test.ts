import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { md5Response } from '../../../../src/codec/pg/auth/md5.js';
import { failure } from './support.js';

const SALT = Buffer.from([1, 2, 3, 4]);

/** In a process of its own, OpenSSL is told to use nothing but what FIPS 140 approves of. */
const PROGRAM = `
  import { setFips } from 'node:crypto';
  import { md5Response } from ${JSON.stringify(new URL('../../../../src/codec/pg/auth/md5.js', import.meta.url).href)};
  setFips(true);
  try {
    console.log(md5Response({ user: 'alice', password: 'secret', salt: Buffer.alloc(4) }));
  } catch ({ code, message, cause }) {
    console.log(code, message, cause.code);
  }`;

describe('codec/pg/auth/md5', () => {
  it('answers as PostgreSQL does: a vector', () => {
    // md5(md5('secret' + 'alice') + '\1\2\3\4'), by md5sum.
    expect(md5Response({ user: 'alice', password: 'secret', salt: SALT })).to.equal(
      'md598a0412b9c31436fc53776e863350083',
    );
  });

  it('takes user and password as UTF-8', () => {
    expect(md5Response({ user: 'zoë', password: 'pässword', salt: SALT })).to.equal(
      'md59773d82d54ddc92f5c5d59e46424e7f6',
    );
  });

  it('refuses a salt that is not of four bytes', async () => {
    for (const length of [0, 3, 5]) {
      const run = () => md5Response({ user: 'alice', password: 'secret', salt: Buffer.alloc(length) });
      expect((await failure(run)).code).to.equal('ERR_PG_PROTOCOL');
    }
  });

  it('says so where the platform refuses MD5', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '--eval', PROGRAM]);
    expect(stdout).to.match(/^ERR_PG_AUTH_UNSUPPORTED .*FIPS.* ERR_OSSL_EVP_UNSUPPORTED\n$/);
  });
});
