import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { PathMemory } from '../src/client/path-memory.js';
import { PgError } from '../src/codec/pg/errors.js';
import { PgClient } from '../src/codec/pg/index.js';
import { defaultPgLimits, pgLimitsWith, pgLimitUnits } from '../src/codec/pg/limits.js';
import { RedisError } from '../src/codec/redis/errors.js';
import { RedisClient } from '../src/codec/redis/index.js';
import { defaultRedisLimits, redisLimitsWith, redisLimitUnits } from '../src/codec/redis/limits.js';
import { Engine } from '../src/engine/engine.js';
import { TurboListener } from '../src/engine/turbo-listener.js';
import { TurboError } from '../src/errors.js';
import type { LimitUnit } from '../src/limit-units.js';
import { defaultLimits, limitsWith, limitUnits } from '../src/limits.js';
import { Flight } from '../src/wire/flight.js';
import { WorkersError } from '../src/workers/errors.js';
import { defaultWorkersLimits, workersLimitsWith, workersLimitUnits } from '../src/workers/limits.js';

type AnyLimits = Record<string, number>;

/** The limits of one part of the project. */
interface Family {
  /** Its section in docs/limits.md. */
  title: string;
  file: string;
  /** The option, as messages call it. */
  option: string;
  defaults: Readonly<AnyLimits>;
  units: Readonly<Record<string, LimitUnit>>;
  changed: (changes?: AnyLimits) => Readonly<AnyLimits>;
  error: new (...args: never[]) => Error;
  code: string;
}

const families: Family[] = [
  {
    title: 'TurboTLS',
    file: 'src/limits.ts',
    option: 'turbo.limits',
    defaults: { ...defaultLimits },
    units: limitUnits,
    changed: (changes) => ({ ...limitsWith(changes) }),
    error: TurboError,
    code: 'ERR_TURBO_BAD_OPTION',
  },
  {
    title: 'PostgreSQL',
    file: 'src/codec/pg/limits.ts',
    option: 'limits',
    defaults: { ...defaultPgLimits },
    units: pgLimitUnits,
    changed: (changes) => ({ ...pgLimitsWith(changes) }),
    error: PgError,
    code: 'ERR_PG_BAD_OPTION',
  },
  {
    title: 'Redis',
    file: 'src/codec/redis/limits.ts',
    option: 'limits',
    defaults: { ...defaultRedisLimits },
    units: redisLimitUnits,
    changed: (changes) => ({ ...redisLimitsWith(changes) }),
    error: RedisError,
    code: 'ERR_REDIS_BAD_OPTION',
  },
  {
    title: 'Workers',
    file: 'src/workers/limits.ts',
    option: 'limits',
    defaults: { ...defaultWorkersLimits },
    units: workersLimitUnits,
    changed: (changes) => ({ ...workersLimitsWith(changes) }),
    error: WorkersError,
    code: 'ERR_WORKERS_BAD_OPTION',
  },
];

const nonsense: unknown[] = [0, -1, Number.NaN, Number.POSITIVE_INFINITY, '5', '', null, true, {}, [], 10n, () => 1];

describe('limits', () => {
  for (const family of families) describe(`of ${family.title}`, () => suite(family));

  it('cannot be changed afterwards', () => {
    const all = [limitsWith(), defaultLimits, pgLimitsWith(), defaultPgLimits, redisLimitsWith(), defaultRedisLimits];
    for (const limits of all) expect(limits).to.be.frozen;
  });

  it('are looked at when something is made, not when it is too late', () => {
    const limits = { halfOpenSessions: 1.5 };
    const turbo = (run: () => unknown, what: string) =>
      expect(run, what).to.throw(TurboError).with.property('code', 'ERR_TURBO_BAD_OPTION');
    turbo(() => new TurboListener({ limits }), 'listener');
    turbo(() => new PathMemory({ limits: { pathEntries: -1 } }), 'memory');
    turbo(() => new Engine({ limits, onSession: () => {}, onProtocol: () => false }), 'engine');
    expect(() => PgClient.open({}, { limits: { queuedQueries: 0 } })).to.throw(PgError, 'limits.queuedQueries');
    expect(() => RedisClient.open('redis://localhost', { limits: { depth: 0 } })).to.throw(RedisError, 'limits.depth');
  });

  it('may ask for more datagrams than a side can number: it gets what it can number', () => {
    const flight = new Flight({ bytes: 1_000_000, datagrams: 1000 });
    flight.append([Buffer.alloc(1_000_000)]);
    let count = 0;
    while (flight.cut()) count++;
    expect(count).to.equal(64);
  });
});

function suite({ title, file, option, defaults, units, changed, error, code }: Family): void {
  const names = Object.keys(defaults);

  const expectBad = (changes: Record<string, unknown>, what: string) =>
    expect(() => changed(changes as AnyLimits), what)
      .to.throw(error, `${option}.${Object.keys(changes)[0]} `)
      .with.property('code', code);

  it('are the defaults where nothing is changed', () => {
    expect(changed()).to.deep.equal(defaults);
    expect(changed({})).to.deep.equal(defaults);
  });

  it('take changes, one by one, and leave the others', () => {
    for (const name of names) expect(changed({ [name]: 7 }), name).to.deep.equal({ ...defaults, [name]: 7 });
    for (const name of names) expect(changed({ [name]: undefined as unknown as number })).to.deep.equal(defaults);
  });

  it('have a unit each, which the defaults fit', () => {
    expect(Object.keys(units)).to.deep.equal(names);
    expect(changed(defaults)).to.deep.equal(defaults);
    for (const name of names) {
      expect(name.endsWith('Ms'), name).to.equal(units[name] === 'ms');
      expect(name.endsWith('Bytes'), name).to.equal(units[name] === 'bytes');
    }
  });

  it('refuse nonsense, naming it', () => {
    for (const name of names) {
      const values = [...nonsense];
      if (units[name] === 'bytes' || units[name] === 'count') values.push(1.5, 2 ** 53);
      if (units[name] === 'ms') values.push(2 ** 31);
      for (const value of values) expectBad({ [name]: value }, `${name}: ${String(value)}`);
    }
  });

  it('refuse names that are none', () => {
    for (const name of ['flightbytes', 'toString', '__proto__x', 'constructor']) expectBad({ [name]: 1 }, name);
  });

  describe('in docs/limits.md', () => {
    /** The table that the source makes: name, unit, default, and its docstring as the reason. */
    function rows(): string[] {
      const source = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
      return names.map((name) => {
        const pattern = new RegExp(`/\\*\\*((?:(?!\\*/)[\\s\\S])*?)\\*/\\s+${name}: number;`);
        const docstring = source.match(pattern)?.[1] ?? '';
        const reason = docstring
          .replaceAll(/\n\s*\*\s?/g, ' ')
          .replaceAll(/\s+/g, ' ')
          .trim();
        return `| \`${name}\` | ${units[name]} | ${defaults[name]?.toLocaleString('en-US')} | ${reason} |`;
      });
    }

    it('stand as the source has them', () => {
      const document = readFileSync(new URL('../../docs/limits.md', import.meta.url), 'utf8');
      const section = document.split('\n## ').find((text) => text.startsWith(title)) ?? '';
      const table = section.split('\n').filter((line) => line.startsWith('| `'));
      expect(table.join('\n')).to.equal(rows().join('\n'));
    });

    it('have a reason each', () => {
      for (const row of rows()) expect(row).to.match(/\| [A-Z][^|]+[^ |] \|$/);
    });
  });
}
