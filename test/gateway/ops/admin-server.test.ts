import { once } from 'node:events';
import { request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { expect } from 'chai';
import type { GatewayState } from '../../../src/gateway/gateway.js';
import { AdminServer, Metrics, type ReadinessScope, readinessOf } from '../../../src/gateway/ops/index.js';
import type { HostAddress } from '../../../src/transport.js';
import { stateOf } from './events.js';

describe('gateway admin server', () => {
  let state: GatewayState;
  let server: AdminServer;
  let address: HostAddress;
  const readiness = (scope: ReadinessScope) => readinessOf(state, scope);

  beforeEach(async () => {
    state = stateOf();
    server = new AdminServer({ metrics: new Metrics(() => state), readiness });
    address = await server.listen({ host: '127.0.0.1', port: 0 });
  });
  afterEach(() => server.close());

  const get = async (path: string, init?: RequestInit) => {
    const response = await fetch(`http://${address.host}:${address.port}${path}`, init);
    return { status: response.status, type: response.headers.get('content-type'), body: await response.text() };
  };

  /** What comes back for bytes that no client would send. */
  const exchange = async (bytes: string): Promise<string> => {
    const socket = connect(address);
    socket.write(bytes);
    const chunks: Buffer[] = [];
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', () => {});
    await once(socket, 'close');
    return Buffer.concat(chunks).toString();
  };

  it('gives metrics as Prometheus reads them', async () => {
    const { status, type, body } = await get('/metrics');
    expect(status).to.equal(200);
    expect(type).to.match(/^text\/plain; version=0\.0\.4/);
    expect(body).to.include('\nturbotls_connections{route="orders"} 3\n');
  });

  it('is healthy while the process runs, whatever the backends do', async () => {
    state = stateOf({ phase: 'draining', listening: [] });
    expect(await get('/healthz')).to.deep.include({ status: 200, body: 'ok\n' });
  });

  it('is ready while it listens and each route has a target that is up', async () => {
    const [orders] = stateOf().routes;
    const [up, down] = orders?.targets ?? [];
    if (!orders || !up || !down) throw new Error('no targets');
    expect(await get('/readyz')).to.deep.include({ status: 200, body: 'ready\n' });

    state = stateOf({ routes: [orders, { ...orders, name: 'web', targets: [down] }] });
    expect(await get('/readyz')).to.deep.include({ status: 503, body: 'route web: no target is up\n' });
    expect(await get('/readyz/listening')).to.deep.include({ status: 200, body: 'ready\n' });

    for (const phase of ['new', 'draining', 'closed'] as const) {
      state = stateOf({ phase });
      for (const path of ['/readyz', '/readyz/listening']) {
        expect(await get(path)).to.deep.include({ status: 503, body: `the gateway is ${phase}\n` });
      }
    }
    state = stateOf({ listening: [] });
    expect(await get('/readyz')).to.deep.include({ status: 503, body: 'no address is listened on\n' });
  });

  it('knows GET and HEAD, and four pages', async () => {
    expect((await get('/')).status).to.equal(404);
    expect((await get('/metrics/x')).status).to.equal(404);
    expect((await get('/__proto__')).status).to.equal(404);
    expect((await get('/healthz?verbose=1')).status).to.equal(200);
    expect((await get('/healthz', { method: 'POST', body: 'x' })).status).to.equal(405);
    const head = await get('/metrics', { method: 'HEAD' });
    expect(head).to.include({ status: 200, body: '' });
  });

  it('answers when its sources fail', async () => {
    state = undefined as unknown as GatewayState;
    expect(await get('/metrics')).to.include({ status: 500, body: 'internal error\n' });
    expect(await get('/readyz')).to.include({ status: 500 });
    expect((await get('/healthz')).status).to.equal(200);
  });

  it('waits for sources that are in other processes, and answers when those fail', async () => {
    let answer: Promise<unknown> = Promise.resolve('of many\n');
    const ofOthers = new AdminServer({
      metrics: { contentType: 'text/plain; version=0.0.4', text: () => answer as Promise<string> },
      readiness: (scope) => answer.then(() => ({ ready: scope === 'listening', lines: [`asked for ${scope}`] })),
    });
    address = await ofOthers.listen({ host: '127.0.0.1', port: 0 });
    try {
      expect(await get('/metrics')).to.deep.equal({
        status: 200,
        type: 'text/plain; version=0.0.4',
        body: 'of many\n',
      });
      expect(await get('/readyz')).to.deep.include({ status: 503, body: 'asked for all\n' });
      expect(await get('/readyz/listening')).to.deep.include({ status: 200, body: 'asked for listening\n' });
      answer = Promise.reject(new Error('gone'));
      answer.catch(() => {});
      for (const path of ['/metrics', '/readyz', '/readyz/listening'])
        expect(await get(path)).to.include({ status: 500 });
      expect((await get('/healthz')).status).to.equal(200);
    } finally {
      await ofOthers.close();
    }
  });

  it('reads no long requests and no bodies', async () => {
    expect(await exchange(`GET /healthz HTTP/1.1\r\nhost: a\r\nx: ${'x'.repeat(9000)}\r\n\r\n`)).to.match(
      /^HTTP\/1.1 431 /,
    );
    expect(await exchange(`GET /${'x'.repeat(9000)} HTTP/1.1\r\nhost: a\r\n\r\n`)).to.match(/^HTTP\/1.1 431 /);
    expect(await exchange('POST /healthz HTTP/1.1\r\nhost: a\r\ncontent-length: 1000000\r\n\r\nxxx')).to.match(
      /^HTTP\/1.1 405 [\s\S]*connection: close/i,
    );
    expect(await exchange('\x16\x03\x01\x02\x00')).to.match(/^HTTP\/1.1 400 /);
  });

  it('does not wait for those who say nothing', async function () {
    this.timeout(30_000);
    const half = exchange('GET /healthz HTTP/1.1\r\nhost:');
    const kept = exchange('GET /healthz HTTP/1.1\r\nhost: a\r\n\r\n');
    expect(await half).to.match(/^(HTTP\/1.1 408 |$)/);
    expect(await kept).to.match(/^HTTP\/1.1 200 /);
  });

  it('holds 64 connections and drops the others', async () => {
    const sockets = Array.from({ length: 80 }, () => connect(address));
    for (const socket of sockets) socket.on('error', () => {});
    let dropped = 0;
    const sixteen = new Promise<void>((resolve) => {
      for (const socket of sockets) socket.on('close', () => ++dropped === 16 && resolve());
    });
    await sixteen;
    for (const socket of sockets) socket.destroy();
  });

  it('closes with connections open', async () => {
    const request = httpRequest({
      ...address,
      path: '/healthz',
      agent: false,
      headers: { connection: 'keep-alive' },
    }).end();
    const [response] = await once(request, 'response');
    response.resume();
    await once(response, 'end');
    const half = connect(address);
    half.on('error', () => {});
    half.write('GET /healthz HTTP/1.1\r\n');
    await get('/healthz');
    await server.close();
    await server.close();
    const refusal = await get('/healthz').catch((error: Error) => error);
    expect(refusal).to.be.instanceOf(Error);
  });

  it('says which address it cannot have', async () => {
    const second = new AdminServer({ metrics: new Metrics(() => state), readiness });
    const error = await second.listen(address).catch((each: unknown) => each);
    expect(error).to.include({ code: 'ERR_GATEWAY_LISTEN' }).and.have.nested.property('cause.code', 'EADDRINUSE');
    expect((error as Error).message).to.include(`admin: 127.0.0.1:${address.port}`);
    await second.close();
  });
});
