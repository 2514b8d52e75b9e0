import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { findPassword, readPassFile } from '../../../../src/codec/pg/conninfo/pass-file.js';
import { removeFolders, temporaryFolder } from './support.js';

const KEY = { host: 'db.example', port: 5432, dbname: 'app', user: 'alice' };

describe('codec/pg/conninfo/pass-file', () => {
  after(removeFolders);

  const FOUND: [string, string][] = [
    ['db.example:5432:app:alice:secret', 'secret'],
    ['*:*:*:*:any', 'any'],
    ['*:*:app:*:some', 'some'],
    ['db.example:5432:app:alice:', ''],
    ['db.example:5432:app:alice:with\\:colon', 'with:colon'],
    ['db.example:5432:app:alice:back\\\\slash', 'back\\slash'],
    ['db.example:5432:app:alice:ends\\', 'ends\\'],
    ['db.example:5432:app:alice:up to:the colon', 'up to'],
    ['d\\b.example:5432:app:alice:escaped', 'escaped'],
    ['# *:*:*:*:no\n\nother:*:*:*:no\n*:*:*:*:yes\n*:*:*:*:late', 'yes'],
    ['*:*:*:*:windows\r\n', 'windows'],
  ];
  for (const [text, password] of FOUND) {
    it(`finds ${JSON.stringify(password)} in ${JSON.stringify(text)}`, () => {
      expect(findPassword(readLines(text), KEY)).to.equal(password);
    });
  }

  const MISSED = [
    '',
    'db.example:5432:app:bob:x',
    'db.example:5433:app:alice:x',
    'db.exampl:5432:app:alice:x',
    'db.example.:5432:app:alice:x',
    '**:*:*:*:x',
    'db.example:5432:app:alice',
    'db.example:5432:app',
    '\\*:*:*:*:x',
    ' *:*:*:*:x',
  ];
  for (const text of MISSED) {
    it(`finds nothing in ${JSON.stringify(text)}`, () => {
      expect(findPassword(readLines(text), KEY)).to.equal(undefined);
    });
  }

  it('matches names that have a colon or a backslash in them', () => {
    const key = { host: '::1', port: 1, dbname: 'a\\b', user: 'c:d' };
    expect(findPassword(['\\:\\:1:1:a\\\\b:c\\:d:secret'], key)).to.equal('secret');
    // As in libpq, the colons of an address need no escape: they are what is looked for.
    expect(findPassword(['::1:1:a\\\\b:c:d:secret'], key)).to.equal('secret');
  });

  it('ignores a file that others can read, and says so', () => {
    const path = join(temporaryFolder(), 'pass');
    for (const mode of [0o640, 0o604, 0o660, 0o610]) {
      writeFileSync(path, '*:*:*:*:secret\n', { mode: 0o600 });
      const warnings = readWithMode(path, mode);
      expect(warnings.lines, mode.toString(8)).to.deep.equal([]);
      expect(warnings.said.join(), mode.toString(8)).to.match(/group or world access.*0600.*ignored/);
    }
    expect(readWithMode(path, 0o400).lines).to.deep.equal(['*:*:*:*:secret', '']);
  });

  it('takes a file that is not there for an empty one, and a folder for none, which it says', () => {
    const folder = temporaryFolder();
    const said: string[] = [];
    expect(readPassFile(join(folder, 'missing'), (text) => said.push(text))).to.deep.equal([]);
    expect(said).to.deep.equal([]);
    mkdirSync(join(folder, 'folder'));
    expect(readPassFile(join(folder, 'folder'), (text) => said.push(text))).to.deep.equal([]);
    expect(said.join()).to.match(/not a plain file/);
  });
});

/** As they come out of a file. */
function readLines(text: string): string[] {
  const path = join(temporaryFolder(), 'pass');
  writeFileSync(path, text, { mode: 0o600 });
  return readPassFile(path, () => {});
}

function readWithMode(path: string, mode: number): { lines: string[]; said: string[] } {
  chmodSync(path, mode);
  const said: string[] = [];
  return { lines: readPassFile(path, (text) => said.push(text)), said };
}
