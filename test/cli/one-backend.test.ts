import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { UsageError } from '../../src/cli/exit.js';
import { type OneBackend, oneBackendPlan } from '../../src/cli/one-backend.js';
import { makeCertificate } from '../support/certificates.js';

describe('cli: one backend', () => {
  let folder: string;
  let files: { cert: string; key: string };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'turbotls-options-'));
    const { cert, key, ca } = await makeCertificate({ names: ['localhost'] });
    files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
    await writeFile(files.cert, cert);
    await writeFile(files.key, key);
    await writeFile(join(folder, 'ca.pem'), ca);
  });
  after(() => rm(folder, { recursive: true, force: true }));

  const plan = (to: string, more: Partial<OneBackend> = {}) => oneBackendPlan({ listen: [':443'], to: [to], ...more });

  for (const [to, transport, target] of [
    ['10.0.0.1:6379', 'plain', { host: '10.0.0.1', port: 6379 }],
    ['tcp://db:1', 'plain', { host: 'db', port: 1 }],
    ['tls://[::1]:1', 'plain', { host: '::1', port: 1 }],
    ['postgres://db', 'postgres', { host: 'db', port: 5432 }],
    ['postgres://db:6543/', 'postgres', { host: 'db', port: 6543 }],
  ] as const) {
    it(`passes TLS through to ${to}`, () => {
      const [route] = plan(to).routes;
      expect(route?.mode.kind).to.equal('passthrough');
      expect(route?.backend).to.deep.include({ transport, targets: [target] });
    });
  }

  for (const [to, transport] of [
    ['10.0.0.1:6379', 'plain'],
    ['tls://db:1', 'tls'],
    ['postgres://db', 'plain'],
    ['postgres+tls://db', 'postgres-tls'],
  ] as const) {
    it(`ends TLS in front of ${to}`, () => {
      const [route] = plan(to, files).routes;
      expect(route?.mode.kind).to.equal('terminate');
      expect(route?.backend).to.deep.include({ transport });
      const postgres = to.startsWith('postgres');
      expect(route?.match.protocols).to.deep.equal(postgres ? ['postgresql'] : []);
      if (postgres) expect(plan(to, { ...files, alpn: ['x'] }).routes[0]?.match.protocols).to.deep.equal([]);
    });
  }

  it('takes all that there is for one route', () => {
    const made = oneBackendPlan({
      listen: ['127.0.0.1:1', '[::1]:1'],
      to: ['a:1', 'b:2'],
      ...files,
      clientCa: join(folder, 'ca.pem'),
      alpn: ['h2'],
      proxyProtocol: true,
      admin: ':9090',
    });
    expect(made.listen).to.have.lengthOf(2);
    expect(made.admin).to.deep.equal({ host: '127.0.0.1', port: 9090 });
    const [route] = made.routes;
    expect(route?.backend).to.deep.include({ proxyProtocol: true });
    expect(route?.backend.targets).to.have.lengthOf(2);
    expect(route?.mode).to.deep.include({
      alpn: ['h2'],
      clientCertificate: { mode: 'require', ca: join(folder, 'ca.pem') },
    });
  });

  it('names the option that is wrong', () => {
    expect(() => plan('a:1', { admin: 'x' })).to.throw(UsageError, /^--admin: /);
    expect(() => plan('a:1', { listen: ['x'] })).to.throw(UsageError, /^--listen: /);
    expect(() => plan('a')).to.throw(UsageError, /^--to: /);
    expect(() => plan('a:1', { ...files, key: files.cert })).to.throw(UsageError, /^--key: /);
    expect(() => plan('a:1', { ...files, clientCa: '/no/ca' })).to.throw(UsageError, /^--client-ca: /);
  });
});
