import { existsSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { expect } from 'chai';
import { withPinFile } from '../../src/keys/pin.js';

const VARIABLE = 'TURBOTLS_TEST_PIN';

describe('the PIN of a token', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'turbotls-test-'));
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
    delete process.env[VARIABLE];
  });

  const write = (text: string) => {
    writeFileSync(join(folder, 'pin'), text);
    return join(folder, 'pin');
  };
  const codeOf = (use: () => unknown) => {
    try {
      use();
      return undefined;
    } catch (error) {
      expect((error as Error).message).to.not.include('4711');
      return (error as { code?: string }).code;
    }
  };

  it('is taken from its file as it is', () => {
    const file = write('4711');
    expect(withPinFile({ file }, (path) => path)).to.equal(file);
  });

  for (const [name, end] of Object.entries({ 'a line end': '\n', "Windows' line end": '\r\n' })) {
    it(`is without ${name}, in a file that is nobody else's and goes away`, () => {
      const file = write(`4711${end}`);
      const seen = withPinFile({ file }, (path) => {
        expect(readFileSync(path, 'utf8')).to.equal('4711');
        expect(statSync(path).mode & 0o777).to.equal(0o600);
        expect(statSync(dirname(path)).mode & 0o777).to.equal(0o700);
        return path;
      });
      expect(existsSync(dirname(seen))).to.equal(false);
    });
  }

  it('is taken from the environment, and what is made of it goes away in any case', () => {
    process.env[VARIABLE] = '4711';
    let seen = '';
    expect(() =>
      withPinFile({ variable: VARIABLE }, (path) => {
        seen = path;
        expect(readFileSync(path, 'utf8')).to.equal('4711');
        throw new Error('the token is not there');
      }),
    ).to.throw('the token is not there');
    expect(existsSync(dirname(seen))).to.equal(false);
  });

  it('must be there, one line and short', () => {
    const none = () => expect.fail('it was used');
    expect(codeOf(() => withPinFile({ file: join(folder, 'none') }, none))).to.equal('ERR_KEY_PIN');
    expect(codeOf(() => withPinFile({ file: folder }, none))).to.equal('ERR_KEY_PIN');
    expect(codeOf(() => withPinFile({ file: '/dev/zero' }, none))).to.equal('ERR_KEY_PIN');
    expect(codeOf(() => withPinFile({ variable: VARIABLE }, none))).to.equal('ERR_KEY_PIN');
    for (const text of ['', '\n', '4711\n4711\n', '4711\0', '4711'.repeat(64)]) {
      expect(
        codeOf(() => withPinFile({ file: write(text) }, none)),
        JSON.stringify(text),
      ).to.equal('ERR_KEY_PIN');
    }
  });
});
