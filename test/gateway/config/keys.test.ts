import { join } from 'node:path';
import { expect } from 'chai';
import { type ConfigError, planFrom } from '../../../src/gateway/config/index.js';
import type { TerminateMode } from '../../../src/gateway/plan.js';
import { requireKeyProcess } from '../../keys/availability.js';
import { type KeyProcess, startKeyProcess } from '../../servers/key-process.js';
import { makeCertificate } from '../../support/certificates.js';
import { type Folder, makeFiles } from './files.js';

const KEY = 'routes[0].terminate.certificates[0].key';

describe('gateway configuration: keys', () => {
  let files: Folder;
  before(async () => {
    files = await makeFiles();
  });
  after(() => files.remove());

  const read = (key: unknown, cert = 'web.pem') =>
    planFrom(
      {
        listen: [':443'],
        routes: [{ name: 'web', terminate: { certificates: [{ cert, key }] }, backend: { targets: ['10.0.0.1:80'] } }],
      },
      files.path,
    );
  const keyOf = (key: unknown, cert?: string) =>
    read(key, cert).routes.flatMap(({ mode }) => (mode as TerminateMode).certificates.map((each) => each.key));
  const problemsOf = (key: unknown, cert?: string) => {
    try {
      read(key, cert);
      return [];
    } catch (error) {
      return (error as ConfigError).problems.map(({ path, message }) => `${path} ${message}`);
    }
  };

  it('are files, in short or in full', () => {
    const expected = [join(files.path, 'web.key')];
    expect(keyOf('web.key')).to.deep.equal(expected);
    expect(keyOf({ file: 'web.key' })).to.deep.equal(expected);
  });

  it('are one thing', () => {
    expect(problemsOf({})).to.deep.equal([`${KEY} needs file or pkcs11`]);
    expect(problemsOf({ file: 'web.key', pkcs11: 'pkcs11:token=a;object=b' })[0]).to.match(
      /key\.pkcs11 cannot be beside file/,
    );
    expect(problemsOf(undefined)[0]).to.equal(`${KEY} is missing: a certificate needs its key`);
    expect(problemsOf({ pkcs12: 'x' })[0]).to.match(/key\.pkcs12 is no key of Key.*pkcs11/);
    expect(problemsOf({ pkcs11: 5 })).to.have.length(1);
    expect(problemsOf(5)).to.have.length(1);
  });

  it('are not in a token whose URI is none, and a PIN in it is not repeated', () => {
    expect(problemsOf({ pkcs11: 'token=a' })[0])
      .to.match(/ERR_KEY_URI/)
      .and.include(KEY);
    for (const uri of ['pkcs11:token=a;object=b?pin-value=4711', 'pkcs11:token=a;object=b;pin-value=4711']) {
      expect(problemsOf({ pkcs11: uri })[0])
        .to.match(/ERR_KEY_URI/)
        .and.not.include('4711');
    }
  });

  describe('in a token', () => {
    let keys: KeyProcess;
    before(async function () {
      requireKeyProcess(this);
      const { key, cert } = await makeCertificate({ names: ['token.example.com'] });
      files.write('token.pem', cert);
      keys = await startKeyProcess({ web: key });
      process.env.P11_KIT_SERVER_ADDRESS = keys.address;
    });
    after(async () => {
      delete process.env.P11_KIT_SERVER_ADDRESS;
      await keys?.stop();
    });

    it('are found, and must be those of the certificate', () => {
      expect(problemsOf({ pkcs11: keys.uri('none') }, 'token.pem')[0]).to.match(/ERR_KEY_NOT_FOUND/);
      expect(problemsOf({ pkcs11: keys.uri('web') }, 'web.pem')[0])
        .to.match(/ERR_KEY_MISMATCH/)
        .and.include(KEY);
    });
  });
});
