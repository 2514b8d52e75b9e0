/** Services that need a port each without the gateway, behind one, at the same time; and what a second PostgreSQL needs. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { connect as connectHttp2, createSecureServer, type Http2SecureServer } from 'node:http2';
import { type AddressInfo, connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import type { ProxyPlan } from '../../src/gateway/local-proxy.js';
import type { RoutePlan } from '../../src/gateway/plan.js';
import { type CommandEnd, endCommands, runCommand } from '../gateway/commands.js';
import { closeBackends, startEcho } from '../gateway/echo-backend.js';
import {
  closeGateways,
  filesOf,
  type GatewayRig,
  passthrough,
  startGateway,
  terminate,
} from '../gateway/gateway-rig.js';
import { closeRigs, type ProxyRig, startProxy } from '../gateway/proxy-rig.js';
import { MariadbServer, type PostgresServer, requirePart, startPostgres } from '../servers/index.js';
import { type Certificate, makeCertificate } from '../support/certificates.js';
import { ALICE, NAMES, REDIS_PASSWORD, type Servers, startServers } from './line.js';
import { startPostgresProgram } from './programs.js';

const MORE_NAMES = { second: 'pg2.test', grpc: 'grpc.test', echo: 'echo.test', mysql: 'mysql.test' } as const;
const HOST = '127.0.0.1';

describe('e2e: one port for all services', function () {
  this.timeout(60_000);
  let servers: Servers;
  /** Of version 15, which knows no TLS without SSLRequest. */
  let second: PostgresServer;
  let mariadb: MariadbServer;
  let grpc: Http2SecureServer;
  let certificate: Certificate;
  let folder: string;
  let ca: string;

  before(async function () {
    for (const part of ['redis-cli', 'curl', 'mariadbd'] as const) requirePart(this, part);
    servers = await startServers(this, {});
    // Of the same authority as the servers' own.
    certificate = await makeCertificate({ names: Object.values(MORE_NAMES) });
    const tls = await makeCertificate({ names: [HOST], commonName: 'second' });
    second = await startPostgres({ version: 15, tls, users: [ALICE] });
    mariadb = await MariadbServer.start();
    grpc = createSecureServer({ ...certificate });
    grpc.on('stream', (stream) => {
      stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
      stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
      stream.pipe(stream);
    });
    await once(grpc.listen(0, HOST), 'listening');
    folder = await mkdtemp(join(tmpdir(), 'turbotls-services-'));
    ca = join(folder, 'ca.pem');
    await writeFile(ca, certificate.ca);
  });
  afterEach(async () => {
    await endCommands();
    await closeRigs();
    await closeGateways();
    await closeBackends();
  });
  after(async () => {
    grpc?.close();
    await Promise.all([servers?.stop(), second?.stop(), mariadb?.stop()]);
    if (folder) await rm(folder, { recursive: true });
  });

  /** A proxy to the gateway: transparent, or with TLS of its own for a name. */
  function proxyTo({ host, port }: GatewayRig, serverName?: string): Promise<ProxyRig> {
    const mode: ProxyPlan['mode'] =
      serverName === undefined
        ? { kind: 'transparent' }
        : { kind: 'originate', serverName, ca: certificate.ca, verify: true };
    return startProxy({ to: { host, port }, mode });
  }

  async function psql({ port }: ProxyRig, name: string, script: string, more = ''): Promise<CommandEnd> {
    const target = `host=${name} hostaddr=${HOST} port=${port} dbname=postgres user=alice sslmode=verify-full`;
    const args = ['-X', '-A', '-t', '-d', `${target} sslrootcert=${ca} ${more}`, '-c', script];
    return (await startPostgresProgram('psql', args)).ended;
  }

  /** TLS begins in mid-stream there: client and server do without, and the proxy makes it. */
  function mysql({ port }: ProxyRig, script: string): Promise<CommandEnd> {
    const { name, password } = mariadb.user;
    const args = ['--no-defaults', '-h', HOST, '-P', String(port), '-u', name, '--skip-ssl', '-N', '-B', '-e', script];
    return runCommand('mariadb', args, { MYSQL_PWD: password });
  }

  /** The second PostgreSQL: TLS ends at the gateway, which makes TLS of its own behind SSLRequest. */
  function toSecond(shown: Certificate): RoutePlan {
    const tls = { ca, cert: undefined, key: undefined, serverName: undefined, alpn: [], verify: true };
    return terminate('second', [second], {
      match: { serverNames: [MORE_NAMES.second] },
      mode: { certificates: [filesOf(shown)], alpn: ['postgresql'] },
      backend: { transport: 'postgres-tls', tls },
    });
  }

  it('two PostgreSQL, Redis, HTTPS, gRPC, a TCP service, and MySQL by a proxy that makes TLS for it', async () => {
    const echo = await startEcho();
    const { postgres, redis, nginx } = servers;
    const named = (name: string) => ({ serverNames: [name] });
    const mode = { certificates: [filesOf(certificate)] };
    const gateway = await startGateway([
      passthrough('postgres', [postgres], { match: named(NAMES.postgres), backend: { transport: 'postgres' } }),
      toSecond(certificate),
      passthrough('web', [{ host: HOST, port: nginx.tlsPort }], { match: named(NAMES.web) }),
      passthrough('grpc', [{ host: HOST, port: (grpc.address() as AddressInfo).port }], {
        match: { ...named(MORE_NAMES.grpc), alpn: ['h2'] },
      }),
      terminate('echo', [echo], { match: named(MORE_NAMES.echo), mode }),
      terminate('mysql', [mariadb], { match: named(MORE_NAMES.mysql), mode }),
      // redis-cli names no server unless it is told to.
      passthrough('redis', [{ host: HOST, port: redis.tlsPort }]),
    ]);
    const proxy = await proxyTo(gateway);
    const [toEcho, toMysql] = [await proxyTo(gateway, MORE_NAMES.echo), await proxyTo(gateway, MORE_NAMES.mysql)];

    async function said(end: Promise<CommandEnd>): Promise<string> {
      const { code, stdout, stderr } = await end;
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
      return stdout;
    }
    const portOf = 'SHOW port';
    const answers = await Promise.all([
      said(psql(proxy, NAMES.postgres, portOf)),
      said(psql(proxy, MORE_NAMES.second, portOf, 'channel_binding=disable')),
      said(
        runCommand('redis-cli', ['-h', HOST, '-p', String(proxy.port), '--tls', '--cacert', ca, 'PING'], {
          REDISCLI_AUTH: REDIS_PASSWORD,
        }),
      ),
      said(
        runCommand('curl', [
          ...['--silent', '--show-error', '--cacert', ca, '--connect-to', `${NAMES.web}:443:${HOST}:${proxy.port}`],
          `https://${NAMES.web}/request`,
        ]),
      ),
      callGrpc(proxy.port, certificate.ca),
      exchange(toEcho.port, 'to be echoed'),
      said(mysql(toMysql, 'SELECT @@port')),
    ]);
    expect(answers).to.deep.equal([
      `${postgres.port}\n`,
      `${second.port}\n`,
      'PONG\n',
      `GET ${NAMES.web} HTTP/2.0 https\n`,
      { said: 'a message', status: '0' },
      'to be echoed',
      `${mariadb.port}\n`,
    ]);
    const ends = await gateway.ended(7);
    expect(ends.map(({ route }) => route)).to.have.members(gateway.gateway.state.routes.map(({ name }) => name));
    expect(new Set(ends.map(({ carrier }) => carrier))).to.deep.equal(new Set(['turbo']));
  });

  describe('SCRAM with channel binding, where TLS ends at the gateway and goes on from there', () => {
    it('works where the gateway shows the certificate of the server', async () => {
      const both = await makeCertificate({ names: [MORE_NAMES.second, HOST] });
      await second.setTls(both);
      const proxy = await proxyTo(await startGateway([toSecond(both)]));
      const { code, stdout, stderr } = await psql(proxy, MORE_NAMES.second, 'SELECT 1', 'channel_binding=require');
      expect({ code, stdout, stderr }).to.deep.equal({ code: 0, stdout: '1\n', stderr: '' });
    });

    it('fails where it shows another, unless the client does without', async () => {
      const proxy = await proxyTo(await startGateway([toSecond(certificate)]));
      const { code, stderr } = await psql(proxy, MORE_NAMES.second, 'SELECT 1');
      expect(code).to.equal(2);
      expect(stderr).to.match(/FATAL: {2}SCRAM channel binding check failed/);
      const without = await psql(proxy, MORE_NAMES.second, 'SELECT 1', 'channel_binding=disable');
      expect(without).to.deep.equal({ code: 0, stdout: '1\n', stderr: '' });
    });
  });
});

/** One call of a stream of messages, as gRPC makes them: the status comes in the trailers. */
async function callGrpc(port: number, ca: string): Promise<{ said: string; status: unknown }> {
  const session = connectHttp2(`https://${HOST}:${port}`, { servername: MORE_NAMES.grpc, ca });
  const stream = session.request({ ':method': 'POST', ':path': '/echo.Echo/Say', 'content-type': 'application/grpc' });
  const trailers = once(stream, 'trailers');
  let said = '';
  stream.setEncoding('utf8').on('data', (text: string) => {
    said += text;
  });
  stream.end('a message');
  await once(stream, 'close');
  session.close();
  await once(session, 'close');
  return { said, status: (await trailers)[0]['grpc-status'] };
}

/** What comes back until the end. */
async function exchange(port: number, text: string): Promise<string> {
  const socket = connect({ host: HOST, port });
  socket.end(text);
  let said = '';
  socket.setEncoding('utf8').on('data', (more: string) => {
    said += more;
  });
  await once(socket, 'close');
  return said;
}
