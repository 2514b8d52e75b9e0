/**
 * TLS in worker processes. The front owns the ports and does no TLS; each worker has sessions and connections of its own.
 *
 *                 ┌─ UDP ──► connection ID ─┐                     ┌─ WorkerNetwork ─ TurboListener, attach, createServer
 *     clients ────┤        Front            ├─ IPC ─► worker 1 ───┘
 *                 └─ TCP ──► first bytes ───┴─ IPC ─► worker 2 …
 *
 * `WorkerPool` starts the workers and replaces those that die. `WorkerNetwork` is a worker's part.
 */
export * from './errors.js';
export * from './events.js';
export { Front, type FrontOptions, type Told, type WorkerState } from './front.js';
export { defaultWorkersLimits, type WorkersLimits, workersLimitUnits } from './limits.js';
export { listenThrough } from './listen-through.js';
export { WorkerPool, type WorkerPoolOptions } from './pool.js';
export type { WorkerProcess } from './worker-link.js';
export { WorkerNetwork, type WorkerNetworkOptions } from './worker-network.js';
