import { expect } from 'chai';
import * as fc from 'fast-check';
import { CreditLedger } from '../../src/engine/credit-ledger.js';
import { holds } from '../support/property.js';

describe('engine/credit-ledger', () => {
  it('covers nothing before anything was received', () => {
    expect(new CreditLedger().covers(0)).to.equal(false);
    expect(new CreditLedger().covers(1)).to.equal(false);
  });

  it('covers one datagram of three times the bytes for one received', () => {
    const credit = new CreditLedger();
    credit.received(400);
    expect(credit.covers(1200)).to.equal(true);
    expect(credit.covers(1201)).to.equal(false);
    credit.sent(1);
    expect(credit.covers(1)).to.equal(false);
  });

  it('keeps bytes that were not used for the next datagram', () => {
    const credit = new CreditLedger();
    credit.received(400);
    credit.sent(200);
    credit.received(10);
    expect(credit.covers(1030)).to.equal(true);
    expect(credit.covers(1031)).to.equal(false);
  });

  it('never lets out more datagrams, or more than three times the bytes, than came in: at every prefix', () => {
    const step = fc.record({ isIn: fc.boolean(), bytes: fc.integer({ min: 0, max: 1200 }) });
    holds(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const credit = new CreditLedger();
        const total = { in: { datagrams: 0, bytes: 0 }, out: { datagrams: 0, bytes: 0 } };
        for (const { isIn, bytes } of steps) {
          if (isIn) {
            credit.received(bytes);
            total.in.datagrams++;
            total.in.bytes += bytes;
            continue;
          }
          const allowed =
            total.out.datagrams + 1 <= total.in.datagrams && total.out.bytes + bytes <= 3 * total.in.bytes;
          expect(credit.covers(bytes)).to.equal(allowed);
          if (!allowed) continue;
          credit.sent(bytes);
          total.out.datagrams++;
          total.out.bytes += bytes;
        }
      }),
      { numRuns: 300 },
    );
  });
});
