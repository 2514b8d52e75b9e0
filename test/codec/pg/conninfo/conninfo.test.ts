import { writeFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import * as fc from 'fast-check';
import {
  type Conninfo,
  type ConninfoSources,
  hostsInOrder,
  type PgTarget,
  resolveConninfo,
} from '../../../../src/codec/pg/conninfo/conninfo.js';
import { parameters } from '../../../../src/codec/pg/conninfo/parameters.js';
import { holds } from '../../../support/property.js';
import { NOWHERE, refusal, removeFolders, temporaryFolder } from './support.js';

function resolve(input?: string | Conninfo, sources: ConninfoSources = {}): PgTarget {
  return resolveConninfo(input, { ...NOWHERE, ...sources });
}

describe('codec/pg/conninfo', () => {
  after(removeFolders);

  it("has libpq's defaults", () => {
    expect(resolve()).to.deep.equal({
      hosts: [
        {
          address: { host: 'localhost', port: 5432 },
          name: 'localhost',
          hostaddr: undefined,
          port: 5432,
          password: undefined,
        },
      ],
      user: 'me',
      dbname: 'me',
      sslmode: undefined,
      sslnegotiation: undefined,
      channelBinding: 'prefer',
      requireAuth: undefined,
      targetSessionAttrs: 'any',
      loadBalanceHosts: 'disable',
      connectTimeoutMs: 0,
      applicationName: undefined,
      startup: { user: 'me', database: 'me', client_encoding: 'UTF8' },
      tls: {
        sslrootcert: { path: '/nowhere/at/all/.postgresql/root.crt', origin: 'default' },
        sslcert: { path: '/nowhere/at/all/.postgresql/postgresql.crt', origin: 'default' },
        sslkey: { path: '/nowhere/at/all/.postgresql/postgresql.key', origin: 'default' },
        sslpassword: undefined,
        sslcrl: { path: '/nowhere/at/all/.postgresql/root.crl', origin: 'default' },
        sslcrldir: undefined,
        sslsni: true,
        minVersion: undefined,
        maxVersion: undefined,
      },
      keepalives: { enabled: true, idleMs: undefined },
      minProtocolVersion: '3.0',
      maxProtocolVersion: '3.0',
    } satisfies PgTarget);
  });

  it('takes the user of the process, and the home directory of the environment', () => {
    const { user, tls } = resolveConninfo('', { env: { HOME: '/home/of/env' }, warn: () => {} });
    expect(user).to.equal(userInfo().username);
    expect(tls.sslcert?.path).to.equal('/home/of/env/.postgresql/postgresql.crt');
  });

  it('reads the same from a URI, key words and an object', () => {
    const expected = resolve({
      host: 'db.example',
      port: 6432,
      user: 'alice',
      password: 'secret',
      dbname: 'app',
      connect_timeout: 10,
      sslsni: false,
    });
    const words = 'host=db.example port=6432 user=alice password=secret dbname=app connect_timeout=10 sslsni=0';
    expect(resolve(words)).to.deep.equal(expected);
    expect(resolve('postgres://alice:secret@db.example:6432/app?connect_timeout=10&sslsni=0')).to.deep.equal(expected);
    expect(expected.connectTimeoutMs).to.equal(10_000);
    expect(expected.startup).to.include({ user: 'alice', database: 'app' });
  });

  describe('every key word that has an effect', () => {
    const T = (path: string) => ({ path, origin: 'given' });
    /** Value, and what is then in the target. */
    const EFFECTS: Partial<Record<keyof Conninfo, [string, (target: PgTarget) => unknown, unknown]>> = {
      host: ['h', (t) => t.hosts[0]?.name, 'h'],
      hostaddr: ['192.0.2.1', (t) => t.hosts[0]?.address, { host: '192.0.2.1', port: 5432 }],
      port: [' 1 ', (t) => t.hosts[0]?.port, 1],
      dbname: ['d', (t) => [t.dbname, t.startup.database], ['d', 'd']],
      user: ['u', (t) => [t.user, t.startup.user, t.dbname], ['u', 'u', 'u']],
      password: ['p', (t) => t.hosts[0]?.password, 'p'],
      sslmode: ['verify-ca', (t) => t.sslmode, 'verify-ca'],
      sslnegotiation: ['direct', (t) => t.sslnegotiation, 'direct'],
      sslrootcert: ['/r', (t) => t.tls.sslrootcert, T('/r')],
      sslcert: ['/c', (t) => t.tls.sslcert, T('/c')],
      sslkey: ['/k', (t) => t.tls.sslkey, T('/k')],
      sslpassword: ['s', (t) => t.tls.sslpassword, 's'],
      sslcertmode: ['disable', (t) => [t.tls.sslcert, t.tls.sslkey], [undefined, undefined]],
      sslcrl: ['/l', (t) => t.tls.sslcrl, T('/l')],
      sslcrldir: ['/d', (t) => [t.tls.sslcrldir, t.tls.sslcrl], ['/d', undefined]],
      sslsni: ['0', (t) => t.tls.sslsni, false],
      ssl_min_protocol_version: ['tlsv1.3', (t) => t.tls.minVersion, 'TLSv1.3'],
      ssl_max_protocol_version: ['TLSv1.2', (t) => t.tls.maxVersion, 'TLSv1.2'],
      channel_binding: ['require', (t) => t.channelBinding, 'require'],
      require_auth: ['md5,none', (t) => [...(t.requireAuth ?? [])], ['md5', 'none']],
      target_session_attrs: ['primary', (t) => t.targetSessionAttrs, 'primary'],
      load_balance_hosts: ['random', (t) => t.loadBalanceHosts, 'random'],
      connect_timeout: ['3', (t) => t.connectTimeoutMs, 3000],
      application_name: ['a', (t) => [t.applicationName, t.startup.application_name], ['a', 'a']],
      fallback_application_name: ['f', (t) => t.startup.application_name, 'f'],
      options: ['-c a=b', (t) => t.startup.options, '-c a=b'],
      client_encoding: ['utf-8', (t) => t.startup.client_encoding, 'UTF8'],
      replication: ['database', (t) => t.startup.replication, 'database'],
      keepalives: ['0', (t) => t.keepalives.enabled, false],
      keepalives_idle: ['5', (t) => t.keepalives.idleMs, 5000],
      min_protocol_version: ['3.2', (t) => [t.minProtocolVersion, t.maxProtocolVersion], ['3.2', 'latest']],
      max_protocol_version: ['3.2', (t) => t.maxProtocolVersion, '3.2'],
      gssencmode: ['prefer', () => true, true],
      passfile: ['/p', () => true, true],
    };

    for (const [keyword, { env, fate }] of parameters) {
      if (fate !== 'used' || keyword === 'service') continue;
      it(`${keyword}${env ? ` and ${env}` : ''}`, () => {
        const [value, read, expected] = EFFECTS[keyword as keyof Conninfo] ?? [];
        if (value === undefined || read === undefined) throw new Error('the table has no such key word');
        expect(read(resolve({ [keyword]: value }))).to.deep.equal(expected);
        expect(read(resolve(`${keyword}='${value}'`))).to.deep.equal(expected);
        if (env) expect(read(resolve(undefined, { env: { [env]: value } }))).to.deep.equal(expected);
      });
    }

    it('and those that have none are taken', () => {
      for (const [keyword, { fate }] of parameters) {
        if (fate === 'without effect') expect(resolve({ [keyword]: '1' })).to.deep.equal(resolve());
      }
    });

    it('and those that cannot be kept are refused with the reason, unless they are empty', () => {
      for (const [keyword, { fate }] of parameters) {
        if (typeof fate !== 'object') continue;
        expect(refusal(() => resolve({ [keyword]: 'x' })))
          .to.include(keyword)
          .and.include(fate.refused);
        expect(resolve(`${keyword}=''`)).to.deep.equal(resolve());
      }
    });
  });

  describe('values', () => {
    const REFUSED: [Conninfo, RegExp][] = [
      [{ sslmode: 'required' }, /sslmode \(the options\) must be one of disable, allow, .*verify-full, not "required"/],
      [{ sslnegotiation: 'requiredirect' }, /sslnegotiation .* one of postgres, direct, turbo/],
      [{ channel_binding: 'yes' }, /channel_binding .* one of disable, prefer, require/],
      [{ target_session_attrs: 'read_write' }, /target_session_attrs .* read-write/],
      [{ load_balance_hosts: 'on' }, /load_balance_hosts .* random/],
      [{ ssl_min_protocol_version: '1.2' }, /ssl_min_protocol_version .* TLSv1.2/],
      [{ ssl_max_protocol_version: 'TLSv1.1' }, /ssl_max_protocol_version .* at least/],
      [{ ssl_min_protocol_version: 'TLSv1.3', ssl_max_protocol_version: 'TLSv1.2' }, /at least/],
      [{ min_protocol_version: '3.1' }, /min_protocol_version .* 3.0, 3.2, latest/],
      [{ min_protocol_version: '3.2', max_protocol_version: '3.0' }, /min_protocol_version .* at most/],
      [{ sslsni: '2' as '1' }, /sslsni .* 0 or 1/],
      [{ keepalives: 'on' as '1' }, /keepalives .* 0 or 1/],
      [{ keepalives_idle: '5s' }, /keepalives_idle .* whole number/],
      [{ connect_timeout: 1.5 }, /connect_timeout .* whole number/],
      [{ connect_timeout: '9999999999' }, /connect_timeout .* whole number/],
      [{ gssencmode: 'require' }, /gssencmode .* no GSSAPI/],
      [{ sslcertmode: 'require' }, /sslcertmode .* disable or allow/],
      [{ client_encoding: 'LATIN1' }, /client_encoding .* UTF8/],
      [{ require_auth: 'scram' }, /require_auth .* scram-sha-256/],
      [{ require_auth: 'md5,!password' }, /all of them with "!" or none/],
      [{ require_auth: '!md5,password' }, /all of them with "!" or none/],
      [{ require_auth: 'md5,md5' }, /md5 twice/],
      [{ require_auth: 'md5,' }, /require_auth/],
      [{ sslrootcert: 'system', sslmode: 'verify-ca' }, /sslmode .* verify-full with sslrootcert=system/],
      [{ port: 0 }, /port .* from 1 to 65535/],
      [{ port: 65_536 }, /port .* from 1 to 65535/],
      [{ port: 'x' }, /port .* from 1 to 65535/],
      [{ host: 'a,b', port: '1,2,3' }, /port has 3 entries for 2 hosts/],
      [{ host: 'a,b', hostaddr: '192.0.2.1' }, /host has 2 entries and hostaddr has 1/],
      [{ hostaddr: 'localhost' }, /hostaddr must be an IPv4 or IPv6 address/],
      [{ hostaddr: '192.0.2.256' }, /hostaddr/],
      [{ hostaddr: ':::' }, /hostaddr/],
      [{ user: 'a\0b' }, /user .* zero byte/],
      [{ user: {} as string }, /user must be a string/],
      [{ ssl: true } as Conninfo, /unknown parameter "ssl" in the options; did you mean "sslmode"/],
      [{ usr: 'x' } as Conninfo, /did you mean "user"/],
      [{ toString: 'x' } as unknown as Conninfo, /unknown parameter "toString"/],
    ];
    for (const [input, expected] of REFUSED) {
      it(`refuses ${JSON.stringify(input)}`, () => {
        expect(refusal(() => resolve(input))).to.match(expected);
      });
    }

    it('names the environment variable that has the bad value', () => {
      expect(refusal(() => resolve('', { env: { PGSSLMODE: '' } }))).to.match(/sslmode \(PGSSLMODE\).*not ""/);
      expect(refusal(() => resolve('', { env: { PGPORT: 'x' } }))).to.match(/port \(PGPORT\)/);
    });

    it('require_auth with "!" leaves the others, and none unless it is named', () => {
      const others = resolve({ require_auth: '!password,!md5' }).requireAuth;
      expect([...(others ?? [])]).to.deep.equal(['gss', 'sspi', 'scram-sha-256', 'oauth', 'none']);
      expect(resolve({ require_auth: '!none' }).requireAuth?.has('none')).to.equal(false);
      expect(resolve({ require_auth: 'scram-sha-256' }).requireAuth?.has('none')).to.equal(false);
    });

    it('sslrootcert=system makes verify-full the default', () => {
      const { sslmode, tls } = resolve({ sslrootcert: 'system' });
      expect([sslmode, tls.sslrootcert]).to.deep.equal(['verify-full', 'system']);
      expect(resolve({ sslrootcert: 'system', sslmode: 'verify-full' }).sslmode).to.equal('verify-full');
    });

    it('a timeout of 0 or less is none, and a long one is as long as a timer can be', () => {
      for (const timeout of [0, -1, '-2147483647']) {
        expect(resolve({ connect_timeout: timeout }).connectTimeoutMs).to.equal(0);
      }
      expect(resolve({ connect_timeout: 2_147_483_647 }).connectTimeoutMs).to.equal(2_147_483_647);
    });
  });

  describe('sources', () => {
    const env = { PGHOST: 'envhost', PGPORT: '1', PGUSER: 'envuser', PGSSLMODE: 'disable' };

    it('what is given wins over the environment, key word by key word', () => {
      const target = resolve('postgres://given/', { env });
      expect(target.hosts[0]?.address).to.deep.equal({ host: 'given', port: 1 });
      expect([target.user, target.dbname, target.sslmode]).to.deep.equal(['envuser', 'envuser', 'disable']);
    });

    it('an empty option in an object is not given, an empty one in a string hides the environment', () => {
      expect(resolve({ host: '', user: undefined }, { env }).hosts[0]?.name).to.equal('envhost');
      expect(resolve("host='' user=''", { env }).hosts[0]?.name).to.equal('localhost');
      expect(resolve("host='' user=''", { env }).user).to.equal('me');
    });

    it('PGREQUIRESSL is what PGSSLMODE is not', () => {
      expect(resolve('', { env: { PGREQUIRESSL: '1' } }).sslmode).to.equal('require');
      expect(resolve('', { env: { PGREQUIRESSL: '0' } }).sslmode).to.equal(undefined);
      expect(resolve('', { env: { PGREQUIRESSL: '1', PGSSLMODE: 'allow' } }).sslmode).to.equal('allow');
    });

    it('PGTZ and PGGEQO go into StartupMessage, unless they say default', () => {
      const { startup } = resolve('', { env: { PGTZ: 'Europe/Berlin', PGGEQO: 'Default', PGDATESTYLE: 'German' } });
      expect(startup).to.deep.equal({
        user: 'me',
        database: 'me',
        client_encoding: 'UTF8',
        timezone: 'Europe/Berlin',
      });
    });

    const SERVICES = [
      '# comment',
      'user=outside-of-any',
      '[other]',
      'host=other',
      '[mine]',
      '  host=servicehost  ',
      'port=7777',
      'port=8888',
      'application_name= spaced = out',
      '',
      '[mine]',
      'user=late',
    ].join('\n');

    it('a service stands between what is given and the environment', () => {
      const home = temporaryFolder();
      writeFileSync(join(home, '.pg_service.conf'), SERVICES);
      const target = resolve('service=mine port=1234', { home, env });
      expect(target.hosts[0]?.address).to.deep.equal({ host: 'servicehost', port: 1234 });
      expect([target.user, target.applicationName]).to.deep.equal(['envuser', ' spaced = out']);
      expect(resolve('', { home, env: { PGSERVICE: 'mine' } }).hosts[0]?.port).to.equal(7777);
    });

    it('a service is looked for in PGSERVICEFILE or the home directory, then in PGSYSCONFDIR', () => {
      const folder = temporaryFolder();
      writeFileSync(join(folder, 'pg_service.conf'), '[everywhere]\nhost=system');
      writeFileSync(join(folder, 'file'), '[here]\nhost=file');
      const files = { PGSYSCONFDIR: folder, PGSERVICEFILE: join(folder, 'file') };
      expect(resolve('service=here', { env: files }).hosts[0]?.name).to.equal('file');
      expect(resolve('service=everywhere', { env: files }).hosts[0]?.name).to.equal('system');
      expect(refusal(() => resolve('service=nowhere', { env: files }))).to.match(/"nowhere" is not defined/);
      expect(refusal(() => resolve('service=a', { env: { PGSERVICEFILE: join(folder, 'no') } }))).to.match(
        /cannot be read/,
      );
    });

    it('a service file that is wrong is refused by its line, which is not repeated', () => {
      const home = temporaryFolder();
      for (const line of ['no equals sign', 'ldap://host/dn', 'nothing=x', 'service=other', 'sslkeylogfile=/x']) {
        writeFileSync(join(home, '.pg_service.conf'), `[s]\n${line}`);
        expect(
          refusal(() => resolve('service=s', { home })),
          line,
        ).to.match(/line 2/);
      }
    });
  });

  describe('hosts', () => {
    const addresses = (input: Conninfo, sources?: ConninfoSources) =>
      resolve(input, sources).hosts.map(({ address }) => address);

    it('pairs hosts with ports, one port for all or one for each', () => {
      expect(addresses({ host: 'a,b' })).to.deep.equal([host('a', 5432), host('b', 5432)]);
      expect(addresses({ host: 'a,b', port: 1 })).to.deep.equal([host('a', 1), host('b', 1)]);
      expect(addresses({ host: 'a,b', port: '1,2' })).to.deep.equal([host('a', 1), host('b', 2)]);
      expect(addresses({ host: 'a,b', port: ',2' })).to.deep.equal([host('a', 5432), host('b', 2)]);
    });

    it('dials hostaddr and keeps the name', () => {
      const [first, second] = resolve({ host: 'a,', hostaddr: '192.0.2.1,2001:db8::1' }).hosts;
      expect(first).to.deep.include({ name: 'a', hostaddr: '192.0.2.1', address: host('192.0.2.1', 5432) });
      expect(second).to.deep.include({ name: '2001:db8::1', address: host('2001:db8::1', 5432) });
      expect(addresses({ host: 'a', hostaddr: 'fe80::1%eth0' })).to.deep.equal([host('fe80::1%eth0', 5432)]);
    });

    it('dials Unix sockets, by path or in the abstract namespace', () => {
      const expected = [{ path: '/run/pg/.s.PGSQL.5433' }, { path: '\0pg/.s.PGSQL.5433' }];
      expect(addresses({ host: '/run/pg,@pg', port: 5433 })).to.deep.equal(expected);
    });

    it('goes to the local server where nobody says otherwise, if its directory exists', () => {
      const socketDirectory = temporaryFolder();
      expect(addresses({}, { socketDirectory })).to.deep.equal([{ path: join(socketDirectory, '.s.PGSQL.5432') }]);
      expect(addresses({ host: 'a,' }, { socketDirectory })[1]).to.deep.equal({
        path: join(socketDirectory, '.s.PGSQL.5432'),
      });
      expect(addresses({ host: 'a,' })[1]).to.deep.equal(host('localhost', 5432));
    });

    it('shuffles for load_balance_hosts=random, every order about as often, and leaves the target alone', () => {
      const target = resolve({ host: 'a,b,c', load_balance_hosts: 'random' });
      const counts = new Map<string, number>();
      for (let round = 0; round < 3000; round++) {
        const order = hostsInOrder(target)
          .map(({ name }) => name)
          .join('');
        counts.set(order, (counts.get(order) ?? 0) + 1);
      }
      expect([...counts.keys()].sort()).to.deep.equal(['abc', 'acb', 'bac', 'bca', 'cab', 'cba']);
      // 500 expected, with a standard deviation of 20.
      for (const count of counts.values()) expect(count).to.be.within(350, 650);
      expect(target.hosts.map(({ name }) => name)).to.deep.equal(['a', 'b', 'c']);
      expect(hostsInOrder(resolve({ host: 'a,b,c' })).map(({ name }) => name)).to.deep.equal(['a', 'b', 'c']);
    });
  });

  describe('passwords from the file', () => {
    function homeWith(lines: string[], mode = 0o600): string {
      const home = temporaryFolder();
      writeFileSync(join(home, '.pgpass'), lines.join('\n'), { mode });
      return home;
    }

    it("are each host's own", () => {
      const home = homeWith(['a:1:*:*:for a', 'b:2:me:me:for b', '192.0.2.1:*:*:*:for the address']);
      const passwords = (input: Conninfo) => resolve(input, { home }).hosts.map(({ password }) => password);
      expect(passwords({ host: 'a,b,c', port: '1,2,3' })).to.deep.equal(['for a', 'for b', undefined]);
      expect(passwords({ hostaddr: '192.0.2.1' })).to.deep.equal(['for the address']);
      expect(passwords({ host: 'a', hostaddr: '192.0.2.1', port: 1 })).to.deep.equal(['for a']);
      expect(passwords({ host: 'a', port: 1, password: 'given' })).to.deep.equal(['given']);
      expect(passwords({ host: 'a', port: 2 })).to.deep.equal([undefined]);
    });

    it('for localhost are for the default socket directory, and for no other', () => {
      const home = homeWith(['localhost:*:*:*:local']);
      const socketDirectory = temporaryFolder();
      expect(resolve('', { home, socketDirectory }).hosts[0]?.password).to.equal('local');
      expect(resolve({ host: socketDirectory }, { home, socketDirectory }).hosts[0]?.password).to.equal('local');
      expect(resolve({ host: '/elsewhere' }, { home, socketDirectory }).hosts[0]?.password).to.equal(undefined);
    });

    it('come from passfile or PGPASSFILE, where that is given', () => {
      const home = homeWith(['*:*:*:*:home']);
      const passfile = join(homeWith(['*:*:*:*:elsewhere']), '.pgpass');
      expect(resolve({ passfile }, { home }).hosts[0]?.password).to.equal('elsewhere');
      expect(resolve('', { home, env: { PGPASSFILE: passfile } }).hosts[0]?.password).to.equal('elsewhere');
      expect(resolve('', { home }).hosts[0]?.password).to.equal('home');
    });

    it('are not taken from a file that others can read', () => {
      const said: string[] = [];
      const home = homeWith(['*:*:*:*:secret'], 0o644);
      const { hosts } = resolve('', { home, warn: (text) => said.push(text) });
      expect(hosts[0]?.password).to.equal(undefined);
      expect(said.join())
        .to.match(/group or world access/)
        .and.not.include('secret');
    });
  });

  describe('a password', () => {
    /** Long and odd enough to be in no message by chance. */
    const password = fc.stringMatching(/^[A-Z0-9 @:/?#%&='"\\[\],+-]{8,20}$/).filter((text) => !/^ | $/.test(text));
    const trouble = fc.constantFrom(
      'sslmode=wrong',
      'port=99999',
      'nonsense=1',
      'sslmod=require',
      'channel_binding=x',
      'requirepeer=x',
      'hostaddr=no',
      'service=no-such-service',
      'connect_timeout=soon',
    );

    it('is in no message, whatever else is wrong: in key words, a URI and an object', () => {
      holds(
        fc.property(password, trouble, (secret, wrong) => {
          const quoted = secret.replace(/[\\']/g, '\\$&');
          const encoded = encodeURIComponent(secret);
          const [keyword = '', value = ''] = wrong.split('=');
          const inputs = [
            `password='${quoted}' ${wrong}`,
            `${wrong} sslpassword='${quoted}'`,
            `postgres://u:${encoded}@h/?${wrong}`,
            `postgres://h/?${wrong}&password=${encoded}`,
            { password: secret, [keyword]: value },
          ];
          for (const input of inputs) expect(refusal(() => resolve(input))).not.to.include(secret);
        }),
        { numRuns: 300 },
      );
    });

    it('is in no message even where it is neither quoted nor encoded, as far as anything is wrong', () => {
      holds(
        fc.property(password, (secret) => {
          for (const input of [
            `password=${secret} sslmode=wrong`,
            `password='${secret}' sslmode=wrong`,
            `postgres://u:${secret}@h/?sslmode=wrong`,
            `postgres://h/?sslmode=wrong&password=${secret}`,
          ]) {
            expect(messageOf(() => resolve(input))).not.to.include(secret);
          }
        }),
        { numRuns: 500 },
      );
    });
  });
});

/** Of what `act` throws, if it does. */
function messageOf(act: () => unknown): string {
  try {
    act();
    return '';
  } catch (error) {
    return String(error);
  }
}

function host(name: string, port: number): { host: string; port: number } {
  return { host: name, port };
}
