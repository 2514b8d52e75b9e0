import { existsSync } from 'node:fs';
import { dirname } from 'node:path';
import { expect } from 'chai';
import { Redis, type RedisOptions } from 'ioredis';
import { type Certificate, makeCertificate } from '../support/certificates.js';
import { type RedisServer, requirePart, startRedis } from './index.js';
import { isRunning } from './running.js';

const PASSWORD = 'it\'s a "\\ secret';

describe('servers: redis-server', function () {
  this.timeout(60_000);
  let server: RedisServer;
  let tls: Certificate;

  before(async function () {
    requirePart(this, 'redis-server');
    tls = await makeCertificate({ names: ['localhost', '127.0.0.1'] });
    const acl = ['alice on >pw ~alice:* +@all'];
    server = await startRedis({ password: PASSWORD, acl, tls: { ...tls, authClients: 'yes' } });
  });
  after(() => server?.stop());

  /** What a command gives, or the message of its error. */
  async function call(options: RedisOptions, command: string, ...args: string[]): Promise<unknown> {
    const { host, port } = server;
    const redis = new Redis({
      host,
      port,
      lazyConnect: true,
      enableReadyCheck: false,
      retryStrategy: () => null,
      ...options,
    });
    let first: Error | undefined;
    redis.on('error', (error: Error) => {
      first ??= error;
    });
    try {
      await redis.connect();
      return await redis.call(command, ...args);
    } catch (error) {
      return (first ?? (error as Error)).message;
    } finally {
      redis.disconnect();
    }
  }

  it('asks for the password', async () => {
    expect(await call({ password: PASSWORD }, 'ACL', 'WHOAMI')).to.equal('default');
    expect(await call({}, 'PING')).to.match(/^NOAUTH/);
    expect(await call({ path: server.socketPath, password: PASSWORD }, 'PING')).to.equal('PONG');
    expect(await call({ password: PASSWORD }, 'DEBUG', 'PROTOCOL', 'integer')).to.equal(12345);
  });

  it('knows the users of its rules', async () => {
    const alice = { username: 'alice', password: 'pw' };
    expect(await call(alice, 'ACL', 'WHOAMI')).to.equal('alice');
    expect(await call(alice, 'GET', 'bob:1')).to.match(/^NOPERM|No permissions/);
  });

  it('speaks TLS, and checks clients', async () => {
    const { key, cert } = await makeCertificate({ names: ['alice'], usage: 'client' });
    const secure = { port: server.tlsPort, password: PASSWORD };
    expect(await call({ ...secure, tls: { ca: tls.ca, key, cert } }, 'PING')).to.equal('PONG');
    expect(await call({ ...secure, tls: { ca: tls.ca } }, 'PING')).not.to.equal('PONG');
    expect(await call({ ...secure, tls: { key, cert } }, 'PING')).not.to.equal('PONG');
  });

  it('says what it does not understand', async () => {
    const error = await startRedis({ args: ['port many'] }).catch(({ message }: Error) => message);
    expect(error).to.contain('port many');
  });

  it('keeps its ports over a restart, and leaves nothing behind a stop', async () => {
    const before = server.pid as number;
    await server.restart();
    const { pid, socketPath } = server;
    expect(isRunning(before)).to.equal(false);
    expect(await call({ password: PASSWORD }, 'PING')).to.equal('PONG');
    await server.stop();
    expect(isRunning(pid as number)).to.equal(false);
    expect(existsSync(dirname(socketPath))).to.equal(false);
    await server.stop();
  });
});
