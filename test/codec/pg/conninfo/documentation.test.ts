import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { parameters } from '../../../../src/codec/pg/conninfo/parameters.js';

/** The rows of the table of docs/pg-parameters.md: key word, environment variable, what becomes of it. */
function documented(): [string, string, string][] {
  const page = readFileSync(new URL('../../../../../docs/pg-parameters.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `(\w+)` \| (?:`(\w+)` )?\| (.+) \|$/gm)];
  return rows.map(([, keyword = '', env = '', fate = '']) => [keyword, env, fate]);
}

describe('docs/pg-parameters.md', () => {
  it('has every key word once, with its environment variable', () => {
    const rows = documented().map(([keyword, env]) => `${keyword} ${env}`);
    const expected = [...parameters].map(([keyword, { env = '' }]) => `${keyword} ${env}`);
    expect(rows.sort()).to.deep.equal(expected.sort());
  });

  it('says of those that have no effect, or are refused, that it is so, and of no other', () => {
    for (const [keyword, , fate] of documented()) {
      const actual = parameters.get(keyword)?.fate;
      expect(fate.startsWith('without effect'), keyword).to.equal(actual === 'without effect');
      expect(fate.startsWith('refused'), keyword).to.equal(typeof actual === 'object');
    }
  });
});
