/** Configurations of tests, as values. */

/** Every key of the schema, with a value that is not its default. */
export function fullConfig() {
  return {
    listen: ['0.0.0.0:443', '[::1]:8443', ':9443'],
    proxyProtocolFrom: ['10.0.0.0/8', '192.0.2.7', 'fd00::/8'],
    routes: [
      {
        name: 'orders',
        match: {
          serverNames: ['Orders.example.com', '*.orders.example.com'],
          alpn: ['postgresql'],
          protocols: ['POSTGRESQL'],
        },
        passthrough: {},
        backend: {
          targets: ['10.0.0.5:5432', 'db.internal:5432', '[fd00::5]:5432'],
          balance: 'LEAST_CONNECTIONS',
          transport: 'POSTGRES',
          proxyProtocol: true,
          connectTimeout: '1.5s',
          healthCheck: { interval: '10s', timeout: '0.25s' },
        },
        limits: { connections: 500, connectionsPerSource: 20 },
      },
      {
        name: 'web',
        match: { serverNames: ['web.example.com'] },
        terminate: {
          certificates: [{ cert: 'web.pem', key: 'web.key' }],
          clientCertificate: { mode: 'REQUIRE', ca: 'ca.pem' },
          alpn: ['h2', 'http/1.1'],
          minVersion: 'TLSv1.3',
        },
        backend: {
          targets: ['10.0.0.6:443'],
          balance: 'SOURCE',
          transport: 'BACKEND_TLS',
          tls: {
            ca: 'ca.pem',
            cert: 'client.pem',
            key: 'client.key',
            serverName: 'Inner.example.com',
            alpn: ['http/1.1'],
            insecure: false,
          },
        },
      },
    ],
    admin: ':9090',
    log: { level: 'debug', format: 'text' },
    limits: {
      connections: 5000,
      routeTimeout: '3s',
      handshakeTimeout: '4s',
      clientHelloBytes: 8192,
      idleTimeout: '3600s',
      drainTimeout: '60s',
    },
    workers: '3',
  };
}

/** As little as there can be. */
export function smallConfig() {
  return { listen: [':443'], routes: [{ name: 'all', backend: { targets: ['10.0.0.5:5432'] } }] };
}

type Path = readonly (string | number)[];

/** A copy of a configuration with another value at a path; undefined takes the key away. */
export function changed<T>(config: T, path: Path, value: unknown): T {
  const copy = structuredClone(config);
  const last = path.at(-1) as string;
  let node = copy as Record<string, unknown>;
  for (const step of path.slice(0, -1)) {
    node[step] ??= {};
    node = node[step] as Record<string, unknown>;
  }
  if (value === undefined) delete node[last];
  else node[last] = value;
  return copy;
}
