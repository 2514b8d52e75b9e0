/** `turbotls gateway` as a program: options, reload, drain, metrics. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tls from 'node:tls';
import { expect } from 'chai';
import { connect as connectTurbo } from '../../src/experimental.js';
import { answerTo, secured } from '../gateway/clients.js';
import { closeRigs, startTls } from '../gateway/proxy-rig.js';
import { type Certificate, makeCertificate } from '../support/certificates.js';
import { endPrograms, portOf, runTurbotls, startTurbotls } from './turbotls.js';

describe('cli: turbotls gateway', function () {
  this.timeout(30_000);
  let certificate: Certificate;
  let folder: string;
  const sockets = new Set<Socket>();

  before(async () => {
    certificate = await makeCertificate({ names: ['localhost', '127.0.0.1'] });
    folder = await mkdtemp(join(tmpdir(), 'turbotls-gateway-'));
    await writeFile(join(folder, 'cert.pem'), certificate.cert);
    await writeFile(join(folder, 'key.pem'), certificate.key);
  });
  after(() => rm(folder, { recursive: true, force: true }));
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    await endPrograms();
    await closeRigs();
  });

  async function secure(
    port: number,
    options: tls.ConnectionOptions = {},
    connect: typeof connectTurbo | typeof tls.connect = connectTurbo,
  ): Promise<tls.TLSSocket> {
    const client = connect({ host: '127.0.0.1', port, servername: 'localhost', ca: certificate.ca, ...options });
    sockets.add(client);
    client.on('error', () => {});
    return secured(client);
  }

  /** A server that says who it is. */
  function named(name: string): ReturnType<typeof startTls> {
    return startTls({ ...certificate }, (socket) => socket.on('data', () => socket.write(name)));
  }

  it('serves one backend by options, and drains at SIGTERM', async () => {
    const backend = await startTls({ ...certificate });
    const gateway = startTurbotls('gateway', '--listen', '127.0.0.1:0', '--to', `tls://127.0.0.1:${backend.port}`);
    // A session over UDP that TCP did not claim would be waited for.
    const client = await secure(await portOf(gateway), {}, tls.connect);
    expect(await answerTo(client, 'hello')).to.equal('hello');
    gateway.process.kill('SIGTERM');
    await gateway.said(/"connections":1,"deadlineMs":30000,"msg":"draining"/);
    expect(await answerTo(client, 'still here')).to.equal('still here');
    client.end();
    const { code, stdout, stderr } = await gateway.ended;
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
    expect(stdout).to.match(/"route":"default","mode":"passthrough".*"msg":"connection"/);
  });

  it('ends TLS here by options', async () => {
    const plain = createServer((socket) => socket.pipe(socket)).listen(0, '127.0.0.1');
    await once(plain, 'listening');
    const { port: backend } = plain.address() as AddressInfo;
    const files = ['--cert', join(folder, 'cert.pem'), '--key', join(folder, 'key.pem')];
    const to = ['--to', `127.0.0.1:${backend}`, '--alpn', 'h2,redis'];
    const gateway = startTurbotls('gateway', '--listen', '127.0.0.1:0', ...to, ...files);
    const client = await secure(await portOf(gateway), { ALPNProtocols: ['redis'] });
    expect(client.alpnProtocol).to.equal('redis');
    expect(await answerTo(client, 'hello')).to.equal('hello');
    client.destroy();
    plain.close();
  });

  for (const how of ['SIGHUP', 'a change of the file'] as const) {
    it(`puts another configuration in force by ${how}, and drops no connection`, async () => {
      const [one, two] = [await named('one'), await named('two')];
      const path = join(folder, `${how.length}.yaml`);
      const config = (target: number, more = '') =>
        writeFile(
          path,
          `listen: ["127.0.0.1:0"]\nroutes:\n  - name: r\n    backend: { targets: ["127.0.0.1:${target}"] }\n${more}`,
        );
      await config(one.port);
      const gateway = startTurbotls('gateway', '--config', path);
      const port = await portOf(gateway);
      const before = await secure(port);
      expect(await answerTo(before, 'who')).to.equal('one');
      await config(two.port);
      if (how === 'SIGHUP') gateway.process.kill('SIGHUP');
      await gateway.said(/configuration in force/);
      expect(await answerTo(await secure(port), 'who')).to.equal('two');
      expect(await answerTo(before, 'who')).to.equal('one');
      await config(one.port, 'colour: red\n');
      if (how === 'SIGHUP') gateway.process.kill('SIGHUP');
      await gateway.said(/"problem":"line 5: colour: .*"msg":"configuration not usable, the one before stays"/);
      expect(await answerTo(await secure(port), 'who')).to.equal('two');
    });
  }

  it('has metrics and health where it is told to', async () => {
    const backend = await startTls({ ...certificate });
    const to = ['--to', `127.0.0.1:${backend.port}`, '--admin', '127.0.0.1:0'];
    const gateway = startTurbotls('gateway', '--listen', '127.0.0.1:0', ...to);
    const [, admin] = await gateway.said(/"address":"127\.0\.0\.1:(\d+)","msg":"admin"/);
    const client = await secure(await portOf(gateway));
    await answerTo(client, 'hello');
    const ready = await fetch(`http://127.0.0.1:${admin}/readyz`);
    expect(ready.status).to.equal(200);
    const metrics = await (await fetch(`http://127.0.0.1:${admin}/metrics`)).text();
    expect(metrics).to.match(/^turbotls_connections_started_total\{route="default",.*\} 1$/m);
    expect(metrics).to.match(/^process_cpu_seconds_total /m);
    client.destroy();
    gateway.process.kill('SIGINT');
    await gateway.said(/draining/);
    gateway.process.kill('SIGINT');
    expect((await gateway.ended).code).to.equal(130);
  });

  it('says why it cannot serve', async () => {
    const path = join(folder, 'bad.yaml');
    await writeFile(path, 'listen: [":80443"]\nroutes: []\n');
    const { code, stdout, stderr } = await runTurbotls('gateway', '--config', path);
    expect({ code, stdout }).to.deep.equal({ code: 1, stdout: '' });
    expect(stderr).to.match(
      /^turbotls: The configuration cannot be used: .*bad\.yaml\n {2}line 1: listen\[0\]: .*\n {2}/,
    );
    const taken = await startTls({ ...certificate });
    const busy = await runTurbotls('gateway', '--listen', `127.0.0.1:${taken.port}`, '--to', '127.0.0.1:1');
    expect(busy).to.include({ code: 1, stdout: '' });
    expect(busy.stderr).to.match(
      /^turbotls: .*127\.0\.0\.1:\d+.*EADDRINUSE.*\(another program has this address;.*\)\n$/,
    );
  });
});
