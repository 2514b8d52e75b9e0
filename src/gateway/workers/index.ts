/** A gateway in several processes: the main one has the ports, workers have TLS, keys and connections. */

export type { WorkerName } from '../../workers/index.js';
export {
  type SharedPlan,
  Supervisor,
  type SupervisorEvent,
  type SupervisorOptions,
  type WorkerLook,
} from './supervisor.js';
export { GatewayWorker, type GatewayWorkerOptions } from './worker.js';
