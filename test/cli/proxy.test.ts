/** `turbotls proxy` as a program: files, signals, exit codes, log lines. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tls from 'node:tls';
import { expect } from 'chai';
import { answerTo, secured } from '../gateway/clients.js';
import { closeRigs, startTls } from '../gateway/proxy-rig.js';
import { type Certificate, makeAuthority, makeCertificate } from '../support/certificates.js';
import { endPrograms, portOf, runTurbotls, startTurbotls } from './turbotls.js';

describe('cli: turbotls proxy', function () {
  this.timeout(30_000);
  let certificate: Certificate;
  let folder: string;
  const sockets = new Set<Socket>();

  before(async () => {
    certificate = await makeCertificate({ names: ['localhost', '127.0.0.1'] });
    folder = await mkdtemp(join(tmpdir(), 'turbotls-cli-'));
  });
  after(() => rm(folder, { recursive: true, force: true }));
  afterEach(async () => {
    for (const socket of sockets) socket.destroy();
    sockets.clear();
    await endPrograms();
    await closeRigs();
  });

  const listen = ['--listen', '127.0.0.1:0'];

  async function secure(port: number): Promise<tls.TLSSocket> {
    const client = tls.connect({ host: '127.0.0.1', port, servername: 'localhost', ca: certificate.ca });
    sockets.add(client);
    client.on('error', () => {});
    return secured(client);
  }

  it('carries connections, logs one line for each, and drains at SIGTERM', async () => {
    const server = await startTls({ ...certificate });
    const proxy = startTurbotls('proxy', ...listen, '--to', `127.0.0.1:${server.port}`);
    const client = await secure(await portOf(proxy));
    expect(await answerTo(client, 'hello')).to.equal('hello');
    proxy.process.kill('SIGTERM');
    await proxy.said(/"connections":1,"deadlineMs":10000,"msg":"draining"/);
    expect(await answerTo(client, 'still here')).to.equal('still here');
    client.end();
    const { code, stdout, stderr } = await proxy.ended;
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
    const lines = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    expect(lines.map(({ msg }) => msg)).to.deep.equal(['listening', 'draining', 'connection']);
    expect(lines[2]).to.include({
      level: 'info',
      target: `127.0.0.1:${server.port}`,
      protocol: 'tls',
      serverName: 'localhost',
      reason: 'client',
    });
    expect(lines[2]).to.include.all.keys('time', 'client', 'carrier', 'helloMs', 'connectMs', 'totalMs', 'up', 'down');
  });

  it('ends at the deadline, and at once at the second signal', async () => {
    const server = await startTls({ ...certificate });
    const to = ['--to', `127.0.0.1:${server.port}`];
    const quick = startTurbotls('proxy', ...listen, ...to, '--drain-timeout', '50ms');
    await secure(await portOf(quick));
    quick.process.kill('SIGINT');
    expect((await quick.ended).code).to.equal(130);
    const slow = startTurbotls('proxy', ...listen, ...to, '--drain-timeout', '1h');
    await secure(await portOf(slow));
    slow.process.kill('SIGTERM');
    await slow.said(/draining/);
    slow.process.kill('SIGTERM');
    expect((await slow.ended).code).to.equal(130);
  });

  it('makes TLS for clients that have none, and reads its files again at SIGHUP', async () => {
    const other = await makeAuthority({ name: 'Another Authority' });
    const server = await startTls({ ...certificate });
    const ca = join(folder, 'ca.pem');
    await writeFile(ca, other.cert);
    const to = ['--to', `localhost:${server.port}`, '--tls', '--ca', ca];
    const proxy = startTurbotls('proxy', ...listen, ...to);
    const port = await portOf(proxy);
    const refused = connect({ host: '127.0.0.1', port });
    sockets.add(refused);
    refused.resume();
    await once(refused, 'close');
    await proxy.said(/"reason":"remote-failed".*certificate/);
    await writeFile(ca, certificate.ca);
    proxy.process.kill('SIGHUP');
    await proxy.said(/files read again/);
    const client = connect({ host: '127.0.0.1', port });
    sockets.add(client);
    expect(await answerTo(client, 'hello')).to.equal('hello');
    await rm(ca);
    proxy.process.kill('SIGHUP');
    await proxy.said(/ca\.pem: there is no such file","msg":"files not usable, those before stay"/);
    expect(await answerTo(client, 'again')).to.equal('again');
  });

  it('warns where other machines can use its TLS session', async () => {
    const to = ['--to', 'localhost:1', '--tls'];
    const open = startTurbotls('proxy', '--listen', '0.0.0.0:0', ...to);
    await open.said(/"level":"warn".*"address":"0\.0\.0\.0:\d+","msg":"other machines can connect here/);
    const near = startTurbotls('proxy', '--listen', ':0', ...to);
    await near.said(/"msg":"listening"/);
    near.process.kill('SIGTERM');
    expect((await near.ended).stdout).not.to.include('other machines');
  });

  it('writes text where it is told to', async () => {
    const server = await startTls({ ...certificate });
    const path = join(folder, 'proxy.sock');
    const to = ['--to', `127.0.0.1:${server.port}`, '--log-format', 'text'];
    const proxy = startTurbotls('proxy', '--listen', path, ...to);
    await proxy.said(/^\d\d:\d\d:\d\d\.\d{3} info {2}listening address=.*proxy\.sock$/m);
    const client = tls.connect({ path, servername: 'localhost', ca: certificate.ca });
    sockets.add(client);
    await secured(client);
    expect(await answerTo(client, 'hello')).to.equal('hello');
  });

  it('says in one line why it cannot serve', async () => {
    const taken = createServer().listen(0, '127.0.0.1');
    await once(taken, 'listening');
    const { port } = taken.address() as AddressInfo;
    const busy = await runTurbotls('proxy', '--listen', `127.0.0.1:${port}`, '--to', 'localhost:1');
    expect(busy).to.include({ code: 1, stdout: '' });
    expect(busy.stderr).to.equal(
      `turbotls: An address cannot be listened on: 127.0.0.1:${port}: listen EADDRINUSE: address already in use ` +
        `127.0.0.1:${port} (another program has this address; end it, or choose another one)\n`,
    );
    taken.close();
    const missing = await runTurbotls('proxy', ...listen, '--to', 'localhost:1', '--tls', '--ca', '/no/ca.pem');
    expect(missing).to.deep.equal({
      code: 1,
      stdout: '',
      stderr: 'turbotls: --ca: cannot read /no/ca.pem: there is no such file\n',
    });
  });
});
