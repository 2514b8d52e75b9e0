import { expect } from 'chai';
import fc from 'fast-check';
import { TEXT_SIZE } from '../../../src/compare/report/chart.js';
import { levelsOf, placedLabels } from '../../../src/compare/report/labels.js';
import { textWidth } from '../../../src/compare/report/text-width.js';

const WIDTH = 400;

const someLabels = fc.array(
  fc.record({
    x: fc.double({ min: 0, max: WIDTH, noNaN: true }),
    text: fc.string({ minLength: 1, maxLength: 20, unit: 'grapheme-ascii' }),
  }),
  { maxLength: 15 },
);

describe('compare report: labels', () => {
  it('lets none touch another, and none leave the drawing', () => {
    fc.assert(
      fc.property(someLabels, fc.integer({ min: 1, max: 6 }), (labels, levels) => {
        const placed = placedLabels(labels, WIDTH, levels).map((label) => ({
          ...label,
          end: label.textX + textWidth(label.text, TEXT_SIZE),
        }));
        for (const [index, one] of placed.entries()) {
          expect(one.textX).to.be.at.least(0);
          expect(one.end).to.be.at.most(WIDTH + 1e-9);
          for (const other of placed.slice(index + 1)) {
            const apart = one.level !== other.level || one.end < other.textX || other.end < one.textX;
            expect(apart, `${one.text} and ${other.text}`).to.equal(true);
          }
        }
      }),
    );
  });

  it('runs no stem through the text of another label that stands beside its place', () => {
    fc.assert(
      fc.property(someLabels, (labels) => {
        const placed = placedLabels(labels, WIDTH, 15);
        for (const { x, level } of placed) {
          for (const other of placed.filter((each) => each.level < level && each.textX >= each.x)) {
            const through = other.textX < x && x < other.textX + textWidth(other.text, TEXT_SIZE);
            expect(through).to.equal(false);
          }
        }
      }),
    );
  });

  it('uses no more levels than it must', () => {
    const labels = placedLabels(
      [
        { x: 0, text: 'SYN' },
        { x: 200, text: 'ClientHello' },
      ],
      WIDTH,
      5,
    );
    expect(levelsOf(labels)).to.equal(1);
  });

  it('leaves out what finds no level', () => {
    const labels = Array.from({ length: 5 }, () => ({ x: 100, text: 'ClientHello' }));
    expect(placedLabels(labels, WIDTH, 3)).to.have.length(3);
  });
});
