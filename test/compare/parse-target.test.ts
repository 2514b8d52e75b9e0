/** What somebody names to be measured. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { parseTarget, withoutPassword } from '../../src/compare/parse-target.js';

/** Nothing of whoever runs the tests. */
const env = { HOME: '/nonexistent' };

describe('compare: targets', () => {
  for (const [text, settings, expected] of [
    ['db.test:5433', {}, { group: 'echo', address: { host: 'db.test', port: 5433 }, serverName: 'db.test' }],
    ['db.test', { send: 'hi' }, { group: 'echo', address: { host: 'db.test', port: 443 }, request: 'hi' }],
    [
      '[::1]:7',
      { serverName: 'db.test', ca: 'PEM' },
      { address: { host: '::1', port: 7 }, serverName: 'db.test', ca: 'PEM' },
    ],
    ['db.test:1', { turboPort: 2 }, { turboAddress: { host: 'db.test', port: 2 } }],
    ['https://a.test', {}, { group: 'https', address: { host: 'a.test', port: 443 }, path: '/', serverName: 'a.test' }],
    ['https://a.test:8443/b?c=d#e', {}, { address: { host: 'a.test', port: 8443 }, path: '/b?c=d' }],
    ['https://[::1]/', {}, { address: { host: '::1', port: 443 }, serverName: '::1' }],
    ['rediss://c.test', {}, { group: 'redis', address: { host: 'c.test', port: 6379 }, password: undefined }],
    ['rediss://me:pw%40@c.test:1/2', {}, { username: 'me', password: 'pw@', address: { host: 'c.test', port: 1 } }],
    ['rediss://c.test', { env: { REDISCLI_AUTH: 'secret' } }, { password: 'secret' }],
    ['rediss://:own@c.test', { env: { REDISCLI_AUTH: 'secret' } }, { password: 'own' }],
    [
      'postgres://me:pw@db.test/app',
      { env },
      {
        group: 'postgres',
        address: { host: 'db.test', port: 5432 },
        user: 'me',
        password: 'pw',
        database: 'app',
        serverName: 'db.test',
      },
    ],
    [
      'postgresql://db.test',
      { env: { ...env, PGUSER: 'you', PGPASSWORD: 'secret', PGPORT: '6', PGDATABASE: 'x' } },
      { address: { host: 'db.test', port: 6 }, user: 'you', password: 'secret', database: 'x' },
    ],
    [
      'postgres://me@db.test/app?hostaddr=10.0.0.7',
      { env, turboPort: 443 },
      {
        address: { host: '10.0.0.7', port: 5432 },
        serverName: 'db.test',
        turboAddress: { host: '10.0.0.7', port: 443 },
      },
    ],
    [
      'postgres://me@one.test,two.test/app',
      { env, serverName: 'three.test' },
      { address: { host: 'one.test', port: 5432 }, serverName: 'three.test' },
    ],
  ] as const) {
    it(`${text} ${JSON.stringify(settings)}`, () => {
      expect(parseTarget(text, settings)).to.deep.include(expected);
    });
  }

  for (const [text, settings, why] of [
    ['db.test:0', {}, 'a port is from 1 to 65535'],
    ['::1', {}, 'an IPv6 address is written [::1]:PORT'],
    ['http://a.test', {}, 'https:// is with it'],
    ['redis://a.test', {}, 'rediss:// is with it'],
    ['ftp://a.test', {}, 'ftp:// is not known here'],
    ['https://', {}, 'this is no URL'],
    ['https://me:secret@a.test', {}, 'leave it out'],
    ['https://a.test', { send: 'x' }, 'for HOST:PORT alone'],
    ['postgres://me:secret@/app?host=/tmp', { env }, 'a Unix socket has neither TLS nor a round trip'],
    ['postgres://me:secret@db.test/app?sslmode=often', { env }, 'sslmode'],
    ['rediss://me:secret@db.test/app', {}, 'the database in the address is a number'],
  ] as const) {
    it(`does not take ${text}`, () => {
      expect(() => parseTarget(text, settings))
        .to.throw(Error, why)
        .that.satisfies(hasNoSecret);
    });
  }

  describe('with files of PostgreSQL', () => {
    let home: string;
    before(async () => {
      home = await mkdtemp(join(tmpdir(), 'turbotls-home-'));
      await writeFile(join(home, 'pass'), 'db.test:*:app:me:from the file\n', { mode: 0o600 });
      await writeFile(join(home, 'root.pem'), 'PEM of the file');
    });
    after(() => rm(home, { recursive: true }));

    it('finds password and authority', () => {
      const files = { ...env, PGPASSFILE: join(home, 'pass'), PGSSLROOTCERT: join(home, 'root.pem') };
      const url = 'postgres://me@db.test/app';
      expect(parseTarget(url, { env: files })).to.include({ password: 'from the file', ca: 'PEM of the file' });
      expect(parseTarget(url, { env: files, ca: 'PEM' })).to.include({ ca: 'PEM' });
    });

    it('does not go on without a file that is named', () => {
      const url = `postgres://me@db.test/app?sslrootcert=${join(home, 'none.pem')}`;
      expect(() => parseTarget(url, { env })).to.throw(Error, 'none.pem');
    });
  });

  for (const [text, shown] of [
    ['db.test:443', 'db.test:443'],
    ['postgres://me:secret@db.test/app', 'postgres://me@db.test/app'],
    ['postgres://me:a@secret@db.test/app', 'postgres://me@db.test/app'],
    [
      'postgres://me@db.test/app?password=secret&sslpassword=secret',
      'postgres://me@db.test/app?password=…&sslpassword=…',
    ],
    ['rediss://:secret@c.test', 'rediss://@c.test'],
    ['https://a.test/b:c@d', 'https://a.test/b:c@d'],
  ] as const) {
    it(`shows ${text} as ${shown}`, () => {
      expect(withoutPassword(text)).to.equal(shown);
    });
  }
});

function hasNoSecret({ message }: Error): boolean {
  return !message.includes('secret');
}
