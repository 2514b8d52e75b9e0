/** Where a route's connections go: `BackendPool` dials them, `ClientInfo` is what it is told of who they are for. */
export type { ClientInfo, ClientTls } from './client-info.js';
export { type BackendConnection, type BackendEvent, BackendPool, type TargetState } from './pool.js';
