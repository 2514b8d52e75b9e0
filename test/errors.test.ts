import { readdirSync, readFileSync } from 'node:fs';
import { expect } from 'chai';
import { PgError, pgErrorTexts } from '../src/codec/pg/errors.js';
import { redisErrorTexts } from '../src/codec/redis/errors.js';
import { errorTexts, TurboError } from '../src/errors.js';
import { gatewayErrorTexts } from '../src/gateway/errors.js';
import { keyErrorTexts } from '../src/keys/errors.js';
import { workersErrorTexts } from '../src/workers/errors.js';

const root = new URL('../../', import.meta.url);

interface Family {
  name: string;
  prefix: string;
  texts: Readonly<Record<string, string>>;
}

const families: Family[] = [
  { name: 'TurboError', prefix: 'ERR_TURBO_', texts: errorTexts },
  { name: 'PgError', prefix: 'ERR_PG_', texts: pgErrorTexts },
  { name: 'RedisError', prefix: 'ERR_REDIS_', texts: redisErrorTexts },
  { name: 'GatewayError', prefix: 'ERR_GATEWAY_', texts: gatewayErrorTexts },
  { name: 'KeyError', prefix: 'ERR_KEY_', texts: keyErrorTexts },
  { name: 'WorkersError', prefix: 'ERR_WORKERS_', texts: workersErrorTexts },
];

/** Code, text and retryable of each row of docs/errors.md. */
function documented(prefix: string): { code: string; when: string; todo: string; retryable: string }[] {
  return readFileSync(new URL('docs/errors.md', root), 'utf8')
    .split('\n')
    .filter((line) => line.startsWith(`| \`${prefix}`))
    .map((line) => {
      const [, code = '', when = '', todo = '', retryable = ''] = line.split(' | ').join('|').split('|');
      return { code: code.replaceAll(/[` ]/g, ''), when: when.trim(), todo: todo.trim(), retryable: retryable.trim() };
    });
}

/** Each place of src that makes an error: its codes, and whether it says something of retrying. */
function made({ name, prefix }: Family): { code: string; retryable: boolean }[] {
  const calls = new RegExp(`(?:new ${name}|super)\\(([^;]*)`, 'g');
  const codes = new RegExp(`'(${prefix}[A-Z_]+)'`, 'g');
  return readdirSync(new URL('src/', root), { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts'))
    .map((file) => readFileSync(new URL(`src/${file}`, root), 'utf8'))
    .flatMap((source) => [...source.matchAll(calls)])
    .flatMap(([, call = '']) =>
      [...call.matchAll(codes)].map(([, code = '']) => ({ code, retryable: call.includes('retryable') })),
    );
}

describe('errors', () => {
  it('have a code, a text, a cause and the word whether to try again', () => {
    const cause = new Error('underneath');
    const error = new TurboError('ERR_TURBO_LISTEN', 'UDP port 5', { cause, retryable: true });
    expect(error).to.be.instanceOf(Error);
    expect(error).to.include({ name: 'TurboError', code: 'ERR_TURBO_LISTEN', retryable: true, cause });
    expect(error.message).to.equal('The UDP port that belongs to the TCP port cannot be opened: UDP port 5');

    const bare = new PgError('ERR_PG_CLOSED');
    expect(bare).to.include({ name: 'PgError', message: 'The client is closed', retryable: false });
    expect(Object.hasOwn(bare, 'cause')).to.equal(false);
  });

  for (const family of families) {
    const { name, prefix, texts } = family;
    const codes = Object.keys(texts);

    describe(name, () => {
      it('has codes of one form', () => {
        for (const code of codes) expect(code).to.match(new RegExp(`^${prefix}[A-Z]+(_[A-Z]+)*$`));
      });

      it('is made with each of them somewhere in src', () => {
        expect(new Set(made(family).map(({ code }) => code))).to.deep.equal(new Set(codes));
      });

      it('stands in docs/errors.md, in the order of the source, each code once, and no other', () => {
        expect(documented(prefix).map(({ code }) => code)).to.deep.equal(codes);
      });

      it('has there the text of the source, and advice', () => {
        for (const { code, when, todo } of documented(prefix)) {
          const text = texts[code] ?? '';
          expect(when.startsWith(text), `${code}: "${text}"`).to.equal(true);
          expect(when[text.length], code).to.match(/[.:;, ]/);
          expect(todo, code).to.match(/^[A-Z0-9].*\.$/);
        }
      });

      it('is retryable there where the source says so', () => {
        for (const { code, retryable } of documented(prefix)) {
          const inSource = made(family).some((each) => each.code === code && each.retryable);
          expect(retryable !== 'no', code).to.equal(inSource);
        }
      });
    });
  }
});
