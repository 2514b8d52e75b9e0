/** Operating a gateway: its log, metrics and health. All of it is made of the gateway's events and state. */
export { AdminServer, type AdminSources } from './admin-server.js';
export { type CertificateNews, CertificateStore, type CertificateStoreOptions } from './certificate-store.js';
export { eventLog, logEvents } from './log-events.js';
export { type Logger, type LogStream, logger } from './logger.js';
export { Metrics, type MetricsOptions } from './metrics.js';
