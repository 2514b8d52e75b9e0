/** `turbotls compare`, as its users run it. */

import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer as createHttpsServer } from 'node:https';
import { type AddressInfo, createServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createServer as createTlsServer } from 'node:tls';
import { expect } from 'chai';
import type { Report } from '../../src/compare/index.js';
import { closeRigs, startTls } from '../gateway/proxy-rig.js';
import { type Certificate, makeCertificate } from '../support/certificates.js';
import { endPrograms, runTurbotls, startTurbotls } from './turbotls.js';

const OPTIONAL = /node_modules\/(@matrixai|@redis|ioredis|pg|postgres|undici)\//;

describe('cli: turbotls compare', function () {
  this.timeout(60_000);
  let folder: string;
  let certificate: Certificate;
  let ca: string[];
  const servers = new Set<Server>();

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'turbotls-compare-cli-'));
    certificate = await makeCertificate({ names: ['localhost', '127.0.0.1'] });
    ca = ['--ca', join(folder, 'ca.pem')];
    await writeFile(join(folder, 'ca.pem'), certificate.ca);
  });
  afterEach(async () => {
    await endPrograms();
    await closeRigs();
    for (const server of servers) server.close();
    servers.clear();
  });
  after(() => rm(folder, { recursive: true }));

  async function listen(server: Server): Promise<string> {
    servers.add(server.listen(0, '127.0.0.1'));
    await once(server, 'listening');
    return `localhost:${(server.address() as AddressInfo).port}`;
  }

  async function compared(...args: string[]): Promise<Report> {
    const { code, stdout, stderr } = await runTurbotls('compare', ...args, ...ca, '--json');
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
    return JSON.parse(stdout);
  }

  function numbersOf({ runs }: Report): Record<string, number> {
    return Object.fromEntries(runs.flatMap(({ results }) => results).map(({ id, samples }) => [id, samples.length]));
  }

  it('measures a server with turbo, and draws a table', async () => {
    const { port } = await startTls(certificate);
    const args = [`localhost:${port}`, '--samples', '3', '--send', 'hello', ...ca];
    const { code, stdout, stderr } = await runTurbotls('compare', ...args);
    expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
    for (const title of ['node:tls', 'turbo, first contact', 'turbo, known path', 'turbo, resumed session']) {
      expect(stdout).to.match(new RegExp(`^ +${title} +\\d`, 'm'));
    }
    expect(stdout).to.match(/QUIC.* no server of QUIC is known here/);
    expect(stdout).to.match(
      /^Each connection from the client's first call to the first useful byte, cold; 3\sof\seach\scase/m,
    );
    expect(stdout).not.to.include('Nothing answered over UDP');
  });

  it('gives all that it measured to machines', async () => {
    const { port } = await startTls(certificate);
    const report = await compared(`localhost:${port}`, '--samples', '2', '--only', 'turbo,tls-resumed');
    expect(numbersOf(report)).to.deep.equal({ tls: 2, turbo: 2, 'tls-resumed': 2 });
    expect(report.version).to.equal(1);
    expect(report.command).to.match(
      /^turbotls compare localhost:\d+ --samples 2 --only turbo,tls-resumed --ca .* --json$/,
    );
    expect(report.network).to.match(/^localhost:\d+ \(127\.0\.0\.1\); TCP connects in [\d.]+ ms$/);
    expect(report.machine.node).to.equal(process.version);
    expect(report.runs[0]).to.include({ sweep: 'cases', label: `localhost:${port}` });
    // On a machine that is busy even this one is far.
    const { roundTripMs } = report.runs[0] ?? {};
    if (roundTripMs === undefined) expect(report.notes[1]).to.include('there is no round trip worth saving here');
    else expect(roundTripMs).to.be.at.least(5);
  });

  it('says so where the server has no turbo', async () => {
    const server = createTlsServer(certificate, (socket) => void socket.on('error', () => {}).pipe(socket));
    const { notes, runs } = await compared(await listen(server), '--samples', '1');
    expect(notes.join('\n')).to.include('Nothing answered over UDP in time');
    const turbo = runs[0]?.results.find(({ id }) => id === 'turbo');
    expect(turbo?.samples.map(({ carrier }) => carrier)).to.deep.equal(['tcp']);
  });

  it('goes where TurboTLS is', async () => {
    const { port } = await startTls(certificate);
    const server = createTlsServer(certificate, (socket) => void socket.on('error', () => {}).end());
    const place = await listen(server);
    const report = await compared(
      place,
      '--turbo-port',
      String(port),
      '--only',
      'turbo',
      '--samples',
      '1',
      '--send',
      'x',
    );
    expect(numbersOf(report)).to.deep.equal({ tls: 0, turbo: 1 });
  });

  it('measures HTTPS, and writes a report', async () => {
    const server = createHttpsServer(certificate, (request, response) => response.end(request.url));
    const place = await listen(server);
    const file = join(folder, 'report.html');
    const args = [`https://${place}/a`, '--samples', '1', '--html', file, ...ca];
    const { code, stdout } = await runTurbotls('compare', ...args);
    expect(code).to.equal(0);
    expect(stdout)
      .to.match(/^ +undici +\d/m)
      .and.to.match(/^ +node:https over turbo +\d/m);
    expect(await readFile(file, 'utf8')).to.match(/^<!doctype html>/);
  });

  it('shows no password', async () => {
    const { port } = await startTls(certificate);
    const args = ['--samples', '1', '--timeout', '2s', '--only', 'redisclient-tls', '--json', ...ca];
    const { stdout } = await runTurbotls('compare', `rediss://me:secret@localhost:${port}`, ...args);
    expect(JSON.parse(stdout).command).to.include(` rediss://me@localhost:${port} `);
    expect(stdout).not.to.include('secret');
  });

  it('fails where nothing can be measured, and still tells why', async () => {
    const server = createTlsServer(certificate, (socket) => void socket.on('error', () => {}).end());
    const place = await listen(server);
    const args = [place, '--send', 'x', '--samples', '1', '--only', 'tls', ...ca];
    const { code, stdout, stderr } = await runTurbotls('compare', ...args);
    expect(code).to.equal(1);
    expect(stdout).to.include('the server closed the connection before it answered');
    expect(stderr).to.equal('turbotls: nothing could be measured; what stands above says why\n');
  });

  it('says what is in the way, and what to do', async () => {
    const { port } = await startTls(certificate);
    const plain = await listen(createServer((socket) => void socket.on('error', () => {}).end('220 hello\r\n')));
    const ways = [
      [[`localhost:${port}`], /^turbotls: the certificate is not trusted here; --ca FILE names its authority: /],
      [[`localhost:${port}`, ...ca, '--server-name', 'other.test'], /--server-name NAME says which: /],
      [['localhost:1'], /ECONNREFUSED 127\.0\.0\.1:1 \(nothing listens there, or a firewall refuses\)/],
      [['no-such-host.invalid:1'], /no-such-host\.invalid \((no such host name|the name server does not answer)/],
      [[plain], /^turbotls: TLS does not come about; turbotls ping localhost:\d+ says what the server speaks: /],
      [[`localhost:${port}`, '--ca', '/no/ca.pem'], /--ca: cannot read \/no\/ca\.pem: there is no such file/],
    ] as const;
    const ends = await Promise.all(ways.map(([args]) => runTurbotls('compare', ...args)));
    for (const [index, { code, stdout, stderr }] of ends.entries()) {
      expect({ code, stdout }, stderr).to.deep.equal({ code: 1, stdout: '' });
      expect(stderr).to.match(ways[index]?.[1] as RegExp);
    }
  });

  it('says that a report cannot be written, behind what it found', async () => {
    const { port } = await startTls(certificate);
    const args = [`localhost:${port}`, '--samples', '1', '--only', 'tls', '--html', '/no/report.html', ...ca];
    const { code, stdout, stderr } = await runTurbotls('compare', ...args);
    expect(code).to.equal(1);
    expect(stdout).to.include('node:tls');
    expect(stderr).to.match(/^turbotls: --html: cannot write \/no\/report\.html: ENOENT/);
  });

  it('Ctrl-C ends it', async () => {
    const { port, server } = await startTls(certificate);
    const program = startTurbotls('compare', `localhost:${port}`, '--samples', '100000', ...ca);
    await once(server, 'secureConnection');
    program.process.kill('SIGINT');
    expect(await program.ended).to.deep.equal({ code: 130, stdout: '', stderr: '' });
  });

  it('loads no client before it measures with it', async () => {
    const coverage = join(folder, 'coverage');
    process.env.NODE_V8_COVERAGE = coverage;
    try {
      for (const args of [['--help'], ['compare', '--help'], ['ping', 'localhost:1', '--timeout', '1s']]) {
        await runTurbotls(...args);
      }
    } finally {
      delete process.env.NODE_V8_COVERAGE;
    }
    const files = await readdir(coverage);
    expect(files.length).to.be.at.least(3);
    for (const file of files) {
      const { result } = JSON.parse(await readFile(join(coverage, file), 'utf8')) as { result: { url: string }[] };
      const loaded = result.map(({ url }) => url);
      expect(loaded.some((url) => url.endsWith('src/cli/main.js'))).to.equal(true);
      expect(loaded.filter((url) => OPTIONAL.test(url) || url.includes('/src/compare/'))).to.deep.equal([]);
    }
  });

  it('does not understand everything', async () => {
    const ways = [
      [['ftp://a.test'], 'ftp:// is not known here; it may be HOST:PORT, https://, postgres:// and rediss://'],
      [['localhost:1', '--only', 'tls,none'], "'none' is none of the cases: tls, turbo, "],
      [['localhost:1', '--samples', '0'], 'whole number above 0'],
      [['localhost:1', '--turbo-port', '70000'], 'A port is from 1 to 65535.'],
      [['localhost:1', '--send', ''], 'there is nothing in it'],
      [['https://localhost:1', '--send', 'x'], 'for HOST:PORT alone'],
      [[], "missing required argument 'target'"],
    ] as const;
    const ends = await Promise.all(ways.map(([args]) => runTurbotls('compare', ...args)));
    for (const [index, { code, stdout, stderr }] of ends.entries()) {
      expect({ code, stdout }, stderr).to.deep.equal({ code: 2, stdout: '' });
      expect(stderr).to.match(/^turbotls: .*\n\(--help says more\)\n$/);
      expect(stderr).to.include(ways[index]?.[1]);
    }
  });
});
