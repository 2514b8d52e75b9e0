import { expect } from 'chai';
import * as fc from 'fast-check';
import { quoteIdentifier, quoteLiteral } from '../../../../src/codec/pg/types/identifiers.js';
import { holds } from '../../../support/property.js';
import { escapeIdentifier, escapeLiteral } from './library.js';

const text = fc.string({
  unit: fc.oneof(fc.constantFrom("'", '"', '\\', '\n', 'E', ' '), fc.string({ unit: 'binary', maxLength: 1 })),
});

/** What the server's scanner (scan.l) makes of a literal. */
function scanned(literal: string): string {
  const match = /^(?: (E))?'(.*)'$/s.exec(literal);
  expect(match, literal).not.to.equal(null);
  const [, marker, body] = match as unknown as [string, string | undefined, string];
  const token = marker ? /''|\\\\|[^'\\]/gsu : /''|[^']/gsu;
  expect(body.replace(token, ''), 'what the scanner would not take').to.equal('');
  return body.replace(token, (part) => (part === "''" ? "'" : part === '\\\\' ? '\\' : part));
}

describe('codec/pg/types/identifiers', () => {
  it('quotes names: vectors', () => {
    expect(quoteIdentifier('a')).to.equal('"a"');
    expect(quoteIdentifier('My "table"')).to.equal('"My ""table"""');
    expect(quoteIdentifier("a'b\\c")).to.equal('"a\'b\\c"');
    expect(quoteIdentifier('')).to.equal('""');
  });

  it('quotes literals: vectors', () => {
    expect(quoteLiteral('a')).to.equal("'a'");
    expect(quoteLiteral('')).to.equal("''");
    expect(quoteLiteral("it's")).to.equal("'it''s'");
    expect(quoteLiteral("a\\'b")).to.equal(" E'a\\\\''b'");
    expect(quoteLiteral('$&$1')).to.equal("'$&$1'");
  });

  it('quotes as node-postgres does', () => {
    holds(
      fc.property(text, (value) => {
        expect(quoteIdentifier(value)).to.equal(escapeIdentifier(value));
        expect(quoteLiteral(value)).to.equal(escapeLiteral(value));
      }),
    );
  });

  it('gives literals and names that scan back to the text', () => {
    holds(
      fc.property(text, (value) => {
        expect(scanned(quoteLiteral(value))).to.equal(value);
        const name = quoteIdentifier(value);
        expect(name.slice(1, -1).replaceAll('""', '')).not.to.include('"');
        expect(name.slice(1, -1).replaceAll('""', '"')).to.equal(value);
      }),
    );
  });
});
