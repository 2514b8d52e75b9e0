/**
 * Real servers for tests, on free ports of 127.0.0.1 and on Unix sockets: PostgreSQL 15 (Debian), 17 and 18 (npm),
 * PgBouncer, redis-server, nginx and MariaDB (Debian). Each has a folder of its own under the system's temporary one, and runs as
 * `nobody` where this process is root. `stop()` ends the process and removes the folder; what is not stopped ends with
 * this process, even when that is killed.
 *
 *     describe('…', function () {
 *       this.timeout(60_000);                    // the first server of a version makes its cluster first
 *       let server: PostgresServer;
 *
 *       before(async function () {
 *         requirePart(this, 'postgresql-17');    // missing: skipped, with a line that says so; in CI a failure
 *         const tls = await makeCertificate({ names: ['localhost', '127.0.0.1'] });
 *         const users = [{ name: 'alice', password: 'secret' }];
 *         server = await startPostgres({ version: 17, tls, users });
 *       });
 *       after(() => server?.stop());
 *
 *       it('…', async () => {
 *         await server.setHba(['hostssl all alice all cert']);
 *         await server.sql('CREATE TABLE t (id int)');
 *       });
 *     });
 */
export { requirePart } from './availability.js';
export { MariadbServer } from './mariadb.js';
export { type NginxOptions, type NginxServer, startNginx } from './nginx.js';
export { findPart, type Part, type PostgresVersion } from './parts.js';
export { withPg } from './pg-session.js';
export { type PgbouncerOptions, type PgbouncerServer, startPgbouncer } from './pgbouncer.js';
export { type PostgresOptions, type PostgresServer, type PostgresUser, type Row, startPostgres } from './postgres.js';
export { type RedisOptions, type RedisServer, type RedisTls, startRedis } from './redis.js';
export type { ServerTls } from './tls-files.js';
