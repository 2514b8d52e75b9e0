import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type SecureContext } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { type CertificateNews, CertificateStore } from '../../../src/gateway/ops/index.js';
import type { TerminateMode } from '../../../src/gateway/plan.js';
import { type Certificate, makeAuthority, makeCertificate } from '../../support/certificates.js';
import { type Folder, makeFolder } from '../config/files.js';

const POLL_MS = 20;
const STARVED = fileURLToPath(new URL('./starved-store.js', import.meta.url));

const run = promisify(execFile);

describe('gateway certificate store', () => {
  let folder: Folder;
  let store: CertificateStore | undefined;
  let news: CertificateNews[];
  let onNews: (() => void) | undefined;

  beforeEach(() => {
    folder = makeFolder();
    news = [];
  });
  afterEach(() => {
    store?.close();
    store = undefined;
    folder.remove();
  });

  const write = (name: string, { cert, key }: Certificate) => ({
    cert: folder.write(`${name}.pem`, cert),
    key: folder.write(`${name}.key`, key),
  });

  const open = (certificates: TerminateMode['certificates'], ca?: string): CertificateStore => {
    const clientCertificate = ca === undefined ? ({ mode: 'none' } as const) : ({ mode: 'require', ca } as const);
    store = new CertificateStore(
      { certificates, clientCertificate, minVersion: 'TLSv1.2' },
      {
        pollMs: POLL_MS,
        onNews: (each) => {
          news.push(each);
          onNews?.();
        },
      },
    );
    news = [];
    return store;
  };

  /** Once there is news, of what there is by then. */
  const nextNews = async (): Promise<CertificateNews | undefined> => {
    if (news.length === 0) await new Promise<void>((resolve) => (onNews = resolve));
    onNews = undefined;
    return news.shift();
  };

  /** The name of the certificate that a client gets, over real TLS. */
  async function shown(context: SecureContext, client: object = {}): Promise<string> {
    const server = createServer({ SNICallback: (_name, done) => done(null, context), ...client });
    server.on('tlsClientError', () => {});
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    const socket = connect({ port, host: '127.0.0.1', servername: 'any.example', rejectUnauthorized: false });
    try {
      await once(socket, 'secureConnect');
      return socket.getPeerCertificate().subjectaltname?.replaceAll('DNS:', '') ?? '';
    } finally {
      socket.destroy();
      server.close();
    }
  }

  it('chooses by server name: exact, then wildcard, then the first', async () => {
    const first = write('first', await makeCertificate({ names: ['first.example.com'] }));
    const wild = write('wild', await makeCertificate({ names: ['*.example.com'] }));
    const exact = write('exact', await makeCertificate({ names: ['a.example.com', 'other.example'] }));
    const { contextFor } = bound(open([first, wild, exact]));
    expect(await shown(contextFor('first.example.com'))).to.equal('first.example.com');
    expect(await shown(contextFor('a.example.com'))).to.equal('a.example.com, other.example');
    expect(await shown(contextFor('other.example'))).to.equal('a.example.com, other.example');
    expect(await shown(contextFor('b.example.com'))).to.equal('*.example.com');
    expect(await shown(contextFor('x.b.example.com')), 'a wildcard is for one label').to.equal('first.example.com');
    expect(await shown(contextFor('elsewhere.org'))).to.equal('first.example.com');
    expect(await shown(contextFor(undefined))).to.equal('first.example.com');
    expect(contextFor('b.example.com'), 'tickets are scoped by certificate').to.not.equal(contextFor(undefined));
    expect(contextFor('b.example.com')).to.equal(contextFor('c.example.com'));
  });

  it('has a new certificate when its files have changed', async () => {
    const files = write('a', await makeCertificate({ names: ['old.example.com'] }));
    const { contextFor } = bound(open([files]));
    const before = contextFor(undefined);
    const renewed = await makeCertificate({ names: ['new.example.com'], notAfter: new Date('2040-01-01') });
    write('a', renewed);
    expect(await nextNews()).to.deep.equal({
      file: files.cert,
      expiresAt: Date.UTC(2040, 0),
      warnings: [],
      error: undefined,
    });
    expect(await shown(contextFor(undefined))).to.equal('new.example.com');
    expect(await shown(before), 'what was given out stays usable').to.equal('old.example.com');
  });

  it('follows the swap of a symbolic link, as Kubernetes mounts Secrets', async () => {
    const put = (version: string, { cert, key }: Certificate) => {
      mkdirSync(`${folder.path}/..${version}`);
      writeFileSync(`${folder.path}/..${version}/tls.crt`, cert);
      writeFileSync(`${folder.path}/..${version}/tls.key`, key);
      symlinkSync(`..${version}`, `${folder.path}/..data_tmp`);
      renameSync(`${folder.path}/..data_tmp`, `${folder.path}/..data`);
    };
    put('1', await makeCertificate({ names: ['one.example.com'] }));
    for (const name of ['tls.crt', 'tls.key']) symlinkSync(`..data/${name}`, `${folder.path}/${name}`);
    const { contextFor } = bound(open([{ cert: `${folder.path}/tls.crt`, key: `${folder.path}/tls.key` }]));
    put('2', await makeCertificate({ names: ['two.example.com'] }));
    rmSync(`${folder.path}/..1`, { recursive: true });
    expect(await nextNews()).to.include({ error: undefined });
    expect(await shown(contextFor(undefined))).to.equal('two.example.com');
    expect(news, 'two files, one piece of news').to.deep.equal([]);
  });

  it('keeps what it has while the new files cannot be used, says so once, and takes them when they can', async () => {
    const files = write('a', await makeCertificate({ names: ['old.example.com'] }));
    const other = write('b', await makeCertificate({ names: ['b.example.com'] }));
    const { contextFor } = bound(open([files, other]));
    const before = contextFor(undefined);
    const otherBefore = contextFor('b.example.com');

    const renewed = await makeCertificate({ names: ['new.example.com'] });
    folder.write('a.pem', renewed.cert);
    const failure = await nextNews();
    expect(failure).to.include({ file: files.cert }).and.have.nested.property('error.code', 'ERR_GATEWAY_CERTIFICATE');
    expect(failure?.error?.message).to.include(`${files.key} is not the key of the certificate`);
    expect(contextFor(undefined)).to.equal(before);

    await new Promise((resolve) => setTimeout(resolve, 5 * POLL_MS));
    expect(news).to.deep.equal([]);

    folder.write('a.key', renewed.key);
    expect(await nextNews()).to.include({ file: files.cert, error: undefined });
    expect(await shown(contextFor(undefined))).to.equal('new.example.com');
    expect(contextFor('b.example.com'), 'the others are left alone').to.equal(otherBefore);
  });

  it('keeps what it has while files are away or half written', async () => {
    const certificate = await makeCertificate({ names: ['old.example.com'] });
    const files = write('a', certificate);
    const { contextFor } = bound(open([files]));
    const before = contextFor(undefined);
    rmSync(files.cert);
    expect((await nextNews())?.error?.message).to.include('there is no such file');
    folder.write('a.pem', certificate.cert.slice(0, 200));
    expect((await nextNews())?.error?.message).to.include('has no certificate');
    folder.write('a.pem', certificate.cert);
    await new Promise((resolve) => setTimeout(resolve, 5 * POLL_MS));
    expect(news, 'the same as before is not news').to.deep.equal([]);
    expect(contextFor(undefined)).to.equal(before);
  });

  it('tries again by itself where nothing has changed but that descriptors are to be had', async () => {
    const files = write('a', await makeCertificate({ names: ['old.example.com'] }));
    write('b', await makeCertificate({ names: ['new.example.com'] }));
    const { stdout } = await run('sh', ['-c', `ulimit -n 64; exec "$0" "$@"`, process.execPath, STARVED, folder.path]);
    expect(stdout.trim().split('\n')).to.deep.equal([
      `${files.cert} cannot be read: EMFILE`,
      'descriptors are to be had',
      'new.example.com',
    ]);
  });

  it('has new authorities of clients when their file has changed, for every certificate', async () => {
    const files = write('a', await makeCertificate({ names: ['a.example.com'] }));
    const [one, two] = [await makeAuthority({ name: 'One' }), await makeAuthority({ name: 'Two' })];
    const ca = folder.write('ca.pem', one.cert);
    const { contextFor } = bound(open([files], ca));
    const before = contextFor(undefined);
    folder.write('ca.pem', two.cert);
    expect(await nextNews()).to.deep.equal({ file: ca, expiresAt: undefined, warnings: [], error: undefined });
    expect(contextFor(undefined)).to.not.equal(before);
    folder.write('ca.pem', 'nothing');
    expect((await nextNews())?.error?.message).to.include('has no certificate');
    expect(store?.defaults.ca).to.equal(two.cert.trim());
  });

  it('warns of a certificate that has expired, and uses it', async () => {
    const files = write('a', await makeCertificate({ names: ['a.example.com'] }));
    open([files]);
    write('a', await makeCertificate({ names: ['a.example.com'], notAfter: new Date('2020-01-01') }));
    expect((await nextNews())?.warnings).to.deep.equal(['has expired: Jan  1 00:00:00 2020 GMT']);
  });

  it('does not begin with files that cannot be used, and leaves nothing behind', async () => {
    const { cert } = write('a', await makeCertificate({ names: ['a.example.com'] }));
    const { key } = write('b', await makeCertificate({ names: ['b.example.com'] }));
    expect(() => open([{ cert, key }]))
      .to.throw('is not the key of the certificate')
      .with.property('code', 'ERR_GATEWAY_CERTIFICATE');
    expect(() => open([{ cert, key: `${folder.path}/none` }])).to.throw(
      `${folder.path}/none cannot be read: there is no such file`,
    );
    const whole = write('a', await makeCertificate({ names: ['a.example.com'] }));
    expect(() => open([whole], `${folder.path}/none`)).to.throw('none cannot be read');
  });

  it('sees no change after it was closed', async () => {
    const files = write('a', await makeCertificate({ names: ['a.example.com'] }));
    open([files]).close();
    write('a', await makeCertificate({ names: ['b.example.com'] }));
    await new Promise((resolve) => setTimeout(resolve, 5 * POLL_MS));
    expect(news).to.deep.equal([]);
  });
});

function bound(store: CertificateStore): { contextFor: (name: string | undefined) => SecureContext } {
  return { contextFor: (name) => store.certificateFor(name).context };
}
