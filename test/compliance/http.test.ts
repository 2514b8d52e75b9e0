/** https and http2 servers with a turbo port, and their clients over turbo sockets. */
import { once } from 'node:events';
import * as http2 from 'node:http2';
import * as https from 'node:https';
import { type AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { expect } from 'chai';
import { bytes, digest, digestOf, send } from './bytes.js';
import { type Lab, onEach, sameAsNative, until } from './transports.js';

interface Answer {
  status: number | undefined;
  body: string;
  headers: Record<string, unknown>;
  localPort: number | undefined;
}

/** An https server of the lab, listening. */
function serve(lab: Lab, listener: Parameters<typeof https.createServer>[1], options: https.ServerOptions = {}) {
  const { key, cert } = lab.certificate;
  return lab.listen(lab.adopt(https.createServer({ key, cert, ...options }, listener)));
}

/** An agent whose connections are the lab's. */
function agentFor(lab: Lab, server: https.Server, options: https.AgentOptions = {}): https.Agent {
  const agent = new https.Agent(options);
  agent.createConnection = (asked) => {
    const { servername } = asked as { servername?: string };
    return lab.connect(server, servername ? { servername } : {}) as unknown as Duplex;
  };
  lab.onClose(() => agent.destroy());
  return agent;
}

function request(server: https.Server, agent: https.Agent, options: https.RequestOptions = {}, body?: string) {
  const { port } = server.address() as AddressInfo;
  return new Promise<Answer>((resolve, reject) => {
    const outgoing = https.request({ host: 'localhost', port, agent, ...options }, (response) => {
      const localPort = (response.socket as Socket).localPort;
      let text = '';
      response.setEncoding('utf8').on('data', (chunk) => (text += chunk));
      response.on('error', reject);
      response.on('end', () =>
        resolve({ status: response.statusCode, body: text, headers: response.headers, localPort }),
      );
    });
    outgoing.on('error', reject);
    outgoing.end(body);
  });
}

describe('compliance: https', () => {
  sameAsNative('a request and its answer; who asked is known', async (lab) => {
    const server = await serve(lab, (incoming, answer) => {
      answer.setHeader('x-from', String(incoming.socket.remoteAddress));
      answer.setHeader('x-encrypted', String('encrypted' in incoming.socket));
      answer.end(`${incoming.method} ${incoming.url}`);
    });
    const { status, body, headers } = await request(server, agentFor(lab, server), { path: '/a?b' });
    return { status, body, from: headers['x-from'], encrypted: headers['x-encrypted'] };
  });

  sameAsNative("a listener of 'connection' from before gets the TCP connection, once for each", async (lab) => {
    const { key, cert } = lab.certificate;
    const server = https.createServer({ key, cert }, (_incoming, answer) => void answer.end('answered'));
    const seen: unknown[] = [];
    server.on('connection', (socket: Socket) => {
      seen.push([socket instanceof Socket, socket.remoteAddress, socket.setNoDelay(true) === socket]);
    });
    await lab.listen(lab.adopt(server));
    const { body } = await request(server, agentFor(lab, server));
    return { seen, body };
  });

  sameAsNative('a keep-alive agent uses one connection for many requests', async (lab) => {
    let connections = 0;
    const server = await serve(lab, (incoming, answer) => void incoming.pipe(answer));
    server.on('secureConnection', () => connections++);
    const agent = agentFor(lab, server, { keepAlive: true, maxSockets: 1 });
    const ports = new Set<number | undefined>();
    const bodies = [];
    for (let round = 0; round < 5; round++) {
      const answer = await request(server, agent, { method: 'POST' }, `round ${round}`);
      bodies.push(answer.body);
      ports.add(answer.localPort);
    }
    return { bodies, ports: ports.size, connections };
  });

  sameAsNative('createConnection of a request without an agent', async (lab) => {
    const server = await serve(lab, (_incoming, answer) => void answer.end('alone'));
    const { port } = server.address() as AddressInfo;
    return new Promise((resolve, reject) => {
      const createConnection = () => lab.connect(server);
      https
        .get({ host: 'localhost', port, path: '/there', createConnection }, (response) => {
          response.setEncoding('utf8').on('data', resolve);
        })
        .on('error', reject);
    });
  });

  onEach('four megabytes up and down', async (lab) => {
    const length = 4 * 2 ** 20;
    const server = await serve(lab, (incoming, answer) => void incoming.pipe(answer));
    const { port } = server.address() as AddressInfo;
    const outgoing = https.request({ host: 'localhost', port, agent: agentFor(lab, server), method: 'PUT' });
    const answered = once(outgoing, 'response') as Promise<[import('node:http').IncomingMessage]>;
    const sent = send(outgoing, 'upload', length);
    const [response] = await answered;
    expect(await digest(response)).to.deep.equal(digestOf('upload', length));
    await sent;
  });

  sameAsNative('upgrade: the socket is the caller’s from there on', async (lab) => {
    const server = await serve(lab, () => {});
    server.on('upgrade', (_incoming, socket: Duplex) => {
      socket.write('HTTP/1.1 101 Switching Protocols\r\nUpgrade: echo\r\nConnection: Upgrade\r\n\r\n');
      socket.pipe(socket);
    });
    const { port } = server.address() as AddressInfo;
    const agent = agentFor(lab, server);
    const outgoing = https.get({ host: 'localhost', port, agent, headers: { connection: 'Upgrade', upgrade: 'echo' } });
    const [, socket] = (await once(outgoing, 'upgrade')) as [unknown, Socket];
    socket.write('hello');
    const [chunk] = await once(socket, 'data');
    socket.destroy();
    return String(chunk);
  });

  sameAsNative('what is no HTTP is answered with 400', async (lab) => {
    const server = await serve(lab, () => {});
    const client = lab.connect(server);
    client.end('this is no request\r\n\r\n');
    let said = '';
    for await (const chunk of client) said += chunk;
    return said;
  });

  sameAsNative('keepAliveTimeout closes what is idle', async (lab) => {
    const server = await serve(lab, (_incoming, answer) => void answer.end('once'));
    server.keepAliveTimeout = 50;
    const client = lab.connect(server);
    client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    let said = '';
    for await (const chunk of client) said += chunk;
    return said.split('\r\n')[0];
  });

  sameAsNative('headersTimeout ends a slow head', async (lab) => {
    const server = await serve(lab, () => {}, { headersTimeout: 60, connectionsCheckingInterval: 20 });
    const client = lab.connect(server);
    client.write('GET / HTTP/1.1\r\nHost:');
    let said = '';
    for await (const chunk of client) said += chunk;
    return said.split('\r\n')[0];
  });

  sameAsNative('server.timeout', async (lab) => {
    const server = await serve(lab, () => {});
    server.timeout = 50;
    const timeout = new Promise((resolve) => void server.once('timeout', () => resolve('timeout')));
    const client = lab.connect(server);
    client.resume().write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    const first = await timeout;
    client.destroy();
    return first;
  });

  sameAsNative('close() with an idle keep-alive connection: closeIdleConnections ends it', async (lab) => {
    const server = await serve(lab, (_incoming, answer) => void answer.end('once'));
    server.keepAliveTimeout = 60_000;
    const agent = agentFor(lab, server, { keepAlive: true });
    await request(server, agent);
    const closed = new Promise((resolve) => void server.close(resolve));
    server.closeIdleConnections();
    await closed;
    return 'closed';
  });

  sameAsNative('closeAllConnections ends a request under way', async (lab) => {
    const server = await serve(lab, (_incoming, answer) => void answer.write('never whole'));
    const agent = agentFor(lab, server);
    const outcome = request(server, agent).catch((error: NodeJS.ErrnoException) => error.code);
    await once(server, 'request');
    const closed = new Promise((resolve) => void server.close(resolve));
    server.closeAllConnections();
    await closed;
    return outcome;
  });

  sameAsNative('a client that leaves in the middle: both ends are told', async (lab) => {
    const seen: string[] = [];
    const server = await serve(lab, (incoming, answer) => {
      incoming.on('error', (error: NodeJS.ErrnoException) => seen.push(`incoming ${error.code}`));
      answer.on('close', () => seen.push(`answer closed, ${answer.writableFinished}`));
      answer.write(bytes('part', 1000));
    });
    const { port } = server.address() as AddressInfo;
    const outgoing = https.get({ host: 'localhost', port, agent: agentFor(lab, server) });
    outgoing.on('error', (error: NodeJS.ErrnoException) => seen.push(`outgoing ${error.code}`));
    const [response] = (await once(outgoing, 'response')) as [import('node:http').IncomingMessage];
    response.on('error', (error: NodeJS.ErrnoException) => seen.push(`response ${error.code}`));
    await once(response, 'data');
    outgoing.destroy();
    await until(() => seen.some((event) => event.startsWith('answer')), 'the server is told');
    return seen.sort();
  });
});

/** Node 20 may crash in http2 where a connection is destroyed in mid-transfer: here each one ends by itself. */
describe('compliance: http2', () => {
  function session(lab: Lab, server: http2.Http2SecureServer): http2.ClientHttp2Session {
    const { port } = server.address() as AddressInfo;
    const client = http2.connect(`https://localhost:${port}`, {
      createConnection: () => lab.connect(server, { ALPNProtocols: ['h2'] }),
    });
    client.on('error', () => {});
    return client;
  }

  async function serveHttp2(lab: Lab, options: http2.SecureServerOptions = {}): Promise<http2.Http2SecureServer> {
    const { key, cert } = lab.certificate;
    const server = lab.adopt(http2.createSecureServer({ key, cert, ...options }));
    server.on('stream', (stream, headers) => {
      stream.on('error', () => {});
      stream.respond({ ':status': 200, 'x-path': headers[':path'] });
      stream.pipe(stream);
    });
    return lab.listen(server);
  }

  async function end(client: http2.ClientHttp2Session): Promise<void> {
    client.close();
    await until(() => client.destroyed, 'the session is over');
  }

  onEach('100 streams of 64 KB at once over one connection', async (lab) => {
    const server = await serveHttp2(lab);
    const client = session(lab, server);
    const length = 64 * 1024;
    await Promise.all(
      Array.from({ length: 100 }, async (_, index) => {
        const stream = client.request({ ':method': 'POST', ':path': `/${index}` });
        const echoed = digest(stream);
        await send(stream, `stream ${index}`, length);
        expect(await echoed).to.deep.equal(digestOf(`stream ${index}`, length));
      }),
    );
    await end(client);
  });

  sameAsNative('who asked is known, and by which protocol', async (lab) => {
    const server = await serveHttp2(lab);
    const known = new Promise((resolve) => {
      server.once('session', ({ socket, alpnProtocol, encrypted }) => {
        resolve([socket.remoteAddress, socket.remoteFamily, alpnProtocol, encrypted]);
      });
    });
    const client = session(lab, server);
    const stream = client.request({ ':path': '/who' });
    const ended = once(stream.resume(), 'end');
    stream.end();
    const [headers] = await once(stream, 'response');
    await ended;
    const addresses = [client.socket.remoteAddress, client.encrypted, client.alpnProtocol];
    await end(client);
    return { known: await known, path: headers['x-path'], addresses };
  });

  sameAsNative('HTTP/1 on the same port, where it is allowed', async (lab) => {
    const server = await serveHttp2(lab, { allowHTTP1: true });
    server.on('request', (incoming, answer) => {
      if (incoming.httpVersion === '1.1') answer.end('by HTTP/1');
    });
    const client = lab.connect(server, { ALPNProtocols: ['http/1.1'] });
    client.write('GET / HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n');
    let said = '';
    for await (const chunk of client) said += chunk;
    return [said.split('\r\n')[0], said.endsWith('by HTTP/1') || said.includes('by HTTP/1')];
  });

  sameAsNative('a client that speaks neither', async (lab) => {
    const server = await serveHttp2(lab);
    const client = lab.connect(server, { ALPNProtocols: ['http/1.1'] });
    const seen: unknown[] = [];
    client.on('error', (error: NodeJS.ErrnoException) => seen.push(error.code));
    client.on('data', () => seen.push('data')).on('close', () => seen.push('close'));
    server.on('unknownProtocol', (socket) => {
      seen.push('unknownProtocol');
      socket.destroy();
    });
    client.write('GET / HTTP/1.1\r\nHost: localhost\r\n\r\n');
    await lab.closing(client);
    return new Set(seen);
  });

  sameAsNative('close() of the server lets a session end', async (lab) => {
    const server = await serveHttp2(lab);
    const client = session(lab, server);
    const stream = client.request({ ':method': 'POST', ':path': '/' });
    stream.write('still ');
    await once(stream, 'response');
    const closed = new Promise((resolve) => void server.close(resolve));
    stream.end('here');
    let said = '';
    for await (const chunk of stream) said += chunk;
    await end(client);
    await closed;
    return said;
  });

  sameAsNative('ping, settings and goaway', async (lab) => {
    const server = await serveHttp2(lab);
    const served = once(server, 'session') as Promise<[http2.ServerHttp2Session]>;
    const client = session(lab, server);
    const [serverSession] = await served;
    const pinged = await new Promise((resolve) => {
      client.ping(Buffer.from('12345678'), (error, _duration, payload) => resolve(error ?? String(payload)));
    });
    await new Promise<void>((resolve) => {
      client.settings({ enablePush: false, initialWindowSize: 100_000 }, () => resolve());
    });
    const { initialWindowSize } = serverSession.remoteSettings;
    const goaway = once(client, 'goaway');
    serverSession.goaway(http2.constants.NGHTTP2_NO_ERROR);
    const [code] = await goaway;
    await end(client);
    return { pinged, initialWindowSize, code };
  });
});
