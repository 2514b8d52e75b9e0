import { expect } from 'chai';
import * as fc from 'fast-check';
import type { RouteMatch } from '../../src/gateway/plan.js';
import { Router, type Wanted } from '../../src/gateway/router.js';
import { holds } from '../support/property.js';

interface Named {
  name: string;
  match: RouteMatch;
}

/** By name: what it asks for. */
type Table = Record<string, Partial<RouteMatch>>;

function routerOf(table: Table): Router<Named> {
  const any = { serverNames: [], alpn: [], protocols: [] };
  return new Router(Object.entries(table).map(([name, match]) => ({ name, match: { ...any, ...match } })));
}

function find(table: Table, wanted: Partial<Wanted>): string {
  const found = routerOf(table).find({ serverName: undefined, alpn: [], protocol: 'tls', ...wanted });
  return typeof found === 'string' ? found : found.name;
}

const names: Table = {
  default: {},
  suffix: { serverNames: ['*.example.com'] },
  longer: { serverNames: ['*.eu.example.com'] },
  exact: { serverNames: ['db.eu.example.com', 'other.test'] },
};

describe('gateway/router', () => {
  describe('server names', () => {
    const cases: [string | undefined, string][] = [
      ['db.eu.example.com', 'exact'],
      ['other.test', 'exact'],
      ['web.eu.example.com', 'longer'],
      ['a.b.eu.example.com', 'longer'],
      ['eu.example.com', 'suffix'],
      ['a.b.example.com', 'suffix'],
      ['example.com', 'default'],
      ['notexample.com', 'default'],
      ['db.eu.example.com.evil.test', 'default'],
      ['com', 'default'],
      [undefined, 'default'],
    ];
    for (const [serverName, expected] of cases) {
      it(`${serverName ?? 'none'}: ${expected}`, () => expect(find(names, { serverName })).to.equal(expected));
    }

    it('none of its own and no default: no route', () => {
      const { default: _, ...rest } = names;
      expect(find(rest, { serverName: 'example.org' })).to.equal('no-route');
      expect(find(rest, {})).to.equal('no-route');
      expect(find({}, {})).to.equal('no-route');
    });

    it('in any order of the routes', () => {
      const entries = Object.entries(names);
      holds(
        fc.property(
          fc.shuffledSubarray(entries, { minLength: entries.length }),
          fc.constantFrom(...cases),
          (shuffled, [serverName, expected]) => {
            expect(find(Object.fromEntries(shuffled), { serverName })).to.equal(expected);
          },
        ),
      );
    });
  });

  describe('ALPN', () => {
    const table: Table = { any: {}, h2: { alpn: ['h2'] }, pg: { alpn: ['postgresql', 'h2'] } };

    it('a route that names it is above one that takes any', () => {
      expect(find(table, { alpn: ['h2'] })).to.equal('h2');
      expect(find(table, { alpn: ['postgresql'] })).to.equal('pg');
      expect(find(table, { alpn: [] })).to.equal('any');
      expect(find(table, { alpn: ['smtp'] })).to.equal('any');
    });

    it('of two routes that name what is offered, what the client offers first', () => {
      const two: Table = { h2: { alpn: ['h2'] }, h1: { alpn: ['http/1.1'] } };
      expect(find(two, { alpn: ['http/1.1', 'h2'] })).to.equal('h1');
      expect(find(two, { alpn: ['h2', 'http/1.1'] })).to.equal('h2');
      expect(find(two, { alpn: ['spdy', 'http/1.1'] })).to.equal('h1');
    });

    it('offered, and no route of the name speaks it: never the service of another name (ALPACA)', () => {
      const named: Table = {
        web: { serverNames: ['web.test'], alpn: ['h2'] },
        default: {},
        all: { serverNames: ['*.test'] },
      };
      expect(find(named, { serverName: 'web.test', alpn: ['smtp'] })).to.equal('no-alpn');
      expect(find(named, { serverName: 'web.test', alpn: ['smtp', 'h2'] })).to.equal('web');
      expect(find(named, { serverName: 'mail.test', alpn: ['smtp'] })).to.equal('all');
    });

    it('offered, and the default speaks others only', () => {
      expect(find({ web: { alpn: ['h2'] } }, { alpn: ['smtp'] })).to.equal('no-alpn');
      expect(find({ web: { alpn: ['h2'] } }, { serverName: 'some.test', alpn: ['smtp'] })).to.equal('no-alpn');
    });

    it('not offered: a route that needs one is none, and the next name is asked', () => {
      expect(find({ web: { alpn: ['h2'] } }, {})).to.equal('no-route');
      expect(find({ web: { serverNames: ['a.test'], alpn: ['h2'] }, all: {} }, { serverName: 'a.test' })).to.equal(
        'all',
      );
    });
  });

  describe('protocols', () => {
    const table: Table = { any: {}, pg: { protocols: ['postgresql'] } };

    it('a route that names it is above one that takes any', () => {
      expect(find(table, { protocol: 'postgresql' })).to.equal('pg');
      expect(find(table, { protocol: 'tls' })).to.equal('any');
    });

    it('ALPN is above the protocol, the name above both', () => {
      const mixed: Table = {
        protocol: { protocols: ['postgresql'] },
        alpn: { alpn: ['postgresql'] },
        both: { alpn: ['postgresql'], protocols: ['postgresql'], serverNames: ['both.test'] },
        name: { serverNames: ['*.test'] },
      };
      const wanted = { protocol: 'postgresql', alpn: ['postgresql'] } as const;
      expect(find(mixed, wanted)).to.equal('alpn');
      expect(find(mixed, { ...wanted, serverName: 'x.test' })).to.equal('name');
      expect(find(mixed, { ...wanted, serverName: 'both.test' })).to.equal('both');
      expect(find(mixed, { protocol: 'postgresql' })).to.equal('protocol');
      const alpnAndProtocol: Table = { alpn: { alpn: ['h2'] }, both: { alpn: ['h2'], protocols: ['tls'] } };
      expect(find(alpnAndProtocol, { alpn: ['h2'] })).to.equal('both');
    });

    it('routes of the name for other protocols only: the next name is asked', () => {
      const other: Table = { pg: { serverNames: ['a.test'], protocols: ['postgresql'] }, web: { alpn: ['h2'] } };
      expect(find(other, { serverName: 'a.test', alpn: ['h2'] })).to.equal('web');
    });

    it('TLS without ALPN may be PostgreSQL, whose SSLRequest a local proxy has answered: where nothing else takes it', () => {
      const orders: Table = { pg: { serverNames: ['a.test'], protocols: ['postgresql'] }, default: {} };
      expect(find(orders, { serverName: 'a.test' })).to.equal('pg');
      expect(find(orders, { serverName: 'a.test', alpn: ['h2'] })).to.equal('default');
      const any: Table = { ...orders, any: { serverNames: ['a.test'] } };
      expect(find(any, { serverName: 'a.test' })).to.equal('any');
      const tls: Table = { ...orders, tls: { serverNames: ['a.test'], protocols: ['tls'] } };
      expect(find(tls, { serverName: 'a.test' })).to.equal('tls');
    });
  });

  it('of equals the first', () => {
    expect(find({ first: { alpn: ['h2'] }, second: { alpn: ['h2'] } }, { alpn: ['h2'] })).to.equal('first');
  });

  it('whatever is found takes what is wanted, and nothing more specific does', () => {
    const serverName = fc.constantFrom('a.test', 'b.a.test', 'c.b.a.test', 'test');
    const alpn = fc.constantFrom('h2', 'http/1.1', 'postgresql');
    const protocol = fc.constantFrom('tls' as const, 'postgresql' as const);
    const pattern = fc.tuple(fc.boolean(), serverName).map(([below, name]) => (below ? `*.${name}` : name));
    const match = fc.record({
      serverNames: fc.uniqueArray(pattern, { maxLength: 2 }),
      alpn: fc.uniqueArray(alpn, { maxLength: 2 }),
      protocols: fc.uniqueArray(protocol, { maxLength: 1 }),
    });
    const wanted = fc.record({
      serverName: fc.option(serverName, { nil: undefined }),
      alpn: fc.uniqueArray(alpn, { maxLength: 2 }),
      protocol,
    });
    const matches = (route: RouteMatch, asked: Wanted) =>
      nameRank(route, asked.serverName) >= 0 &&
      (route.alpn.length === 0 || route.alpn.some((name) => asked.alpn.includes(name))) &&
      protocolRank(route, asked) >= 0;
    holds(
      fc.property(fc.array(match, { maxLength: 8 }), wanted, (routes, asked) => {
        const found = new Router(routes.map((one) => ({ match: one }))).find(asked);
        const able = routes.filter((one) => matches(one, asked));
        if (found === 'no-route') expect(able).to.deep.equal([]);
        if (typeof found === 'string') return;
        expect(able).to.include(found.match);
        const rank = (one: RouteMatch) =>
          nameRank(one, asked.serverName) * 6 + Math.min(one.alpn.length, 1) * 3 + protocolRank(one, asked);
        expect(Math.max(...able.map(rank))).to.equal(rank(found.match));
      }),
      { numRuns: 2000 },
    );
  });
});

/** 2 where it names the protocol, 1 where it takes any, 0 where it may be that, -1 where it does not take it. */
function protocolRank({ protocols }: RouteMatch, { protocol, alpn }: Wanted): number {
  if (protocols.includes(protocol)) return 2;
  if (protocols.length === 0) return 1;
  return protocol === 'tls' && alpn.length === 0 ? 0 : -1;
}

/** Of the most specific pattern that takes the name: its length, an exact one above all; -1 where none does. */
function nameRank({ serverNames }: RouteMatch, serverName: string | undefined): number {
  if (serverNames.length === 0) return 0;
  const ranks = serverNames.map((pattern) => {
    if (pattern === serverName) return 1000;
    return pattern.startsWith('*.') && serverName?.endsWith(pattern.slice(1)) ? pattern.length : -1;
  });
  return Math.max(...ranks);
}
