import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { errorTexts, TurboError, type TurboErrorCode } from '../src/errors.js';

const codes = Object.keys(errorTexts) as TurboErrorCode[];
const root = new URL('../../', import.meta.url);

/** Code, text and retryable of each row of docs/errors.md. */
function documented(): { code: string; when: string; todo: string; retryable: string }[] {
  return readFileSync(new URL('docs/errors.md', root), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('| `'))
    .map((line) => {
      const [, code = '', when = '', todo = '', retryable = ''] = line.split(' | ').join('|').split('|');
      return { code: code.replaceAll(/[` ]/g, ''), when: when.trim(), todo: todo.trim(), retryable: retryable.trim() };
    });
}

/** Each place of src that makes an error: its code, and whether it says something of retrying. */
function made(): { code: string; retryable: boolean; file: string }[] {
  const files = readdirSync(new URL('src/', root), { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.ts') && file !== 'errors.ts')
    .flatMap((file) => {
      const source = readFileSync(new URL(`src/${file}`, root), 'utf8');
      return [...source.matchAll(/new TurboError\(\s*'(\w+)'([^;]*)/g)].map(([, code = '', rest = '']) => ({
        code,
        retryable: rest.includes('retryable'),
        file,
      }));
    });
}

describe('errors', () => {
  it('have a code, a text, a cause and the word whether to try again', () => {
    const cause = new Error('underneath');
    const error = new TurboError('ERR_TURBO_LISTEN', 'UDP port 5', { cause, retryable: true });
    expect(error).to.be.instanceOf(Error);
    expect(error).to.include({ name: 'TurboError', code: 'ERR_TURBO_LISTEN', retryable: true, cause });
    expect(error.message).to.equal('The UDP port that belongs to the TCP port cannot be opened: UDP port 5');

    const bare = new TurboError('ERR_TURBO_LISTENER_CLOSED');
    expect(bare.message).to.equal('The listener is closed');
    expect(bare.retryable).to.equal(false);
    expect(Object.hasOwn(bare, 'cause')).to.equal(false);
  });

  it('have codes of one form', () => {
    for (const code of codes) expect(code).to.match(/^ERR_TURBO_[A-Z]+(_[A-Z]+)*$/);
  });

  it('are all made somewhere in src', () => {
    expect(new Set(made().map(({ code }) => code))).to.deep.equal(new Set(codes));
  });

  describe('in docs/errors.md', () => {
    it('stand in the order of the source, each once, and no other', () => {
      expect(documented().map(({ code }) => code)).to.deep.equal(codes);
    });

    it('have the text of the source, and advice', () => {
      for (const { code, when, todo } of documented()) {
        const text = errorTexts[code as TurboErrorCode];
        expect(when.startsWith(text), `${code}: "${text}"`).to.equal(true);
        expect(when[text.length], code).to.match(/[.:; ]/);
        expect(todo, code).to.match(/^[A-Z0-9].*\.$/);
      }
    });

    it('are retryable where the source says so', () => {
      for (const { code, retryable } of documented()) {
        const inSource = made().some((each) => each.code === code && each.retryable);
        expect(retryable !== 'no', code).to.equal(inSource);
      }
    });
  });
});
