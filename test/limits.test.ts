import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { PathMemory } from '../src/client/path-memory.js';
import { Engine } from '../src/engine/engine.js';
import { TurboListener } from '../src/engine/turbo-listener.js';
import { TurboError } from '../src/errors.js';
import type { LimitUnit } from '../src/limit-units.js';
import { defaultLimits, type Limits, limitsWith, limitUnits } from '../src/limits.js';
import { Flight } from '../src/wire/flight.js';

const names = Object.keys(defaultLimits) as (keyof Limits)[];

function expectBad(run: () => unknown, what: string): void {
  expect(run, what).to.throw(TurboError).with.property('code', 'ERR_TURBO_BAD_OPTION');
}

const nonsense: unknown[] = [0, -1, Number.NaN, Number.POSITIVE_INFINITY, '5', '', null, true, {}, [], 10n, () => 1];

describe('limits', () => {
  it('are the defaults where nothing is changed, and cannot be changed afterwards', () => {
    expect(limitsWith()).to.deep.equal(defaultLimits);
    expect(limitsWith({})).to.deep.equal(defaultLimits);
    expect(limitsWith()).to.be.frozen;
    expect(defaultLimits).to.be.frozen;
  });

  it('take changes, one by one, and leave the others', () => {
    for (const name of names) {
      const changed = limitsWith({ [name]: 7 });
      expect(changed, name).to.deep.equal({ ...defaultLimits, [name]: 7 });
    }
    expect(limitsWith({ flightBytes: undefined } as unknown as Partial<Limits>)).to.deep.equal(defaultLimits);
  });

  it('have a unit each, which the defaults fit', () => {
    expect(Object.keys(limitUnits)).to.deep.equal(names);
    for (const name of names) expect(limitsWith({ [name]: defaultLimits[name] })[name]).to.equal(defaultLimits[name]);
    for (const name of names) {
      expect(name.endsWith('Ms'), name).to.equal(limitUnits[name] === 'ms');
      expect(name.endsWith('Bytes'), name).to.equal(limitUnits[name] === 'bytes');
    }
  });

  for (const name of names) {
    it(`refuse nonsense as ${name}, naming it`, () => {
      const values = [...nonsense];
      const unit: LimitUnit = limitUnits[name];
      if (unit === 'bytes' || unit === 'count') values.push(1.5, 2 ** 53);
      if (unit === 'ms') values.push(2 ** 31);
      for (const value of values) {
        const what = `${name}: ${String(value)}`;
        expectBad(() => limitsWith({ [name]: value } as unknown as Partial<Limits>), what);
        expect(() => limitsWith({ [name]: value } as unknown as Partial<Limits>)).to.throw(`turbo.limits.${name} must`);
      }
    });
  }

  it('refuse names that are none', () => {
    for (const name of ['flightbytes', 'toString', '__proto__x', 'constructor']) {
      expectBad(() => limitsWith({ [name]: 1 } as unknown as Partial<Limits>), name);
    }
  });

  it('are looked at when something is made, not when it is too late', () => {
    const limits = { halfOpenSessions: 1.5 };
    expectBad(() => new TurboListener({ limits }), 'listener');
    expectBad(() => new PathMemory({ limits: { pathEntries: -1 } }), 'memory');
    expectBad(() => new Engine({ limits, onSession: () => {}, onProtocol: () => false }), 'engine');
  });

  it('may ask for more datagrams than a side can number: it gets what it can number', () => {
    const flight = new Flight({ bytes: 1_000_000, datagrams: 1000 });
    flight.append([Buffer.alloc(1_000_000)]);
    let count = 0;
    while (flight.cut()) count++;
    expect(count).to.equal(64);
  });

  describe('in docs/limits.md', () => {
    /** The table that the source makes: name, unit, default, and its docstring as the reason. */
    function rows(): string[] {
      const source = readFileSync(new URL('../../src/limits.ts', import.meta.url), 'utf8');
      return names.map((name) => {
        const pattern = new RegExp(`/\\*\\*((?:(?!\\*/)[^])*?)\\*/\\s+${name}: number;`);
        const docstring = source.match(pattern)?.[1] ?? '';
        const reason = docstring
          .replaceAll(/\n\s*\*\s?/g, ' ')
          .replaceAll(/\s+/g, ' ')
          .trim();
        const value = defaultLimits[name].toLocaleString('en-US');
        return `| \`${name}\` | ${limitUnits[name]} | ${value} | ${reason} |`;
      });
    }

    it('stand as the source has them', () => {
      const document = readFileSync(new URL('../../docs/limits.md', import.meta.url), 'utf8');
      const table = document.split('\n').filter((line) => line.startsWith('| `'));
      expect(table.join('\n')).to.equal(rows().join('\n'));
    });

    it('have a reason each', () => {
      for (const row of rows()) expect(row).to.match(/\| [A-Z][^|]+[^ |] \|$/);
    });
  });
});
