import { expect } from 'chai';
import { InvalidArgumentError } from 'commander';
import { alpn, count, duration, listOf, localAddress, parseAddress, remoteAddress } from '../../src/cli/values.js';

describe('cli: values', () => {
  for (const [text, address] of [
    ['db.example.com:443', { host: 'db.example.com', port: 443 }],
    ['127.0.0.1:1', { host: '127.0.0.1', port: 1 }],
    ['[::1]:65535', { host: '::1', port: 65_535 }],
  ] as const) {
    it(`reads ${text}`, () => expect(remoteAddress(text)).to.deep.equal(address));
  }

  for (const text of [
    '',
    'db',
    ':443',
    'db:',
    'db:0',
    'db:65536',
    'db:x',
    '::1',
    '::1:443',
    '[db]:1',
    'http://db:1',
    '[]:1',
  ]) {
    it(`does not take ${JSON.stringify(text)} for a server`, () => {
      expect(() => remoteAddress(text)).to.throw(InvalidArgumentError);
    });
  }

  it('takes what is missing from the rules', () => {
    expect(parseAddress('db', { port: 443, minPort: 1 })).to.deep.equal({ host: 'db', port: 443 });
    expect(parseAddress('[::1]', { port: 443, minPort: 1 })).to.deep.equal({ host: '::1', port: 443 });
    expect(localAddress(':0')).to.deep.equal({ host: 'localhost', port: 0 });
    expect(localAddress('./s')).to.deep.equal({ path: './s' });
  });

  for (const [text, ms] of [
    ['0s', 0],
    ['250ms', 250],
    ['0.25s', 250],
    ['5s', 5_000],
    ['2m', 120_000],
    ['1h', 3_600_000],
  ] as const) {
    it(`reads ${text} as ${ms} ms`, () => expect(duration(text)).to.equal(ms));
  }

  for (const text of ['', '5', 's', '-1s', '1d', '5 s', '1e3s', 'Infinitys', '1000h']) {
    it(`does not take ${JSON.stringify(text)} for a time`, () => {
      expect(() => duration(text)).to.throw(InvalidArgumentError);
    });
  }

  it('reads lists with commas and by repetition', () => {
    const names = listOf(alpn);
    expect(names('postgresql', names('h2, http/1.1'))).to.deep.equal(['h2', 'http/1.1', 'postgresql']);
    expect(() => names('h2,')).to.throw(InvalidArgumentError);
  });

  it('counts', () => {
    expect(count('12')).to.equal(12);
    for (const text of ['0', '-1', '1.5', 'x', '']) expect(() => count(text)).to.throw(InvalidArgumentError);
  });
});
