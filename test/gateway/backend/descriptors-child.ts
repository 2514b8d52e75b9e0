/** Dials until descriptors run out, with few of them (ulimit -n); prints what the pool made of it. */
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { type BackendEvent, BackendPool } from '../../../src/gateway/backend/index.js';
import { CLIENT, never, planFor } from './rig.js';

const server = createServer().listen(0, '127.0.0.1');
await once(server, 'listening');
const { port } = server.address() as AddressInfo;

const events: BackendEvent[] = [];
const pool = new BackendPool(planFor([{ host: '127.0.0.1', port }]), { onEvent: (event) => events.push(event) });
const outcomes = await Promise.allSettled(Array.from({ length: 80 }, () => pool.dial(CLIENT, never())));
const codes = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason.code] : []));
process.stdout.write(JSON.stringify({ codes, healthy: pool.targets[0]?.healthy, events }), () => process.exit());
