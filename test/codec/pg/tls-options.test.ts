import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'chai';
import { type Conninfo, type PgTarget, resolveConninfo } from '../../../src/codec/pg/conninfo/conninfo.js';
import { SSL_MODES, type SslMode } from '../../../src/codec/pg/conninfo/target.js';
import { tlsOptionsFor } from '../../../src/codec/pg/tls-options.js';
import { NOWHERE, refusal, removeFolders, temporaryFolder } from './conninfo/support.js';

type Files = Record<string, string>;

/** A home directory with these files in .postgresql, readable by nobody else. */
function homeWith(files: Files): string {
  const home = temporaryFolder();
  mkdirSync(join(home, '.postgresql'));
  for (const [name, text] of Object.entries(files)) {
    writeFileSync(join(home, '.postgresql', name), text, { mode: 0o600 });
  }
  return home;
}

function targetOf(conninfo: Conninfo = {}, files: Files = {}): PgTarget {
  return resolveConninfo({ host: 'db.example', ...conninfo }, { ...NOWHERE, home: homeWith(files) });
}

function optionsOf(sslmode: SslMode, conninfo?: Conninfo, files?: Files, given?: Parameters<typeof tlsOptionsFor>[3]) {
  const target = targetOf(conninfo, files);
  const [host] = target.hosts;
  if (!host) throw new Error('no host');
  return tlsOptionsFor(target, host, sslmode, given).options;
}

const text = (value: unknown) => String(value);

describe('codec/pg/tls-options', () => {
  after(removeFolders);

  it('offers ALPN, and says what is to be verified, in every mode', () => {
    for (const sslmode of SSL_MODES) {
      const options = optionsOf(sslmode);
      expect(options.ALPNProtocols).to.deep.equal(['postgresql']);
      expect(options.rejectUnauthorized, sslmode).to.equal(sslmode.startsWith('verify'));
      expect(options.checkServerIdentity).to.be.a('function');
    }
  });

  it('leaves out what nobody asked for, so that the options of a transport stay', () => {
    expect(Object.keys(optionsOf('verify-full')).sort()).to.deep.equal([
      'ALPNProtocols',
      'checkServerIdentity',
      'rejectUnauthorized',
      'servername',
    ]);
    expect(optionsOf('verify-full', { sslrootcert: 'system' })).to.have.property('ca', undefined);
  });

  it('is for the server that is meant only with verify-full', () => {
    const target = targetOf();
    const verified = SSL_MODES.filter((sslmode) => tlsOptionsFor(target, { name: 'h' }, sslmode).verified);
    expect(verified).to.deep.equal(['verify-full']);
  });

  it('sends the name of the host, but no address, no directory, and none with sslsni=0', () => {
    const sent = (name: string, sslsni: boolean) =>
      tlsOptionsFor(targetOf({ sslsni }), { name }, 'require').options.servername;
    expect(sent('db.example', true)).to.equal('db.example');
    for (const name of ['192.0.2.1', '2001:db8::1', '/run/postgresql', '@abstract']) {
      expect(sent(name, true), name).to.equal('');
    }
    expect(sent('db.example', false)).to.equal('');
  });

  it('has the versions that are asked for', () => {
    const options = optionsOf('require', { ssl_min_protocol_version: 'TLSv1.3', ssl_max_protocol_version: 'TLSv1.3' });
    expect(options).to.include({ minVersion: 'TLSv1.3', maxVersion: 'TLSv1.3' });
  });

  describe('the root certificate', () => {
    it('has every mode verify, where there is one: given in memory, by name, or in the default place', () => {
      const folder = temporaryFolder();
      writeFileSync(join(folder, 'ca.pem'), 'named');
      for (const sslmode of ['allow', 'prefer', 'require', 'verify-ca', 'verify-full'] as const) {
        const byDefault = optionsOf(sslmode, {}, { 'root.crt': 'default' });
        expect([byDefault.rejectUnauthorized, text(byDefault.ca)]).to.deep.equal([true, 'default']);
        const named = optionsOf(sslmode, { sslrootcert: join(folder, 'ca.pem') }, { 'root.crt': 'default' });
        expect([named.rejectUnauthorized, text(named.ca)]).to.deep.equal([true, 'named']);
        const given = optionsOf(sslmode, {}, { 'root.crt': 'default' }, { ca: 'memory' });
        expect([given.rejectUnauthorized, given.ca]).to.deep.equal([true, 'memory']);
      }
    });

    it('that is named and is not there is refused by verify-*, and as none by the others, as in libpq', () => {
      for (const sslmode of ['verify-ca', 'verify-full'] as const) {
        expect(refusal(() => optionsOf(sslmode, { sslrootcert: '/no/ca.pem' }))).to.match(
          /"\/no\/ca.pem" does not exist/,
        );
      }
      expect(optionsOf('require', { sslrootcert: '/no/ca.pem' }).rejectUnauthorized).to.equal(false);
    });

    it('that cannot be read is refused by all', () => {
      expect(refusal(() => optionsOf('require', { sslrootcert: temporaryFolder() }))).to.match(/cannot be read/);
    });
  });

  describe('the client certificate', () => {
    const PAIR = { 'postgresql.crt': 'certificate', 'postgresql.key': 'key' };
    const credentials = (conninfo?: Conninfo, files?: Files, given?: Parameters<typeof optionsOf>[3]) => {
      const { cert, key, passphrase } = optionsOf('require', conninfo, files, given);
      return [cert, key, passphrase].map((value) => (value === undefined ? undefined : text(value)));
    };

    it('comes from the default place, unless sslcertmode=disable', () => {
      expect(credentials({}, PAIR)).to.deep.equal(['certificate', 'key', undefined]);
      expect(credentials({ sslpassword: 'open' }, PAIR)).to.deep.equal(['certificate', 'key', 'open']);
      expect(credentials({ sslcertmode: 'disable' }, PAIR)).to.deep.equal([undefined, undefined, undefined]);
    });

    it('may be missing, but not its key', () => {
      expect(credentials({ sslcert: '/no/such.crt' })).to.deep.equal([undefined, undefined, undefined]);
      expect(refusal(() => credentials({}, { 'postgresql.crt': 'x' }))).to.match(/no private key .*postgresql.key/);
    });

    it('in memory wins over files', () => {
      const given = { cert: 'c', key: 'k', passphrase: 'p' };
      expect(credentials({ sslpassword: 'open' }, PAIR, given)).to.deep.equal(['c', 'k', 'p']);
    });

    it('is refused with a key that others can use', () => {
      const home = homeWith(PAIR);
      const target = resolveConninfo({ host: 'h' }, { ...NOWHERE, home });
      const isRoot = process.getuid?.() === 0;
      for (const mode of [0o644, 0o604, 0o660, 0o601, ...(isRoot ? [] : [0o640])]) {
        chmodSync(join(home, '.postgresql', 'postgresql.key'), mode);
        const message = refusal(() => tlsOptionsFor(target, { name: 'h' }, 'require'));
        expect(message, mode.toString(8)).to.match(/group or world access/);
      }
      for (const mode of [0o600, 0o400, ...(isRoot ? [0o640] : [])]) {
        chmodSync(join(home, '.postgresql', 'postgresql.key'), mode);
        expect(tlsOptionsFor(target, { name: 'h' }, 'require').options).to.have.property('key');
      }
    });
  });

  describe('revocation lists', () => {
    const ROOT = { 'root.crt': 'ca' };
    const lists = (sslmode: SslMode, conninfo: Conninfo, files: Files) => {
      const { crl } = optionsOf(sslmode, conninfo, files);
      return crl === undefined ? undefined : [crl].flat().map(text);
    };

    it('are read where something is verified', () => {
      expect(lists('verify-ca', {}, { 'root.crl': 'list' })).to.deep.equal(['list']);
      expect(lists('require', {}, { ...ROOT, 'root.crl': 'list' })).to.deep.equal(['list']);
      expect(lists('require', {}, { 'root.crl': 'list' })).to.equal(undefined);
      expect(lists('verify-ca', { sslcrl: '/no/list' }, { 'root.crl': 'list' })).to.equal(undefined);
    });

    it('of a directory are those that openssl rehash has named; the default file is then none', () => {
      const sslcrldir = temporaryFolder();
      for (const name of ['0123abcd.r0', '0123abcd.r1', 'README', 'list.pem'])
        writeFileSync(join(sslcrldir, name), name);
      const files = { ...ROOT, 'root.crl': 'default' };
      expect(lists('verify-ca', { sslcrldir }, files)?.sort()).to.deep.equal(['0123abcd.r0', '0123abcd.r1']);
    });

    it('of a directory without any, or of none, are refused: they would let everything pass', () => {
      expect(refusal(() => lists('verify-ca', { sslcrldir: temporaryFolder() }, ROOT))).to.match(/no revocation list/);
      expect(refusal(() => lists('verify-ca', { sslcrldir: '/no/where' }, ROOT))).to.match(/cannot be read/);
    });
  });
});
