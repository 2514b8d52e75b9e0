/** Reads the seed of session tickets from the descriptor that it inherits, when it is told to; tells what it read. */
import { once } from 'node:events';
import { readTicketSeed } from '../../../src/gateway/ops/index.js';

process.send?.('ready');
await once(process, 'message');
process.send?.(readTicketSeed(4).toString('hex'), () => process.disconnect());
