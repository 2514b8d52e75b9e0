import { expect } from 'chai';
import * as fc from 'fast-check';
import { decodeText, TextRun } from '../../../src/codec/pg/text.js';
import { holds } from '../../support/property.js';

/** Every byte by itself and around others, long and short texts, valid and not. */
function samples(): Buffer[] {
  const each = Array.from({ length: 256 }, (_, byte) => Buffer.of(byte));
  const inside = each.flatMap((byte) => [
    Buffer.concat([Buffer.from('abc'), byte]),
    Buffer.concat([Buffer.from('abcdefg'), byte, Buffer.from('hijklmnopqrstuvwxyz')]),
  ]);
  const lengths = Array.from({ length: 200 }, (_, length) => Buffer.alloc(length, 'text '));
  return [...each, ...inside, ...lengths, Buffer.from('日本'), Buffer.from('𝄞'), Buffer.from('𝄞').subarray(0, 3)];
}

describe('codec/pg text', () => {
  it('is what Node makes of it', () => {
    for (const bytes of samples()) {
      const expected = bytes.toString('utf8');
      expect(decodeText(bytes, 0, bytes.length)).to.equal(expected);
      expect(new TextRun(bytes, bytes.length).text(0, bytes.length)).to.equal(expected);
    }
  });

  it('is what Node makes of every sequence of two bytes, and of all of three that matter', () => {
    const edges = [0x00, 0x41, 0x7f, 0x80, 0x9f, 0xa0, 0xbf, 0xc0, 0xc1, 0xc2, 0xdf, 0xe0, 0xed, 0xef, 0xf0, 0xff];
    for (let first = 0; first < 256; first++) {
      for (let second = 0; second < 256; second++) {
        for (const third of edges) {
          for (const length of [2, 3]) {
            const bytes = Buffer.of(first, second, third);
            const text = decodeText(bytes, 0, length);
            if (text !== bytes.toString('utf8', 0, length)) expect.fail(`${bytes.toString('hex', 0, length)}: ${text}`);
          }
        }
      }
    }
  }).timeout(60_000);

  it('is what Node makes of texts of other scripts, of all lengths, cut anywhere', () => {
    for (const text of ['Привет, Ελλάδα, 日本. ', '日本語テキスト𝄞', 'ü text with one ', '\u{10ffff}\ud7ff\ue000']) {
      const bytes = Buffer.from(text.repeat(20));
      for (let start = 0; start < 30; start++) {
        for (let end = start; end < start + 140; end++) {
          const decoded = decodeText(bytes, start, end);
          if (decoded !== bytes.toString('utf8', start, end)) expect.fail(`${start} to ${end} of ${text}: ${decoded}`);
        }
      }
    }
  });

  it('is what Node makes of any bytes, wherever they lie, in any order', () => {
    const ascii = fc.uint8Array({ maxLength: 1500, max: 0x7f });
    const anything = fc.uint8Array({ maxLength: 1500 });
    const ranges = fc.array(fc.tuple(fc.nat(1500), fc.nat(150)), { maxLength: 20 });
    holds(
      fc.property(fc.oneof(ascii, anything), ranges, (content, places) => {
        const bytes = Buffer.from(content);
        const run = new TextRun(bytes, bytes.length);
        for (const [from, length] of places) {
          const start = Math.min(from, bytes.length);
          const end = Math.min(start + length, bytes.length);
          const expected = bytes.toString('utf8', start, end);
          expect(decodeText(bytes, start, end)).to.equal(expected);
          expect(run.text(start, end)).to.equal(expected);
        }
      }),
    );
  });
});
