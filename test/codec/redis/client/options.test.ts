import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { LIBRARY_NAME, LIBRARY_VERSION } from '../../../../src/codec/redis/client/login.js';
import { type RedisClientOptions, redisConfig } from '../../../../src/codec/redis/client/options.js';
import { RedisError } from '../../../../src/codec/redis/errors.js';
import { type Transport, tcpTransport, tlsTransport } from '../../../../src/transport.js';

const PASSWORD = 'hunter2';

function badOption(run: () => unknown): RedisError {
  try {
    run();
  } catch (error) {
    expect(error).to.be.instanceOf(RedisError).with.property('code', 'ERR_REDIS_BAD_OPTION');
    expect(JSON.stringify([(error as Error).message, (error as Error).stack, error])).not.to.include(PASSWORD);
    expect((error as Error).cause).to.equal(undefined);
    return error as RedisError;
  }
  expect.fail('taken');
}

describe('codec/redis/client: options', () => {
  const urls: [string, object][] = [
    ['redis://h', { address: { host: 'h', port: 6379 }, credentials: undefined, db: 0, tls: undefined, protocol: 3 }],
    ['redis://', { address: { host: 'localhost', port: 6379 } }],
    ['redis://h:7/3', { address: { host: 'h', port: 7 }, db: 3 }],
    ['redis://h/?db=4', { db: 4 }],
    ['redis://[::1]:7', { address: { host: '::1', port: 7 } }],
    ['redis://:p%40%3A%23@h', { credentials: { username: 'default', password: 'p@:#' } }],
    ['redis://a%40b:p@h', { credentials: { username: 'a@b', password: 'p' } }],
    ['rediss://h', { tls: { rejectUnauthorized: true } }],
    ['redis+unix:///tmp/a%20b?db=2', { address: { path: '/tmp/a b' }, db: 2 }],
    ['unix:/tmp/s', { address: { path: '/tmp/s' }, db: 0 }],
    ['redis://h?protocol=2&client_name=me', { protocol: 2, clientName: 'me' }],
  ];
  for (const [url, expected] of urls) {
    it(url, () => expect(redisConfig(url)).to.deep.include(expected));
  }

  const bad: [string, RegExp][] = [
    [`redis://u:${PASSWORD}@h:x`, /is no URL/],
    [`http://u:${PASSWORD}@h`, /begins with redis:/],
    [PASSWORD, /is no URL/],
    [`redis://${PASSWORD}@h`, /a user without a password/],
    [`redis://:#${PASSWORD}@h`, /percent-encoded/],
    [`redis://h#${PASSWORD}`, /%23/],
    [`redis://:p?${PASSWORD}@h`, /percent-encoded/],
    [`redis://h?${PASSWORD}@h`, /parameters/],
    [`redis://:%zz${PASSWORD}@h`, /percent-encoded/],
    [`redis://:${PASSWORD}@h/x`, /database/],
    [`redis://:${PASSWORD}@h/-1`, /database/],
    [`redis://:${PASSWORD}@h/1?db=1`, /database twice/],
    [`redis://:${PASSWORD}@h?db=1&db=2`, /db twice/],
    [`redis://:${PASSWORD}@h?ssl_cert_reqs=none`, /parameters/],
    [`redis://:${PASSWORD}@h?protocol=4`, /protocol/],
    [`redis://:${PASSWORD}@h:0`, /port/],
    ['redis+unix://h/tmp/s', /Unix socket/],
    ['unix:', /Unix socket/],
  ];
  for (const [url, pattern] of bad) {
    it(`refuses ${url}, without its password`, () => {
      expect(badOption(() => redisConfig(url)).message).to.match(pattern);
    });
  }

  const nonsense: [string, object][] = [
    ['db', { db: -1 }],
    ['db', { db: 1.5 }],
    ['port', { port: 70_000 }],
    ['host', { path: '/s', host: 'h' }],
    ['protocol', { protocol: 4 }],
    ['speculate', { speculate: 'yes' }],
    ['clientName', { clientName: 'a b' }],
    ['clientName', { clientName: 'a\r\nFLUSHALL' }],
    ['password', { username: 'a' }],
    ['password', { password: 5 }],
    ['connectTimeoutMs', { connectTimeoutMs: 0 }],
    ['commandTimeoutMs', { commandTimeoutMs: 2 ** 31 }],
    ['connectAttempts', { connectAttempts: 0 }],
    ['reconnectAttempts', { reconnectAttempts: 1.5 }],
    ['limits.bogus', { limits: { bogus: 1 } }],
    ['limits.queuedCommands', { limits: { queuedCommands: 0 } }],
    ['limits.reconnectMinMs', { limits: { reconnectMinMs: Number.NaN } }],
    ['servername', { path: '/s', tls: true }],
  ];
  for (const [name, options] of nonsense) {
    it(`refuses ${JSON.stringify(options)}, naming ${name}`, () => {
      expect(badOption(() => redisConfig(options as RedisClientOptions)).message).to.include(name);
    });
  }

  it('options go over the URL, undefined ones excepted', () => {
    const config = redisConfig('redis://h/3', { db: 5, host: undefined, commandTimeoutMs: 7 });
    expect(config).to.deep.include({ address: { host: 'h', port: 6379 }, db: 5, commandTimeoutMs: 7 });
  });

  it('verification is on unless it is turned off by name', () => {
    expect(redisConfig('rediss://h', { tls: { ca: 'x' } }).tls).to.deep.equal({ rejectUnauthorized: true, ca: 'x' });
    expect(redisConfig('rediss://h', { tls: { rejectUnauthorized: undefined } }).tls?.rejectUnauthorized).to.equal(
      true,
    );
    expect(redisConfig('rediss://h', { tls: { rejectUnauthorized: false } }).tls?.rejectUnauthorized).to.equal(false);
  });

  it('TLS and plaintext are never taken for each other', () => {
    const secure = tlsTransport();
    const plain = tcpTransport();
    badOption(() => redisConfig('redis://h', { transport: secure }));
    badOption(() => redisConfig('redis://h', { tls: true }));
    badOption(() => redisConfig('rediss://h', { tls: false }));
    const both: Transport[] = [secure, plain];
    for (const transport of both) expect(redisConfig('rediss://h', { transport })).to.include({ transport });
    expect(redisConfig('rediss://h').transport.secure).to.equal(true);
    expect(redisConfig('redis://h').transport.secure).not.to.equal(true);
  });

  it('CLIENT SETINFO says what package.json says', () => {
    const { name, version } = JSON.parse(readFileSync(new URL('../../../../../package.json', import.meta.url), 'utf8'));
    expect({ name: LIBRARY_NAME, version: LIBRARY_VERSION }).to.deep.equal({ name, version });
  });
});
