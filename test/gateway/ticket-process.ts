/** A gateway in a process of its own, by what it is sent first; tells its port, and ends with its parent. */
import type { Serializable } from 'node:child_process';
import { once } from 'node:events';
import { Gateway, type RoutePlan } from '../../src/gateway/index.js';
import { planOf } from './gateway-rig.js';

export interface TicketProcessOrder {
  routes: readonly RoutePlan[];
  /** Hexadecimal. */
  seed: string;
}

const [{ routes, seed }] = (await once(process, 'message')) as [TicketProcessOrder];
const gateway = new Gateway(planOf(routes), { ticketSeed: Buffer.from(seed, 'hex') });
const [address] = await gateway.start();
process.send?.(address?.port as Serializable);
await once(process, 'disconnect');
await gateway.close();
