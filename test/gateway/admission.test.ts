import { expect } from 'chai';
import { Admission, type Lease } from '../../src/gateway/admission.js';
import type { GatewayLimits, RoutePlan } from '../../src/gateway/plan.js';
import { passthrough, planOf } from './gateway-rig.js';

function routeOf(name: string, connections: number, connectionsPerSource: number): RoutePlan {
  return passthrough(name, [], { limits: { connections, connectionsPerSource } });
}

function limitsOf(connections: number): GatewayLimits {
  return planOf([], { limits: { connections } }).limits;
}

function granted(lease: Lease | string | undefined): Lease {
  if (typeof lease !== 'function') throw new Error(`refused: ${lease}`);
  return lease;
}

describe('gateway/admission', () => {
  it('refuses what is over a limit: in all, on a route, from a source; and takes it again when one has left', () => {
    const admission = new Admission();
    const [a, b, limits] = [routeOf('a', 3, 2), routeOf('b', 3, 2), limitsOf(4)];
    const first = granted(admission.enter(a, limits, '192.0.2.1'));
    granted(admission.enter(a, limits, '192.0.2.1'));
    expect(admission.enter(a, limits, '192.0.2.1')).to.equal('too-many-from-source');
    granted(admission.enter(a, limits, '192.0.2.2'));
    expect(admission.enter(a, limits, '192.0.2.3')).to.equal('too-many-on-route');
    granted(admission.enter(b, limits, '192.0.2.1'));
    expect(admission.enter(b, limits, '192.0.2.3')).to.equal('too-many-connections');
    expect(admission.connections).to.equal(4);
    expect(admission.connectionsOf('a')).to.equal(3);
    first();
    first();
    expect(admission.connections).to.equal(3);
    granted(admission.enter(a, limits, '192.0.2.1'));
  });

  it('counts by the name of the route: another plan of that name does not begin at zero', () => {
    const admission = new Admission();
    granted(admission.enter(routeOf('a', 1, 1), limitsOf(9), '192.0.2.1'));
    expect(admission.enter(routeOf('a', 1, 1), limitsOf(9), '192.0.2.2')).to.equal('too-many-on-route');
    granted(admission.enter(routeOf('a', 2, 1), limitsOf(9), '192.0.2.2'));
  });

  it('gives sessions that TCP has not claimed a quarter of the route, and at least one place', () => {
    const admission = new Admission();
    const [large, small] = [routeOf('large', 8, 8), routeOf('small', 1, 1)];
    const first = granted(admission.enterEarly(large));
    granted(admission.enterEarly(large));
    expect(admission.enterEarly(large)).to.equal(undefined);
    granted(admission.enterEarly(small));
    expect(admission.enterEarly(small)).to.equal(undefined);
    first();
    granted(admission.enterEarly(large));
    expect(admission.connections).to.equal(0);
  });
});
