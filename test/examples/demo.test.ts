/** The demo, run as a program, and the picture that it draws. */
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { type AddressInfo, createServer as createTcpServer, type Server } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as tls from 'node:tls';
import { expect } from 'chai';
import { createServer } from 'turbotls/experimental';
import type { Contender, Link } from '../../examples/demo/contender.js';
import { picture } from '../../examples/demo/picture.js';
import { type Report, type Result, summarize } from '../../examples/demo/results.js';
import { type Certificate, makeCertificate } from '../support/certificates.js';
import { endPrograms, run, start } from './programs.js';

const TIMEOUT_MS = 60_000;

describe('demo', () => {
  afterEach(endPrograms);

  it('saves a round trip on the simulated link, and loses none where UDP is blocked', async () => {
    // The longer a round trip, the smaller a part of it is what a busy machine adds.
    await expectRoundTrips(200)
      .catch(() => expectRoundTrips(400))
      .catch(() => expectRoundTrips(800));
  }).timeout(2 * TIMEOUT_MS);

  async function expectRoundTrips(rtt: number): Promise<void> {
    const { code, stdout, stderr } = await run('demo/demo', ['--json', '--rtt', String(rtt), '--runs', '2']);
    expect(code, stderr).to.equal(0);
    const { link, runs, results } = JSON.parse(stdout) as Report;
    expect({ link, runs }).to.deep.equal({
      link: { kind: 'simulated', title: `simulated link, ${rtt} ms round trip`, roundTripMs: rtt },
      runs: 2,
    });
    const named = results.map(({ name, detail, carriers }) => [name, detail, ...carriers]);
    expect(named).to.deep.equal([
      ['node:tls', '', 'tcp', 'tcp'],
      ['turbo', 'first contact', 'udp', 'udp'],
      ['turbo, UDP blocked', 'first contact', 'tcp', 'tcp'],
      ['turbo, UDP blocked', 'second contact', 'tcp', 'tcp'],
    ]);
    const [nodeTls, turbo, blocked, known] = results as [Result, Result, Result, Result];
    expect(nodeTls.roundTrips).to.be.greaterThan(2.95);
    expect(turbo.roundTrips).to.be.within(1.95, 2.3);
    expect(turbo.udpAnswered).to.be.a('number');
    // The grace is a quarter of the connect time where the path is not known, and nothing on the second contact.
    expect(blocked).not.to.have.property('udpAnswered');
    const graceMs = ({ carrierChosen, tcpConnected }: Result) => (carrierChosen ?? 0) - (tcpConnected ?? 0);
    expect(graceMs(blocked)).to.be.greaterThan(rtt / 16);
    expect(graceMs(known)).to.be.lessThan(graceMs(blocked));
  }

  it('draws in ASCII and without colours where there is no terminal', async () => {
    const { code, stdout, stderr } = await run('demo/demo', ['--rtt', '100', '--runs', '1']);
    expect(code, stderr).to.equal(0);
    expect(stdout).to.match(/^[\n\x20-\x7e]*$/);
    expect(stdout).to.match(/^simulated link, 100 ms round trip; median of 1 run, Node v/m);
    expect(stdout).to.match(/^node:tls {2}\d+ ms {3}\d\.\d\d round trips$/m);
    expect(stdout).to.match(/^ {2}UDP #* TLS #*( too late)?$/m);
    expect(stdout).to.match(/^ {2}UDP #* TLS #* no answer$/m);
    expect(stdout).to.match(/^ {2}TCP -* TCP -*#+ TLS #+=+ answer =+$/m);
  }).timeout(TIMEOUT_MS);

  it('takes loss for what it is', async () => {
    const { code, stdout, stderr } = await run('demo/demo', ['--rtt', '10', '--loss', '0.05', '--runs', '3', '--json']);
    expect(code, stderr).to.equal(0);
    const { link, results } = JSON.parse(stdout) as Report;
    expect(link.title).to.equal('simulated link, 10 ms round trip, 5 % of packets lost');
    for (const { totals } of results) expect(totals).to.have.lengthOf(3);
  }).timeout(TIMEOUT_MS);

  it('runs over real sockets, and says what loopback is worth', async () => {
    const { code, stdout, stderr } = await run('demo/demo', ['--loopback', '--runs', '2']);
    expect(code, stderr).to.equal(0);
    expect(stdout).to.match(/^loopback: real sockets, but no round trip to save; median of 2 runs/m);
    expect(stdout).to.match(/^turbo, first contact {2}/m);
    expect(stdout).to.match(/^On loopback there is no round trip to save/m);
  }).timeout(TIMEOUT_MS);

  for (const options of [['--rtt', '0'], ['--rtt', 'fast'], ['--loss', '0.9'], ['--runs', '1.5'], ['--host']]) {
    it(`refuses ${options.join(' ')}`, async () => {
      const { code, stdout, stderr } = await run('demo/demo', options);
      expect({ code, stdout }).to.deep.equal({ code: 2, stdout: '' });
      expect(stderr).to.match(/^demo\.js: .*--\w+.*\n\nUsage: demo\.js/);
    }).timeout(TIMEOUT_MS);
  }

  describe('against a server', () => {
    let certificate: Certificate;
    let folder: string;
    let ca: string;
    const servers = new Set<Server>();

    before(async () => {
      certificate = await makeCertificate({ names: ['localhost', '127.0.0.1'] });
      folder = await mkdtemp(join(tmpdir(), 'turbotls-demo-'));
      ca = join(folder, 'ca.pem');
      await writeFile(ca, certificate.ca);
    });

    after(() => rm(folder, { recursive: true, force: true }));

    afterEach(async () => {
      await endPrograms();
      for (const server of servers) await new Promise((resolve) => server.close(resolve));
      servers.clear();
    });

    async function listen(server: Server): Promise<string[]> {
      servers.add(server);
      server.listen({ host: '127.0.0.1', port: 0 });
      await once(server, 'listening');
      return ['--host', '127.0.0.1', '--port', String((server.address() as AddressInfo).port), '--runs', '1'];
    }

    function echo(socket: tls.TLSSocket): void {
      socket.on('error', () => {});
      socket.pipe(socket);
    }

    it('that has a TurboTLS port', async () => {
      let sessions = 0;
      const server = createServer({ key: certificate.key, cert: certificate.cert }, echo);
      server.turbo?.events$.subscribe(({ type }) => {
        if (type === 'session') sessions++;
      });
      const { code, stdout, stderr } = await run('demo/demo', [...(await listen(server)), '--ca', ca, '--json']);
      expect(code, stderr).to.equal(0);
      const { link, results } = JSON.parse(stdout) as Report;
      expect(link).to.include({ kind: 'remote' });
      expect(results.map(({ name, detail }) => `${name} ${detail}`)).to.deep.equal([
        'node:tls ',
        'turbo first contact',
        'turbo second contact',
      ]);
      for (const { firstByte } of results) expect(firstByte).to.be.a('number');
      // Of two rounds with two contacts each; one may have come when UDP was given up for slow.
      expect(sessions).to.be.within(2, 4);
    }).timeout(TIMEOUT_MS);

    it('that has none', async () => {
      const server = tls.createServer({ key: certificate.key, cert: certificate.cert }, echo);
      const { code, stdout, stderr } = await run('demo/demo', [...(await listen(server)), '--insecure']);
      expect(code, stderr).to.equal(0);
      expect(stdout).to.match(/^Nothing answered over UDP .*plain TLS over TCP\.$/m);
      expect(stdout).to.match(/^ {2}UDP .*no answer$/m);
    }).timeout(TIMEOUT_MS);

    it('whose certificate is not trusted', async () => {
      const server = tls.createServer({ key: certificate.key, cert: certificate.cert }, echo);
      server.on('tlsClientError', () => {});
      const { code, stdout, stderr } = await run('demo/demo', await listen(server));
      expect({ code, stdout }).to.deep.equal({ code: 1, stdout: '' });
      expect(stderr).to.match(/^demo\.js: unable to verify the first certificate/m);
    }).timeout(TIMEOUT_MS);

    it('that is not there', async () => {
      const { code, stderr } = await run('demo/demo', ['--host', '127.0.0.1', '--port', '1']);
      expect(code).to.equal(1);
      expect(stderr).to.match(/^demo\.js: connect ECONNREFUSED 127\.0\.0\.1:1\n$/m);
    }).timeout(TIMEOUT_MS);

    it('that says nothing, until Ctrl-C', async () => {
      const server = createTcpServer((socket) => socket.on('error', () => {}).resume());
      const args = await listen(server);
      const demo = start('demo/demo', args);
      const [socket] = await once(server, 'connection');
      demo.process.kill('SIGINT');
      const { code, stdout } = await demo.ended;
      expect({ code, stdout }).to.deep.equal({ code: 130, stdout: '' });
      if (!socket.destroyed) await once(socket, 'close');
    }).timeout(TIMEOUT_MS);
  });

  describe('picture', () => {
    const nodeTls: Result = {
      name: 'node:tls',
      detail: '',
      tcpConnected: 50,
      udpSent: undefined,
      udpAnswered: undefined,
      carrierChosen: undefined,
      secure: 100,
      firstByte: 150,
      carrier: 'tcp',
      protocol: 'TLSv1.3',
      roundTrips: 3,
      ratio: 1,
      totals: [150],
      carriers: ['tcp'],
    };
    const report: Report = {
      link: { kind: 'simulated', title: 'simulated link, 50 ms round trip', roundTripMs: 50 },
      node: 'v20.19.0',
      runs: 1,
      results: [
        nodeTls,
        {
          ...nodeTls,
          name: 'turbo',
          detail: 'first contact',
          udpSent: 0,
          udpAnswered: 50,
          carrierChosen: 50,
          secure: 50,
          firstByte: 100,
          carrier: 'udp',
          roundTrips: 2,
          ratio: 2 / 3,
          carriers: ['udp', 'udp', 'tcp'],
        },
        {
          ...nodeTls,
          name: 'turbo, UDP blocked',
          detail: 'first contact',
          udpSent: 0,
          carrierChosen: 56,
          secure: 106,
          firstByte: 156,
          roundTrips: 3.12,
          ratio: 1.04,
        },
      ],
    };

    it('puts all carriers on one scale', () => {
      expect(picture(report, { width: 70, colour: false, unicode: false })).to.equal(`\
From connect() to the first byte of the answer
simulated link, 50 ms round trip; median of 1 run, Node v20.19.0

      0                1               2                3 round trips
      |                |               |                |

node:tls  150 ms   3.00 round trips
  TCP ------ TCP ------##### TLS ######==== answer =====
      TCP at 50, secure at 100, first byte at 150 ms; won: TCP

turbo, first contact  100 ms   2.00 round trips   0.67 of node:tls
  UDP ###### TLS ######
  TCP ------ TCP ------==== answer ====
      TCP at 50, UDP answer at 50, secure at 50, first byte at 100 ms; won: UDP (2 of 3)

turbo, UDP blocked, first contact  156 ms   3.12 round trips   1.04 of node:tls
  UDP ####### TLS ####### no answer
  TCP ------ TCP ------..##### TLS ######==== answer =====
      TCP at 50, no UDP answer, secure at 106, first byte at 156 ms; won: TCP

turbo saved 50 ms against node:tls.
`);
    });

    it('uses blocks and colours where it may', () => {
      const drawn = picture(report, { width: 70, colour: true, unicode: true });
      expect(drawn).to.include('  UDP \x1b[32m██████\x1b[0m TLS \x1b[32m██████\x1b[0m\n');
      expect(drawn).to.include('\x1b[36m▒▒▒▒\x1b[0m answer \x1b[36m▒▒▒▒\x1b[0m\n');
    });

    it('stays readable on narrow and wide terminals', () => {
      for (const [width, columns] of [
        [10, 24],
        [80, 62],
        [1_000, 120],
      ] as const) {
        const drawn = picture(report, { width, colour: false, unicode: false });
        const longest = Math.max(
          ...[...drawn.matchAll(/^ {2}(?:TCP|UDP) ([-.#= a-zA-Z]+?)(?: no answer)?$/gm)].map(
            ([, bar = '']) => bar.length,
          ),
        );
        expect(longest, `width ${width}`).to.equal(columns);
      }
    });

    it('knows a round trip of loopback never, of a remote server by how long TCP takes to connect', () => {
      const contender: Contender = { name: 'node:tls', detail: '', dial: () => expect.fail('it is measured') };
      for (const [kind, roundTripMs] of [
        ['loopback', undefined],
        ['remote', 50],
      ] as const) {
        const link: Link = {
          kind,
          title: 'a link',
          roundTripMs: undefined,
          contenders: [contender],
          request: '',
          answers: true,
          warmUps: 0,
          close() {},
        };
        const title = kind === 'remote' ? 'a link, round trip about 50 ms' : 'a link';
        const { link: told } = summarize(link, new Map([[contender, [nodeTls]]]));
        expect(told).to.deep.equal({ kind, title, roundTripMs });
      }
    });

    it('counts milliseconds where it knows no round trip', () => {
      const drawn = picture(
        { ...report, link: { kind: 'loopback', title: 'loopback', roundTripMs: undefined } },
        { width: 80, colour: false, unicode: false },
      );
      expect(drawn).to.match(/^ {6}0 +20 +40 +60 +80 +100 +120 +140 ms$/m);
    });
  });
});
