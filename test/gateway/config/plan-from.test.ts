import { join } from 'node:path';
import { expect } from 'chai';
import * as fc from 'fast-check';
import { ConfigError, type ConfigProblem, planFrom, problemText } from '../../../src/gateway/config/index.js';
import { holds } from '../../support/property.js';
import { changed, fullConfig, smallConfig } from './examples.js';
import { type Folder, makeFiles } from './files.js';

describe('gateway configuration: what it means', () => {
  let files: Folder;
  before(async () => {
    files = await makeFiles();
  });
  after(() => files.remove());

  const problemsOf = (json: unknown): readonly ConfigProblem[] => {
    try {
      planFrom(json, files.path);
      return [];
    } catch (error) {
      expect(error).to.be.instanceOf(ConfigError).with.property('code', 'ERR_GATEWAY_CONFIG');
      return (error as ConfigError).problems;
    }
  };

  it('takes every key', () => {
    const { proxyProtocolFrom, ...plan } = planFrom(fullConfig(), files.path);
    expect(plan).to.deep.equal({
      listen: [
        { host: '0.0.0.0', port: 443 },
        { host: '::1', port: 8443 },
        { host: '::', port: 9443 },
      ],
      routes: [
        {
          name: 'orders',
          match: {
            serverNames: ['orders.example.com', '*.orders.example.com'],
            alpn: ['postgresql'],
            protocols: ['postgresql'],
          },
          mode: { kind: 'passthrough' },
          backend: {
            targets: [
              { host: '10.0.0.5', port: 5432 },
              { host: 'db.internal', port: 5432 },
              { host: 'fd00::5', port: 5432 },
            ],
            balance: 'least-connections',
            transport: 'postgres',
            tls: undefined,
            proxyProtocol: true,
            connectTimeoutMs: 1500,
            health: { intervalMs: 10_000, timeoutMs: 250 },
          },
          limits: { connections: 500, connectionsPerSource: 20 },
        },
        {
          name: 'web',
          match: { serverNames: ['web.example.com'], alpn: [], protocols: [] },
          mode: {
            kind: 'terminate',
            certificates: [{ cert: join(files.path, 'web.pem'), key: join(files.path, 'web.key') }],
            clientCertificate: { mode: 'require', ca: join(files.path, 'ca.pem') },
            alpn: ['h2', 'http/1.1'],
            minVersion: 'TLSv1.3',
          },
          backend: {
            targets: [{ host: '10.0.0.6', port: 443 }],
            balance: 'source',
            transport: 'tls',
            tls: {
              ca: join(files.path, 'ca.pem'),
              cert: join(files.path, 'client.pem'),
              key: join(files.path, 'client.key'),
              serverName: 'inner.example.com',
              alpn: ['http/1.1'],
              verify: true,
            },
            proxyProtocol: false,
            connectTimeoutMs: 5000,
            health: undefined,
          },
          limits: { connections: 5000, connectionsPerSource: 1000 },
        },
      ],
      admin: { host: '127.0.0.1', port: 9090 },
      log: { level: 'debug', format: 'text' },
      limits: {
        connections: 5000,
        routeTimeoutMs: 3000,
        handshakeTimeoutMs: 4000,
        clientHelloBytes: 8192,
        idleTimeoutMs: 3_600_000,
        drainTimeoutMs: 60_000,
      },
      workers: 3,
    });
    expect(proxyProtocolFrom.check('10.9.9.9')).to.equal(true);
    expect(proxyProtocolFrom.check('192.0.2.7')).to.equal(true);
    expect(proxyProtocolFrom.check('192.0.2.8')).to.equal(false);
    expect(proxyProtocolFrom.check('fd12::1', 'ipv6')).to.equal(true);
  });

  it('has a default for everything that may be left out', () => {
    const { proxyProtocolFrom, ...plan } = planFrom(smallConfig(), files.path);
    expect(plan).to.deep.equal({
      listen: [{ host: '::', port: 443 }],
      routes: [
        {
          name: 'all',
          match: { serverNames: [], alpn: [], protocols: [] },
          mode: { kind: 'passthrough' },
          backend: {
            targets: [{ host: '10.0.0.5', port: 5432 }],
            balance: 'round-robin',
            transport: 'plain',
            tls: undefined,
            proxyProtocol: false,
            connectTimeoutMs: 5000,
            health: undefined,
          },
          limits: { connections: 10_000, connectionsPerSource: 1000 },
        },
      ],
      admin: undefined,
      log: { level: 'info', format: process.stdout.isTTY ? 'text' : 'json' },
      limits: {
        connections: 10_000,
        routeTimeoutMs: 10_000,
        handshakeTimeoutMs: 10_000,
        clientHelloBytes: 16_384,
        idleTimeoutMs: 0,
        drainTimeoutMs: 30_000,
      },
      workers: undefined,
    });
    expect(proxyProtocolFrom.rules).to.deep.equal([]);
  });

  it('has defaults within sections that are there and empty', () => {
    const [, web] = planFrom(
      changed(
        changed(
          changed(fullConfig(), ['routes', 1, 'backend', 'tls'], {}),
          ['routes', 1, 'backend', 'healthCheck'],
          {},
        ),
        ['routes', 1, 'terminate', 'clientCertificate'],
        {},
      ),
      files.path,
    ).routes;
    expect(web?.backend.tls).to.deep.equal({
      ca: undefined,
      cert: undefined,
      key: undefined,
      serverName: undefined,
      alpn: [],
      verify: true,
    });
    expect(web?.backend.health).to.deep.equal({ intervalMs: 5000, timeoutMs: 2000 });
    expect(web?.mode).to.deep.include({ clientCertificate: { mode: 'none' } });
  });

  it('verifies backends unless it is told in so many words not to', () => {
    const tlsOf = (json: unknown) => planFrom(json, files.path).routes[1]?.backend.tls;
    const insecure = changed(
      changed(fullConfig(), ['routes', 1, 'backend', 'tls', 'insecure'], true),
      ['routes', 1, 'backend', 'tls', 'ca'],
      undefined,
    );
    expect(tlsOf(insecure)?.verify).to.equal(false);
    expect(tlsOf(changed(fullConfig(), ['routes', 1, 'backend', 'tls'], undefined))?.verify).to.equal(true);
  });

  /** One change to a configuration that is fine: where, what, the path that must be blamed, what must be said. */
  const mistakes: [at: string, value: unknown, blamed: string, says: string][] = [
    ['listen', undefined, 'listen', 'is missing'],
    ['listen', [], 'listen', 'is missing'],
    ['listen', ['443'], 'listen[0]', 'must be "host:port", "[v6]:port" or ":port"'],
    ['listen', ['::1:443'], 'listen[0]', 'must be "host:port"'],
    ['listen', ['[10.0.0.1]:443'], 'listen[0]', 'neither a host name nor an IP address'],
    ['listen', ['256.0.0.1:443'], 'listen[0]', 'neither a host name nor an IP address'],
    ['listen', ['host name:443'], 'listen[0]', 'neither a host name nor an IP address'],
    ['listen', [':65536'], 'listen[0]', 'from 0 to 65535'],
    ['listen', [':443', '[::]:443'], 'listen[1]', 'twice'],
    ['proxyProtocolFrom', ['10.0.0.0/33'], 'proxyProtocolFrom[0]', 'must be a network'],
    ['proxyProtocolFrom', ['example.com'], 'proxyProtocolFrom[0]', 'must be a network'],
    ['proxyProtocolFrom', ['10.0.0.0/'], 'proxyProtocolFrom[0]', 'must be a network'],
    ['routes', undefined, 'routes', 'is missing'],
    ['routes', [], 'routes', 'is missing'],
    ['routes.0.name', undefined, 'routes[0].name', 'is missing'],
    ['routes.0.name', 'a b', 'routes[0].name', 'must be letters'],
    ['routes.0.name', '', 'routes[0].name', 'must be letters'],
    ['routes.1.name', 'orders', 'routes[1].name', 'is the name of routes[0] already'],
    ['routes.0.match.serverNames', ['10.0.0.5'], 'routes[0].match.serverNames[0]', 'is an IP address'],
    ['routes.0.match.serverNames', ['a.example.com.'], 'routes[0].match.serverNames[0]', 'must not end with a dot'],
    ['routes.0.match.serverNames', ['*'], 'routes[0].match.serverNames[0]', 'leave serverNames out'],
    ['routes.0.match.serverNames', ['a.*.com'], 'routes[0].match.serverNames[0]', 'is no server name'],
    ['routes.0.match.serverNames', ['bücher.example'], 'routes[0].match.serverNames[0]', 'xn--bcher-kva.example'],
    ['routes.0.match.serverNames', ['a.com', 'A.com'], 'routes[0].match.serverNames[1]', 'twice'],
    ['routes.0.match.serverNames', [`${'a'.repeat(64)}.com`], 'routes[0].match.serverNames[0]', 'is no server name'],
    ['routes.0.match.alpn', [''], 'routes[0].match.alpn[0]', 'is no protocol name'],
    ['routes.0.match.alpn', ['h'.repeat(256)], 'routes[0].match.alpn[0]', 'is no protocol name'],
    ['routes.0.match.protocols', ['TLS'], 'routes[0].match.protocols', 'matches nobody'],
    ['routes.0.match.protocols', ['postgres'], 'routes[0].match.protocols[0]', 'did you mean POSTGRESQL?'],
    [
      'routes.0.match',
      { serverNames: ['web.example.com'] },
      'routes[1].match',
      'matches the same as routes[0] ("orders")',
    ],
    ['routes.1.passthrough', {}, 'routes[1].terminate', 'cannot be beside passthrough'],
    ['routes.1.terminate.certificates', undefined, 'routes[1].terminate.certificates', 'is missing'],
    ['routes.1.terminate.certificates', [], 'routes[1].terminate.certificates', 'is missing'],
    ['routes.1.terminate.certificates.0.key', undefined, 'routes[1].terminate.certificates[0].key', 'is missing'],
    ['routes.1.terminate.certificates.0.cert', undefined, 'routes[1].terminate.certificates[0].cert', 'is missing'],
    ['routes.1.terminate.certificates.0.cert', 'no.pem', 'routes[1].terminate.certificates[0].cert', 'ENOENT'],
    ['routes.1.terminate.certificates.0.cert', '.', 'routes[1].terminate.certificates[0].cert', 'it is not a file'],
    [
      'routes.1.terminate.certificates.0.cert',
      'web.key',
      'routes[1].terminate.certificates[0].cert',
      'has no certificate',
    ],
    [
      'routes.1.terminate.certificates.0.key',
      'web.pem',
      'routes[1].terminate.certificates[0].key',
      'has no private key',
    ],
    [
      'routes.1.terminate.certificates.0.key',
      'client.key',
      'routes[1].terminate.certificates[0].key',
      'is not the key of the certificate',
    ],
    ['routes.1.terminate.clientCertificate.ca', undefined, 'routes[1].terminate.clientCertificate.ca', 'is missing'],
    [
      'routes.1.terminate.clientCertificate.ca',
      'web.key',
      'routes[1].terminate.clientCertificate.ca',
      'has no certificate',
    ],
    ['routes.1.terminate.clientCertificate.mode', 'NONE', 'routes[1].terminate.clientCertificate.ca', 'has no effect'],
    [
      'routes.1.terminate.clientCertificate.mode',
      undefined,
      'routes[1].terminate.clientCertificate.ca',
      'has no effect',
    ],
    ['routes.1.terminate.minVersion', 'TLSv1.1', 'routes[1].terminate.minVersion', 'must be "TLSv1.2" or "TLSv1.3"'],
    ['routes.1.match.alpn', ['grpc'], 'routes[1].terminate.alpn', 'has nothing of match.alpn'],
    ['routes.0.backend', undefined, 'routes[0].backend.targets', 'is missing'],
    ['routes.0.backend.targets', [], 'routes[0].backend.targets', 'is missing'],
    ['routes.0.backend.targets', ['db'], 'routes[0].backend.targets[0]', 'must be "host:port" or "[v6]:port"'],
    ['routes.0.backend.targets', [':5432'], 'routes[0].backend.targets[0]', 'must be "host:port" or "[v6]:port"'],
    ['routes.0.backend.targets', ['db:0'], 'routes[0].backend.targets[0]', 'from 1 to 65535'],
    ['routes.0.backend.targets', ['db:5432', 'db:5432'], 'routes[0].backend.targets[1]', 'twice'],
    [
      'routes.0.backend.targets',
      ['db:5432', '127.0.0.1:443'],
      'routes[0].backend.targets[1]',
      'the gateway itself listens',
    ],
    ['routes.0.backend.targets', ['localhost:8443'], 'routes[0].backend.targets[0]', 'the gateway itself listens'],
    ['routes.0.backend.targets', ['[::1]:9443'], 'routes[0].backend.targets[0]', 'the gateway itself listens'],
    ['routes.0.backend.transport', 'BACKEND_TLS', 'routes[0].backend.transport', 'TLS into TLS'],
    ['routes.0.backend.transport', 'POSTGRES_TLS', 'routes[0].backend.transport', 'TLS into TLS'],
    [
      'routes.1.backend',
      { targets: ['db:1'], transport: 'POSTGRES' },
      'routes[1].backend.transport',
      'that ends here already',
    ],
    ['routes.1.backend.transport', 'PLAIN', 'routes[1].backend.tls', 'has no effect'],
    ['routes.0.backend.tls', {}, 'routes[0].backend.tls', 'has no effect'],
    ['routes.1.backend.tls.key', undefined, 'routes[1].backend.tls.key', 'is missing'],
    ['routes.1.backend.tls.cert', undefined, 'routes[1].backend.tls.cert', 'is missing'],
    ['routes.1.backend.tls.ca', 'no.pem', 'routes[1].backend.tls.ca', 'ENOENT'],
    ['routes.1.backend.tls.insecure', true, 'routes[1].backend.tls.ca', 'has no effect beside insecure'],
    ['routes.1.backend.tls.serverName', '*.example.com', 'routes[1].backend.tls.serverName', 'is no server name'],
    ['routes.0.backend.connectTimeout', '0s', 'routes[0].backend.connectTimeout', 'at least 1 ms'],
    ['routes.0.backend.connectTimeout', '2147484s', 'routes[0].backend.connectTimeout', 'what a timer can wait'],
    [
      'routes.0.backend.healthCheck.timeout',
      '11s',
      'routes[0].backend.healthCheck.timeout',
      'not be longer than interval',
    ],
    ['routes.0.limits.connections', 0, 'routes[0].limits.connections', 'must be from 1'],
    ['limits.clientHelloBytes', 100, 'limits.clientHelloBytes', 'must be from 512'],
    ['limits.idleTimeout', '0.0001s', 'limits.idleTimeout', 'must be 0 or at least 1 ms'],
    ['admin', '9090', 'admin', 'must be "host:port"'],
    ['admin', '0.0.0.0:443', 'admin', 'is one of the addresses of listen'],
    ['log.level', 'verbose', 'log.level', 'must be "error", "warn", "info" or "debug"'],
    ['log.format', 'xml', 'log.format', 'must be "json" or "text"'],
  ];

  for (const [at, value, blamed, says] of mistakes) {
    it(`refuses ${at}: ${JSON.stringify(value) ?? 'nothing'}`, () => {
      const path = at.split('.').map((step) => (/^\d+$/.test(step) ? Number(step) : step));
      const problems = problemsOf(changed(fullConfig(), path, value));
      expect(problems.map(problemText).join('\n')).to.equal(`${blamed}: ${problems[0]?.message}`);
      expect(problems[0]?.message).to.include(says);
    });
  }

  it('reports all at once, and nothing that only follows from something else', () => {
    const problems = problemsOf({
      listen: [':443', ':x'],
      routs: [],
      routes: [
        { name: 1, match: { serverNames: ['*'] }, backend: 'db:1' },
        { name: 'b', match: { serverNames: [] }, backend: { targets: ['db:1', 5] } },
      ],
      limits: [],
    });
    expect(problems.map(({ path }) => path)).to.have.members([
      'listen[1]',
      'routs',
      'routes[0].name',
      'routes[0].match.serverNames[0]',
      'routes[0].backend',
      'routes[1].backend.targets[1]',
      'limits',
    ]);
  });

  it('says all of it in the message of the error', () => {
    expect(() => planFrom({ listen: 5 }, '/')).to.throw(
      ConfigError,
      'The configuration cannot be used: the value given\n  listen: must be a list, not 5\n  routes: is missing',
    );
  });

  it('takes port 0 where a port is opened, any number of times', () => {
    const config = { ...smallConfig(), listen: ['127.0.0.1:0'], admin: '127.0.0.1:0' };
    expect(planFrom(config, '/')).to.deep.include({
      listen: [{ host: '127.0.0.1', port: 0 }],
      admin: { host: '127.0.0.1', port: 0 },
    });
  });

  it('does not take a backend on the same port of another machine for itself', () => {
    const config = changed(smallConfig(), ['routes', 0, 'backend', 'targets'], ['192.0.2.1:443', 'db.example.com:443']);
    expect(problemsOf(config)).to.deep.equal([]);
  });

  it('throws nothing but ConfigError, whatever it is given', () => {
    const paths: (string | number)[][] = [];
    const collect = (node: unknown, path: (string | number)[]) => {
      if (path.length > 0) paths.push(path);
      if (typeof node !== 'object' || node === null) return;
      for (const [key, value] of Object.entries(node))
        collect(value, [...path, Array.isArray(node) ? Number(key) : key]);
    };
    collect(fullConfig(), []);
    const change = fc.tuple(fc.constantFrom(...paths), fc.jsonValue({ maxDepth: 2 }));
    holds(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        let config: unknown = fullConfig();
        for (const [path, value] of changes) {
          // A change may have taken away what another would change.
          try {
            config = changed(config, path, value);
          } catch {}
        }
        for (const problem of problemsOf(config)) expect(problem.message).to.not.equal('');
      }),
      { numRuns: 500 },
    );
    holds(fc.property(fc.jsonValue(), (json) => void problemsOf(json)));
  }).timeout(60_000);
});
