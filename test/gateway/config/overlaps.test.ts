import { expect } from 'chai';
import * as fc from 'fast-check';
import { type ConfigError, planFrom } from '../../../src/gateway/config/index.js';
import type { RouteProtocol } from '../../../src/gateway/plan.js';
import { Router } from '../../../src/gateway/router.js';
import { holds } from '../../support/property.js';

const NAMES = ['a.example.com', '*.example.com', '*.com'];
const ALPN = ['h2', 'http/1.1'];
const PROTOCOLS = ['TLS', 'POSTGRESQL'];

const some = (values: string[]) => fc.subarray(values);
const match = fc.record({ serverNames: some(NAMES), alpn: some(ALPN), protocols: some(PROTOCOLS) });

/** Every client that can differ to routes made of these. */
const clients = ['a.example.com', 'b.example.com', 'c.com', undefined].flatMap((serverName) =>
  [[], ['h2'], ['http/1.1'], ['h2', 'http/1.1'], ['http/1.1', 'h2']].flatMap((alpn) =>
    (['tls', 'postgresql'] as RouteProtocol[]).map((protocol) => ({ serverName, alpn, protocol })),
  ),
);

function isRefused(matches: object[]): boolean {
  const routes = matches.map((each, index) => ({ name: `r${index}`, match: each, backend: { targets: ['x:1'] } }));
  try {
    planFrom({ listen: [':443'], routes }, '/');
    return false;
  } catch (error) {
    expect((error as ConfigError).problems.every(({ message }) => message.startsWith('matches the same'))).to.equal(
      true,
    );
    return true;
  }
}

describe('gateway configuration: overlaps', () => {
  it('are refused exactly where the order of the routes would decide', () => {
    let refused = 0;
    holds(
      fc.property(match, match, (a, b) => {
        const lower = (each: typeof a) => ({
          match: { ...each, protocols: each.protocols.map((protocol) => protocol.toLowerCase() as RouteProtocol) },
        });
        const [first, second] = [lower(a), lower(b)];
        const there = new Router([first, second]);
        const back = new Router([second, first]);
        const decides = clients.some((client) => there.find(client) !== back.find(client));
        const isOverlap = isRefused([a, b]);
        if (isOverlap) refused++;
        expect(isOverlap).to.equal(decides);
      }),
      { numRuns: 2000 },
    );
    expect(refused).to.be.within(100, 1900);
  });
});
