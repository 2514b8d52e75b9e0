import { expect } from 'chai';
import * as fc from 'fast-check';
import { balancerFor } from '../../../src/gateway/backend/balance.js';
import { BACKOFF_MAX_MS, BACKOFF_MIN_MS, Target } from '../../../src/gateway/backend/target.js';
import { holds } from '../../support/property.js';

const ERROR = new Error('refused');

function targets(count: number): Target[] {
  return Array.from({ length: count }, (_, index) => new Target({ host: `10.0.0.${index}`, port: 5432 }));
}

describe('gateway backend: target', () => {
  it('is left alone for twice as long after each failure, up to the maximum, and begins anew once it is up', () => {
    const [target] = targets(1) as [Target];
    let now = 0;
    for (const expected of [1, 2, 4, 8, 16, 30, 30, 30]) {
      now++;
      target.failed(ERROR, now, now);
      expect(target.isDue(now + expected * BACKOFF_MIN_MS - 1), `${expected} s`).to.equal(false);
      expect(target.isDue(now + expected * BACKOFF_MIN_MS)).to.equal(true);
      now += expected * BACKOFF_MIN_MS;
    }
    for (let count = 0; count < 2000; count++) target.failed(ERROR, ++now, now);
    expect(target.isDue(now + BACKOFF_MAX_MS)).to.equal(true);
    expect(target.succeeded()).to.equal(true);
    expect(target.succeeded()).to.equal(false);
    expect(target.isDue(now)).to.equal(false);
    expect(target.failed(ERROR, now, now)).to.equal(true);
    expect(target.isDue(now + BACKOFF_MIN_MS)).to.equal(true);
  });

  it('takes failures of attempts that began before it was down for one', () => {
    const [target] = targets(1) as [Target];
    expect(target.failed(ERROR, 0, 100)).to.equal(true);
    for (let count = 50; count <= 100; count++) expect(target.failed(ERROR, count, 150)).to.equal(false);
    expect(target.isDue(100 + BACKOFF_MIN_MS)).to.equal(true);
    expect(target.failed(ERROR, 200, 300)).to.equal(false);
    expect(target.isDue(300 + 2 * BACKOFF_MIN_MS - 1)).to.equal(false);
  });

  it('is due once in its backoff', () => {
    const [target] = targets(1) as [Target];
    target.failed(ERROR, 0, 0);
    expect(target.isDue(BACKOFF_MIN_MS)).to.equal(true);
    target.beginTrial(BACKOFF_MIN_MS);
    expect(target.isDue(2 * BACKOFF_MIN_MS - 1)).to.equal(false);
    expect(target.isDue(2 * BACKOFF_MIN_MS)).to.equal(true);
  });
});

describe('gateway backend: balance', () => {
  const names = fc.uniqueArray(fc.tuple(fc.ipV4(), fc.integer({ min: 1, max: 65535 })), {
    minLength: 2,
    maxLength: 12,
    selector: String,
  });

  it('source: a target that goes moves no other target’s clients', () => {
    holds(
      fc.property(names, fc.ipV4(), (addresses, client) => {
        const all = addresses.map(([host, port]) => new Target({ host, port }));
        const order = balancerFor('source')(all, client);
        expect(order).to.have.members(all);
        for (const gone of all) {
          const others = balancerFor('source')(
            all.filter((target) => target !== gone),
            client,
          );
          expect(others).to.deep.equal(order.filter((target) => target !== gone));
        }
      }),
    );
  });

  it('source: clients are spread', () => {
    const all = targets(4);
    const balance = balancerFor('source');
    const counts = new Map<Target | undefined, number>();
    for (let index = 0; index < 4000; index++) {
      const [first] = balance(all, `10.${index >> 8}.${index & 255}.7`);
      counts.set(first, (counts.get(first) ?? 0) + 1);
    }
    for (const target of all) expect(counts.get(target)).to.be.within(850, 1150);
  });

  it('none for none', () => {
    for (const balance of ['round-robin', 'least-connections', 'source'] as const) {
      expect(balancerFor(balance)([], '10.0.0.1')).to.deep.equal([]);
    }
  });
});
