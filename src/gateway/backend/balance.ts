/** In which order the targets of a route are tried. */
import { hash } from 'node:crypto';
import type { BackendPlan } from '../plan.js';
import type { Target } from './target.js';

/** The targets, the one to be preferred first. Does not change the list. */
export type Balancer = (targets: readonly Target[], clientAddress: string) => Target[];

export function balancerFor(balance: BackendPlan['balance']): Balancer {
  switch (balance) {
    case 'round-robin':
      return roundRobin();
    case 'least-connections':
      return leastConnections();
    case 'source':
      return bySource;
  }
}

function roundRobin(): Balancer {
  let turn = 0;
  return (targets) => {
    if (targets.length === 0) return [];
    const first = turn++ % targets.length;
    return [...targets.slice(first), ...targets.slice(0, first)];
  };
}

/** Of those with equally many, each in turn. */
function leastConnections(): Balancer {
  const rotate = roundRobin();
  return (targets, client) => rotate(targets, client).sort((one, other) => one.connections - other.connections);
}

/**
 * The same client address, the same order: by the highest of the hashes of client and target (rendezvous hashing), so
 * that a target that comes or goes moves no other target's clients.
 */
function bySource(targets: readonly Target[], clientAddress: string): Target[] {
  const weighed = targets.map((target) => ({ target, weight: weightOf(target, clientAddress) }));
  return weighed.sort((one, other) => (one.weight < other.weight ? 1 : -1)).map(({ target }) => target);
}

function weightOf({ address: { host, port } }: Target, clientAddress: string): string {
  return hash('sha256', `${clientAddress} ${host} ${port}`, 'hex');
}
