/** The examples, run as programs over the loopback interface. */
import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { get } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { expect } from 'chai';
import { type Ended, endPrograms, type Program, run, start } from './programs.js';

const SERVERS = ['echo/server', 'https/server', 'cluster/server'];
const CLIENTS = ['echo/client', 'https/client'];
const PROGRAMS = ['certificate', ...SERVERS, ...CLIENTS, 'demo/demo'];
/** A child starts in a third of a second here, and in many times that on a busy machine. */
const TIMEOUT_MS = 30_000;

describe('examples', () => {
  let folder: string;
  let ca: string;
  let certificate: string[];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'turbotls-examples-'));
    const { code, stdout, stderr } = await run('certificate', ['--folder', folder]);
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
    expect(stdout).to.match(/^wrote ca\.pem, cert\.pem and key\.pem for localhost,127\.0\.0\.1,::1 to /);
    ca = join(folder, 'ca.pem');
    certificate = ['--cert', join(folder, 'cert.pem'), '--key', join(folder, 'key.pem')];
  });

  after(() => rm(folder, { recursive: true, force: true }));

  afterEach(endPrograms);

  async function serve(script: string): Promise<{ server: Program; port: string; reach: string[] }> {
    const server = start(script, [...certificate, '--host', '127.0.0.1', '--port', '0']);
    const [, port = ''] = await server.said(/listening on .*port: (\d+)/);
    return { server, port, reach: ['--host', '127.0.0.1', '--port', port] };
  }

  function expectClearFailure({ code, stdout, stderr }: Ended, pattern: RegExp): void {
    expect(code).to.equal(1);
    expect(stdout).to.equal('');
    expect(stderr).to.match(pattern);
    expect(stderr, 'a stack trace').not.to.match(/^\s+at /m);
  }

  it('certificate: what it writes is signed by its authority and readable by the owner alone', async () => {
    const leaf = new X509Certificate(await readFile(join(folder, 'cert.pem')));
    const authority = new X509Certificate(await readFile(ca));
    expect(leaf.verify(authority.publicKey)).to.equal(true);
    expect(leaf.subjectAltName).to.equal('DNS:localhost, IP Address:127.0.0.1, IP Address:0:0:0:0:0:0:0:1');
    expect((await stat(join(folder, 'key.pem'))).mode & 0o077).to.equal(0);
  }).timeout(TIMEOUT_MS);

  it('echo: a megabyte comes back as it was, and Ctrl-C ends the server', async () => {
    const { server, reach } = await serve('echo/server');
    const text = 'TurboTLS. '.repeat(100_000);
    const { code, stdout, stderr } = await run('echo/client', [...reach, '--ca', ca], text);
    expect(stderr).to.match(/^TLSv1\.3, handshake over (udp|tcp)$/m);
    expect(stdout === text, `${stdout.length} bytes came back`).to.equal(true);
    expect(code).to.equal(0);
    server.process.kill('SIGINT');
    expect((await server.ended).code).to.equal(0);
  }).timeout(TIMEOUT_MS);

  it('echo: plain TLS is served too; Ctrl-C closes open connections and frees the port', async () => {
    const { server, port, reach } = await serve('echo/server');
    const socket = connect({ port: Number(port), host: '127.0.0.1', ca: await readFile(ca) });
    socket.write('hello');
    const [echoed] = await once(socket, 'data');
    expect(String(echoed)).to.equal('hello');
    server.process.kill('SIGINT');
    await once(socket, 'close');
    const { code, stdout } = await server.ended;
    expect(code).to.equal(0);
    expect(stdout).to.match(/^connection: plain$/m);
    expectClearFailure(await run('echo/client', reach), /ECONNREFUSED/);
  }).timeout(TIMEOUT_MS);

  it('echo: Ctrl-C ends a client that waits for input', async () => {
    const { reach } = await serve('echo/server');
    const client = start('echo/client', [...reach, '--ca', ca]);
    client.process.stdin?.write('hello\n');
    await client.said(/hello/);
    client.process.kill('SIGINT');
    expect((await client.ended).code).to.equal(0);
  }).timeout(TIMEOUT_MS);

  it('https: request and answer by turbo and by node:https, and Ctrl-C ends the server', async () => {
    const { server, port, reach } = await serve('https/server');
    const { code, stdout, stderr } = await run('https/client', [...reach, '--ca', ca, '--path', '/turbo']);
    expect(stdout).to.equal('GET /turbo from 127.0.0.1\n');
    expect(stderr).to.match(/^HTTP 200, handshake over (udp|tcp)$/m);
    expect(code).to.equal(0);

    const plain = get({ host: '127.0.0.1', port, path: '/plain', ca: await readFile(ca) });
    const [response] = await once(plain, 'response');
    const [body] = await once(response, 'data');
    expect(String(body)).to.equal('GET /plain from 127.0.0.1\n');
    server.process.kill('SIGINT');
    expect((await server.ended).code).to.equal(0);
  }).timeout(TIMEOUT_MS);

  it('cluster: processes share one port, one that is killed is replaced, and Ctrl-C ends them all', async () => {
    const { server, reach } = await serve('cluster/server');
    await server.said(/(worker \d+ listening on[^w]*){2}/);
    const echo = async () => {
      const { stdout, stderr } = await run('echo/client', [...reach, '--ca', ca], 'hello');
      expect(stdout).to.equal('hello');
      expect(stderr).to.match(/^TLSv1\.3, handshake over (udp|tcp)$/m);
    };
    await echo();
    const [, killed = ''] = await server.said(/worker (\d+) serves 127\.0\.0\.1/);
    process.kill(Number(killed), 'SIGKILL');
    await server.said(/(worker \d+ listening on[^w]*(worker \d+ serves[^w]*)?){3}/);
    await echo();
    server.process.kill('SIGINT');
    expect((await server.ended).code).to.equal(0);
  }).timeout(TIMEOUT_MS);

  for (const script of CLIENTS) {
    it(`${script}: a certificate that is not trusted is refused`, async () => {
      const { reach } = await serve(script.replace('client', 'server'));
      expectClearFailure(await run(script, reach, 'secret'), /unable to verify the first certificate/);
    }).timeout(TIMEOUT_MS);
  }

  for (const script of SERVERS) {
    it(`${script}: a port that is taken`, async () => {
      const { reach } = await serve(script);
      expectClearFailure(await run(script, [...certificate, ...reach]), /EADDRINUSE/);
    }).timeout(TIMEOUT_MS);

    it(`${script}: a certificate that is none, or missing`, async () => {
      expectClearFailure(await run(script, ['--cert', ca, '--key', ca]), /server\.js: /);
      const { code, stderr } = await run(script, ['--cert', '/nowhere/cert.pem', '--key', ca]);
      expect(code).to.equal(2);
      expect(stderr).to.match(/--cert: cannot read \/nowhere\/cert\.pem \(ENOENT\)\n\nUsage: /);
      expect((await run(script)).stderr).to.match(/^server\.js: --cert is missing$/m);
    }).timeout(TIMEOUT_MS);
  }

  for (const port of ['x', '', '-1', '65536', '4.5']) {
    it(`a port that is none: '${port}'`, async () => {
      const { code, stderr } = await run('echo/client', [`--port=${port}`]);
      expect(stderr).to.include(`--port must be a whole number from 0 to 65535, got '${port}'\n\nUsage: `);
      expect(code).to.equal(2);
    }).timeout(TIMEOUT_MS);
  }

  for (const script of PROGRAMS) {
    it(`${script}: --help, and options that it does not have`, async () => {
      const help = await run(script, ['--help']);
      expect(help.code).to.equal(0);
      expect(help.stdout).to.match(/^Usage: \w+\.js \[options\]\n\n.*\n\n( {2}--.*\n)+$/);
      const unknown = await run(script, ['--bogus']);
      expect(unknown.code).to.equal(2);
      expect(unknown.stderr).to.match(/Unknown option '--bogus'\n\nUsage: /);
      expect(unknown.stdout).to.equal('');
    }).timeout(TIMEOUT_MS);
  }
});
