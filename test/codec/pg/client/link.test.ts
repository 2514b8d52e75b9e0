import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { createServer as createTlsServer, type TLSSocketOptions } from 'node:tls';
import { expect } from 'chai';
import { type Link, type LinkOptions, type LinkStep, openLink } from '../../../../src/codec/pg/client/link.js';
import { type Conninfo, resolveConninfo } from '../../../../src/codec/pg/conninfo/conninfo.js';
import { SSL_MODES, type SslMode } from '../../../../src/codec/pg/conninfo/target.js';
import { type Transport, tcpTransport, tlsTransport } from '../../../../src/transport.js';
import { type Certificate, makeAuthority, makeCertificate, makeRevocationList } from '../../../support/certificates.js';
import { skip } from '../../../support/skip.js';
import { NOWHERE, removeFolders, temporaryFolder } from '../conninfo/support.js';
import { answerSslRequest, firstBytes, LoopbackServer, type Script, serveTls } from './loopback-server.js';

const REFUSED_TLS = 'ERR_PG_TLS_REFUSED';

describe('codec/pg/client/link', function () {
  this.timeout(20_000);
  let right: Certificate;
  let wrongName: Certificate;
  let unknown: Certificate;
  let expired: Certificate;
  let ca: string;
  const servers: LoopbackServer[] = [];
  const links: Link[] = [];

  before(async () => {
    right = await makeCertificate({ names: ['localhost', '127.0.0.1'] });
    wrongName = await makeCertificate({ names: ['other.example', '192.0.2.1'] });
    unknown = await makeCertificate({ authority: await makeAuthority({ name: 'Nobody Knows' }) });
    expired = await makeCertificate({ notAfter: new Date(Date.now() - 60_000) });
    ca = right.ca;
  });
  afterEach(async () => {
    for (const { stream } of links.splice(0)) stream.destroy();
    for (const server of servers.splice(0)) await server.stop();
  });
  after(removeFolders);

  async function serve(script: Script, path?: string): Promise<LoopbackServer> {
    const server = await LoopbackServer.start(script, path);
    servers.push(server);
    return server;
  }

  /** Says S, then TLS, then echoes. */
  const afterRequest =
    ({ key, cert }: Certificate): Script =>
    async (socket) => {
      await answerSslRequest(socket, 'S');
      const tls = serveTls(socket, { key, cert, ALPNProtocols: ['postgresql'] });
      tls.pipe(tls);
    };

  /** TLS at once, then echoes. */
  const atOnce =
    ({ key, cert }: Certificate, options: TLSSocketOptions = {}): Script =>
    (socket) => {
      const tls = serveTls(socket, { key, cert, ...options });
      tls.pipe(tls);
    };

  interface Extra extends Partial<LinkOptions> {
    conninfo?: Conninfo;
  }

  function optionsFor({ port }: { port: number }, { conninfo = {}, ...extra }: Extra = {}): LinkOptions {
    const target = resolveConninfo({ host: 'localhost', hostaddr: '127.0.0.1', port, ...conninfo }, NOWHERE);
    const [host] = target.hosts;
    if (!host) throw new Error('no host');
    return { transport: tcpTransport(), target, host, ...extra };
  }

  async function open(server: { port: number }, extra?: Extra): Promise<Link> {
    const link = await openLink(optionsFor(server, extra));
    links.push(link);
    return link;
  }

  /** `tls`, `plain`, or the code of the error. */
  async function outcome(server: LoopbackServer, extra: Extra): Promise<string> {
    try {
      const link = await open(server, extra);
      await echoes(link);
      return link.verified ? `${link.encryption} verified` : link.encryption;
    } catch (error) {
      return (error as NodeJS.ErrnoException).code ?? String(error);
    }
  }

  describe('certificates', () => {
    const KINDS = ['right', 'wrong name', 'unknown authority', 'expired'] as const;
    type Kind = (typeof KINDS)[number];
    const certificateOf = (kind: Kind): Certificate =>
      ({ right, 'wrong name': wrongName, 'unknown authority': unknown, expired })[kind];

    const UNKNOWN = 'UNABLE_TO_VERIFY_LEAF_SIGNATURE';
    /** With the authority's certificate given; in the order of KINDS. */
    const WITH_CA: Partial<Record<SslMode, string[]>> = {
      require: ['tls', 'tls', UNKNOWN, 'CERT_HAS_EXPIRED'],
      'verify-ca': ['tls', 'tls', UNKNOWN, 'CERT_HAS_EXPIRED'],
      'verify-full': ['tls verified', 'ERR_TLS_CERT_ALTNAME_INVALID', UNKNOWN, 'CERT_HAS_EXPIRED'],
    };
    /** Without: verify-* go by Node's trust store. */
    const WITHOUT_CA: Partial<Record<SslMode, string[]>> = {
      allow: ['tls', 'tls', 'tls', 'tls'],
      prefer: ['tls', 'tls', 'tls', 'tls'],
      require: ['tls', 'tls', 'tls', 'tls'],
      'verify-ca': [UNKNOWN, UNKNOWN, UNKNOWN, 'CERT_HAS_EXPIRED'],
      'verify-full': [UNKNOWN, UNKNOWN, UNKNOWN, 'CERT_HAS_EXPIRED'],
    };

    const ways = {
      'after SSLRequest': { script: afterRequest, extra: {} },
      'with sslnegotiation=direct': {
        script: (certificate: Certificate) => atOnce(certificate, { ALPNProtocols: ['postgresql'] }),
        extra: { conninfo: { sslnegotiation: 'direct' } },
      },
      'over a secure transport': { script: atOnce, extra: { transport: tlsTransport() } },
    } as const;

    for (const [way, { script, extra }] of Object.entries(ways)) {
      for (const [given, table] of Object.entries({ 'with the authority': WITH_CA, without: WITHOUT_CA })) {
        for (const [sslmode, expected] of Object.entries(table) as [SslMode, string[]][]) {
          if (sslmode === 'allow' || (sslmode === 'prefer' && way !== 'after SSLRequest')) continue;
          it(`${sslmode} ${way}, ${given}: ${expected.join(', ')}`, async () => {
            for (const [index, kind] of KINDS.entries()) {
              const server = await serve(script(certificateOf(kind)));
              const { conninfo, ...others } = { conninfo: {}, ...extra };
              const tls = given === 'without' ? undefined : { ca };
              const actual = await outcome(server, { ...others, tls, conninfo: { ...conninfo, sslmode } });
              expect(actual, kind).to.equal(expected[index]);
            }
          });
        }
      }
    }

    it('prefer with a root certificate falls back to plaintext from one that is not verified, as libpq', async () => {
      const server = await serve((socket, nth) =>
        nth === 0 ? afterRequest(unknown)(socket, nth) : socket.pipe(socket),
      );
      expect(await outcome(server, { tls: { ca }, conninfo: { sslmode: 'prefer' } })).to.equal('plain');
      expect(server.connections).to.equal(2);
    });

    it('are checked for the name, not for the address that is dialled, also where SNI is off', async () => {
      const names: (string | undefined)[] = [];
      const byName = await makeCertificate({ names: ['localhost'] });
      const script: Script = async (socket) => {
        await answerSslRequest(socket, 'S');
        const tls = serveTls(socket, {
          ...byName,
          SNICallback: (name, done) => {
            names.push(name);
            done(null);
          },
        });
        tls.pipe(tls);
      };
      const server = await serve(script);
      for (const sslsni of [true, false]) {
        const conninfo = { sslmode: 'verify-full', sslsni };
        expect(await outcome(server, { tls: { ca }, conninfo })).to.equal('tls verified');
        const other = { ...conninfo, host: 'other.example' };
        expect(await outcome(server, { tls: { ca }, conninfo: other })).to.equal('ERR_TLS_CERT_ALTNAME_INVALID');
      }
      expect(names).to.deep.equal(['localhost', 'other.example']);
    });

    it('for an address are checked for the address', async () => {
      const script = afterRequest(right);
      const conninfo = { sslmode: 'verify-full', host: '127.0.0.1' };
      expect(await outcome(await serve(script), { tls: { ca }, conninfo })).to.equal('tls verified');
      const server = await serve(afterRequest(wrongName));
      expect(await outcome(server, { tls: { ca }, conninfo })).to.equal('ERR_TLS_CERT_ALTNAME_INVALID');
    });

    it('match by a wildcard for one whole label, and by the common name where there is no other', async () => {
      const matches = async (certificate: Certificate, host: string) => {
        const server = await serve(afterRequest(certificate));
        return outcome(server, { tls: { ca }, conninfo: { sslmode: 'verify-full', host } });
      };
      const wildcard = await makeCertificate({ names: ['*.db.example'], commonName: 'by.name' });
      expect(await matches(wildcard, 'a.db.example')).to.equal('tls verified');
      expect(await matches(wildcard, 'DB1.db.EXAMPLE')).to.equal('tls verified');
      expect(await matches(wildcard, 'a.b.db.example')).to.equal('ERR_TLS_CERT_ALTNAME_INVALID');
      expect(await matches(wildcard, 'db.example')).to.equal('ERR_TLS_CERT_ALTNAME_INVALID');
      expect(await matches(wildcard, 'by.name')).to.equal('ERR_TLS_CERT_ALTNAME_INVALID');
      const partial = await makeCertificate({ names: ['d*.db.example'] });
      expect(await matches(partial, 'd1.db.example')).to.equal('ERR_TLS_CERT_ALTNAME_INVALID');
      expect(await matches(await makeCertificate({ names: [], commonName: 'by.name' }), 'by.name')).to.equal(
        'tls verified',
      );
    });

    it('that are revoked are refused', async () => {
      const server = await serve(afterRequest(right));
      const crl = await makeRevocationList({ revoked: [right.cert] });
      const none = await makeRevocationList({ revoked: [] });
      expect(await outcome(server, { tls: { ca, crl }, conninfo: { sslmode: 'verify-ca' } })).to.equal('CERT_REVOKED');
      expect(await outcome(server, { tls: { ca, crl: none }, conninfo: { sslmode: 'verify-ca' } })).to.equal('tls');
    });

    it('of the server are there for channel binding, whatever is verified', async () => {
      const server = await serve(afterRequest(unknown));
      const link = await open(server, { conninfo: { sslmode: 'require' } });
      expect(link.certificate()).to.deep.equal(new X509Certificate(unknown.cert).raw);
    });

    it('of the client go to a server that asks for them', async () => {
      const client = await makeCertificate({ names: ['alice'], usage: 'client' });
      const subjects: unknown[] = [];
      const server = await serve(async (socket) => {
        await answerSslRequest(socket, 'S');
        const tls = serveTls(socket, { ...right, ca, requestCert: true, rejectUnauthorized: true });
        tls.on('secure', () => subjects.push(tls.getPeerCertificate().subject?.CN));
        tls.pipe(tls);
      });
      const { cert, key } = client;
      expect(await outcome(server, { tls: { cert, key }, conninfo: { sslmode: 'require' } })).to.equal('tls');
      expect(subjects).to.deep.equal(['alice']);
    });

    it('a secure transport keeps its own authority, unless sslrootcert=system says another', async () => {
      const server = await serve(atOnce(right));
      const transport = tlsTransport({ ca });
      expect(await outcome(server, { transport })).to.equal('tls verified');
      expect(await outcome(server, { transport, conninfo: { sslrootcert: 'system' } })).to.equal(UNKNOWN);
    });

    it('a secure transport that verifies nothing is told to', async () => {
      const server = await serve(atOnce(unknown));
      expect(await outcome(server, { transport: tlsTransport({ rejectUnauthorized: false }) })).to.equal(UNKNOWN);
    });

    it('a transport that says it is secure and is not does not pass for verified', async () => {
      const server = await serve((socket) => socket.pipe(socket));
      const transport: Transport = Object.assign(tcpTransport(), { secure: true });
      expect(await outcome(server, { transport })).to.equal('tls');
    });
  });

  describe('the answer to SSLRequest', () => {
    const says =
      (answer: string): Script =>
      (socket) =>
        answerSslRequest(socket, answer);

    it('N: goes on in plaintext on the same connection, where sslmode lets it', async () => {
      const script: Script = async (socket) => {
        await answerSslRequest(socket, 'N');
        socket.pipe(socket);
      };
      const server = await serve(script);
      expect(await outcome(server, { conninfo: { sslmode: 'prefer' } })).to.equal('plain');
      expect(server.connections).to.equal(1);
      for (const sslmode of ['require', 'verify-ca', 'verify-full']) {
        expect(await outcome(await serve(script), { conninfo: { sslmode } })).to.equal(REFUSED_TLS);
      }
    });

    const BAD: [string, string][] = [
      ['S followed by a plaintext message', 'ERR_PG_TLS_INJECTION'],
      ['N followed by a plaintext message', 'ERR_PG_TLS_INJECTION'],
      ['EFATAL', 'ERR_PG_NEGOTIATION'],
      ['HTTP/1.1 400 Bad Request', 'ERR_PG_NEGOTIATION'],
    ];
    for (const [answer, code] of BAD) {
      it(`${JSON.stringify(answer)}: ${code}, and the connection is ended`, async () => {
        const server = await serve(says(answer));
        for (const sslmode of ['prefer', 'require']) {
          expect(await outcome(server, { conninfo: { sslmode } })).to.equal(code);
        }
        await server.allClosed();
        expect(server.connections).to.equal(2);
      });
    }

    it('none but the end, or a reset: a lost connection', async () => {
      const ended = await serve((socket) => socket.end());
      const reset = await serve(async (socket) => {
        await firstBytes(socket, 8);
        socket.resetAndDestroy();
      });
      for (const server of [ended, reset]) {
        expect(await outcome(server, { conninfo: { sslmode: 'prefer' } })).to.equal('ERR_PG_CONNECTION_LOST');
      }
    });

    it('S, and then plaintext: TLS fails, and nothing of it is taken for data', async () => {
      const server = await serve(async (socket) => {
        await answerSslRequest(socket, 'S');
        await once(socket, 'readable');
        socket.end('R\0\0\0\x08\0\0\0\0Z\0\0\0\x05I');
      });
      expect(await outcome(server, { conninfo: { sslmode: 'require' } })).to.match(/^ERR_SSL_|^EPROTO$/);
    });

    it('S, and TLS that fails: a second connection without under prefer, none under require', async () => {
      const script: Script = async (socket, nth) => {
        if (nth > 0) {
          socket.pipe(socket);
          return;
        }
        await answerSslRequest(socket, 'S');
        socket.end();
      };
      const server = await serve(script);
      expect(await outcome(server, { conninfo: { sslmode: 'prefer' } })).to.equal('plain');
      expect(server.connections).to.equal(2);
      const other = await serve(script);
      expect(await outcome(other, { conninfo: { sslmode: 'require' } })).to.equal('ECONNRESET');
      expect(other.connections).to.equal(1);
    });
  });

  describe('sslnegotiation=direct', () => {
    const direct = { sslmode: 'require', sslnegotiation: 'direct' };

    it('to a server that takes ClientHello for a bad message and ends: says what it needs', async () => {
      const server = await serve(async (socket) => {
        await once(socket, 'readable');
        socket.end();
      });
      const error = await open(server, { conninfo: direct }).catch((reason: Error) => reason);
      expect(error).to.include({ code: 'ERR_PG_DIRECT_TLS' });
      expect(error)
        .to.have.property('message')
        .that.matches(/PostgreSQL 17.*sslnegotiation=postgres/);
    });

    it('to a server that answers with a message of its own: the same', async () => {
      const server = await serve((socket) => socket.end('E\0\0\0\x20SFATAL\0'));
      expect(await outcome(server, { conninfo: direct })).to.equal('ERR_PG_DIRECT_TLS');
    });

    it('to a server without ALPN, or with another protocol: refused', async () => {
      expect(await outcome(await serve(atOnce(right)), { conninfo: direct })).to.equal('ERR_PG_ALPN');
      const transport = tlsTransport({ ca });
      expect(await outcome(await serve(atOnce(right)), { transport, conninfo: direct })).to.equal('ERR_PG_ALPN');
      expect(await outcome(await serve(atOnce(right)), { transport })).to.equal('tls verified');
    });

    it('sends ClientHello first', async () => {
      const seen: number[] = [];
      const server = await serve(async (socket) => {
        seen.push((await firstBytes(socket, 1))[0] ?? 0);
        socket.end();
      });
      await outcome(server, { conninfo: direct });
      await outcome(server, { transport: tlsTransport() });
      expect(seen).to.deep.equal([0x16, 0x16]);
    });
  });

  it('over a Unix socket there is no TLS, whatever sslmode says', async () => {
    const directory = temporaryFolder();
    await serve((socket) => socket.pipe(socket), join(directory, '.s.PGSQL.5432'));
    for (const sslmode of SSL_MODES) {
      const conninfo: Conninfo = { host: directory, hostaddr: '', port: 5432, sslmode };
      const link = await open({ port: 5432 }, { conninfo });
      await echoes(link);
      expect(link).to.include({ encryption: 'local', verified: false });
    }
  });

  it("over Linux's abstract namespace too", async function () {
    if (process.platform !== 'linux') skip(this, 'Linux alone has an abstract namespace of Unix sockets');
    const name = `turbotls-link-${process.pid}`;
    await serve((socket) => socket.pipe(socket), `\0${name}/.s.PGSQL.5432`);
    const link = await open({ port: 5432 }, { conninfo: { host: `@${name}`, hostaddr: '', port: 5432 } });
    await echoes(link);
    expect(existsSync(`@${name}`)).to.equal(false);
  });

  it('over a transport that is no socket', async () => {
    const server = await serve(afterRequest(right));
    const dial = tcpTransport();
    const transport: Transport = async (address, options) => {
      const socket = await dial(address, options);
      return new Wrapped(socket as Socket);
    };
    expect(await outcome(server, { transport, tls: { ca }, conninfo: { sslmode: 'verify-full' } })).to.equal(
      'tls verified',
    );
  });

  it('is told the bytes that come right behind the first of the login, all of them', async () => {
    const server = await serve(async (socket) => {
      await answerSslRequest(socket, 'N');
      await firstBytes(socket, 1);
      for (let part = 0; part < 10; part++) socket.write(Buffer.alloc(10_000, part));
    });
    const { stream } = await open(server, { conninfo: { sslmode: 'prefer' } });
    stream.write('x');
    let length = 0;
    for await (const chunk of stream) {
      length += (chunk as Buffer).length;
      if (length === 100_000) break;
    }
    expect(length).to.equal(100_000);
  });

  it('reports each step, and what to try where the login is refused', async () => {
    const steps: LinkStep[] = [];
    const onProgress = (step: LinkStep) => steps.push(step);
    const server = await serve(afterRequest(right));
    const link = await open(server, { conninfo: { sslmode: 'prefer' }, onProgress });
    expect(steps).to.deep.equal(['connected', 'answered', 'secured']);
    expect(link.otherwise).to.include({ encryption: 'plain' });
    const echo = await serve((socket) => socket.pipe(socket));
    const options = optionsFor(echo, { conninfo: { sslmode: 'prefer' } });
    const second = await openLink(options, link.otherwise);
    links.push(second);
    expect(second).to.include({ encryption: 'plain', otherwise: undefined });
  });

  it('switches keepalives on, or off, as the parameters say', async () => {
    const calls: unknown[][] = [];
    const dial = tcpTransport();
    const transport: Transport = async (address, options) => {
      const socket = (await dial(address, options)) as Socket;
      const { setKeepAlive } = socket;
      return Object.assign(socket, {
        setKeepAlive(...args: [boolean, number]) {
          calls.push(args);
          return setKeepAlive.apply(socket, args);
        },
      });
    };
    const server = await serve(() => {});
    await open(server, { transport, conninfo: { sslmode: 'disable', keepalives_idle: 30 } });
    await open(server, { transport, conninfo: { sslmode: 'disable', keepalives: false } });
    expect(calls).to.deep.equal([
      [true, 30_000],
      [false, undefined],
    ]);
  });

  describe('an abort', () => {
    const reason = new Error('enough');

    /** Where a connection may hang: at what the server then waits for. */
    const HANGS: Record<string, { script: Script; extra: Extra; after: LinkStep | 'dialled' }> = {
      'at the answer': { script: () => {}, extra: {}, after: 'connected' },
      'at the handshake': { script: (socket) => answerSslRequest(socket, 'S'), extra: {}, after: 'answered' },
      'at the handshake of direct TLS': {
        script: () => {},
        extra: { conninfo: { sslmode: 'require', sslnegotiation: 'direct' } },
        after: 'connected',
      },
      'within a secure transport': { script: () => {}, extra: { transport: tlsTransport() }, after: 'dialled' },
    };
    for (const [where, { script, extra, after }] of Object.entries(HANGS)) {
      it(`${where} rejects with its reason and ends the connection`, async () => {
        const controller = new AbortController();
        let accepted = () => {};
        const isAccepted = new Promise<void>((resolve) => {
          accepted = resolve;
        });
        const server = await serve((socket, nth) => {
          accepted();
          return script(socket, nth);
        });
        const onProgress = (step: LinkStep) => {
          if (step === after) setImmediate(() => controller.abort(reason));
        };
        const opening = open(server, { ...extra, signal: controller.signal, onProgress }).catch((error) => error);
        await isAccepted;
        if (after === 'dialled') controller.abort(reason);
        expect(await opening).to.equal(reason);
        await server.allClosed();
        expect(server.connections).to.equal(1);
      });
    }

    it('before anything dials nothing', async () => {
      const server = await serve(() => {});
      const signal = AbortSignal.abort(reason);
      expect(await open(server, { signal }).catch((error) => error)).to.equal(reason);
      expect(server.connections).to.equal(0);
    });

    it('once the link is there does nothing to it', async () => {
      const controller = new AbortController();
      const server = await serve(afterRequest(right));
      const link = await open(server, { signal: controller.signal });
      controller.abort(reason);
      await echoes(link);
    });
  });

  it('passes on the error of a host that is not there', async () => {
    const server = await LoopbackServer.start(() => {});
    const { port } = server;
    await server.stop();
    for (const transport of [tcpTransport(), tlsTransport()]) {
      const error = await open({ port }, { transport }).catch((reason: Error) => reason);
      expect(error).to.have.property('code', 'ECONNREFUSED');
    }
  });

  it('is not made with options that contradict each other, and nothing is dialled', async () => {
    const server = await serve(() => {});
    const BAD: Extra[] = [
      { conninfo: { sslnegotiation: 'turbo' } },
      { conninfo: { sslnegotiation: 'direct', sslmode: 'prefer' } },
      { transport: tlsTransport(), conninfo: { sslmode: 'prefer' } },
      { conninfo: { sslmode: 'verify-ca', sslrootcert: '/no/such/file' } },
    ];
    for (const extra of BAD) expect(await outcome(server, extra)).to.equal('ERR_PG_BAD_OPTION');
    expect(server.connections).to.equal(0);
  });

  it('agrees to ALPN with a server of node:tls', async () => {
    const server = createTlsServer({ ...right, ALPNProtocols: ['h2', 'postgresql'] }, (socket) => socket.pipe(socket));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    try {
      const { port } = server.address() as { port: number };
      const link = await open({ port }, { transport: tlsTransport({ ca }), conninfo: { sslnegotiation: 'direct' } });
      expect(link.stream).to.have.property('alpnProtocol', 'postgresql');
      link.stream.destroy();
    } finally {
      server.close();
    }
  });
});

/** A Duplex that node:tls cannot take the handle of. */
class Wrapped extends Duplex {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    super();
    this.#socket = socket;
    socket.on('data', (chunk) => {
      if (!this.push(chunk)) socket.pause();
    });
    socket.on('end', () => this.push(null));
    socket.on('close', () => this.destroy());
  }

  override _read(): void {
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#socket.write(chunk, done);
  }

  override _final(done: () => void): void {
    this.#socket.end(done);
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket.destroy();
    done(error);
  }
}

/** That what is sent comes back. */
async function echoes({ stream }: Link): Promise<void> {
  stream.write('hello');
  const [chunk] = await once(stream, 'data');
  expect(String(chunk)).to.equal('hello');
}
