/** Operating a gateway: its log, metrics and health. All of it is made of the gateway's events and state. */
export { AdminServer, type AdminSources } from './admin-server.js';
export { type CertificateNews, CertificateStore, type CertificateStoreOptions } from './certificate-store.js';
export { eventLog, logEvents } from './log-events.js';
export { dropLogs, type Logger, type LoggerOptions, type LogStream, logger } from './logger.js';
export { Metrics, type MetricsOptions } from './metrics.js';
export { poolLog } from './pool-log.js';
export { type Readiness, type ReadinessScope, readinessOf } from './readiness.js';
export { openTicketSeed, readTicketSeed } from './ticket-seed.js';
export {
  type FrontReading,
  WorkerMetrics,
  type WorkerMetricsSources,
  type WorkerReports,
} from './worker-metrics.js';
