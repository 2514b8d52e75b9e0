/** What the program says of itself, and what it does not understand. */
import { readFile } from 'node:fs/promises';
import { expect } from 'chai';
import { endPrograms, runTurbotls } from './turbotls.js';

describe('cli: turbotls', function () {
  this.timeout(30_000);
  afterEach(endPrograms);

  it('has a version', async () => {
    const { version } = JSON.parse(await readFile(new URL('../../../package.json', import.meta.url), 'utf8'));
    expect(await runTurbotls('--version')).to.deep.equal({ code: 0, stdout: `${version}\n`, stderr: '' });
  });

  for (const command of ['gateway', 'proxy', 'check', 'ping', 'compare']) {
    it(`has help with examples for ${command}`, async () => {
      const { code, stdout, stderr } = await runTurbotls(command, '--help');
      expect({ code, stderr }).to.deep.equal({ code: 0, stderr: '' });
      expect(stdout).to.match(new RegExp(`^Usage: turbotls ${command} .*\nExamples:\n {2}`, 's'));
    });
  }

  it('begins as a program of Node', async () => {
    const text = await readFile(new URL('../../src/cli/main.js', import.meta.url), 'utf8');
    expect(text).to.match(/^#!\/usr\/bin\/env node\n/);
  });

  for (const [args, why] of [
    [['serve'], "unknown command 'serve'"],
    [['ping'], "missing required argument 'address'"],
    [['ping', 'localhost:70000'], 'A port is from 1 to 65535.'],
    [['ping', '::1'], 'an IPv6 address is written [::1]:PORT'],
    [['ping', 'localhost', '--timeout', '5'], 'It must be a time such as 500ms, 5s or 2m.'],
    [['ping', 'localhost', '--timeout', '0s'], 'It must be above 0.'],
    [['ping', 'localhost', '--timeout', '999999h'], 'It must be a time such as 500ms, 5s or 2m.'],
    [['ping', 'localhost', '--alpn', 'h2,,'], 'It must be a protocol name'],
    [['proxy', '--to', 'db:443'], "required option '--listen <address>' not specified"],
    [['proxy', '--listen', ':0'], "required option '--to <address>' not specified"],
    [['proxy', '--listen', ':0', '--to', 'db'], 'It must be HOST:PORT'],
    [['proxy', '--listen', ':0', '--to', 'db:0'], 'A port is from 1 to 65535.'],
    [['proxy', '--listen', ':0', '--to', 'db:1', '--server-name', 'x'], '--server-name needs --tls'],
    [['proxy', '--listen', ':0', '--to', 'db:1', '--postgres'], '--postgres needs --tls'],
    [['proxy', '--listen', ':0', '--to', 'db:1', '--tls', '--cert', 'x'], '--cert and --key go together'],
    [['proxy', '--listen', ':0', '--to', 'db:1', '--tls', '--ca', 'x', '--insecure'], 'give one'],
    [['proxy', '--listen', ':0', '--to', 'db:1', '--max-connections', '-1'], 'whole number above 0'],
    [['gateway'], 'give --config FILE, or --listen ADDRESS and --to ADDRESS'],
    [['gateway', '--config', 'x', '--to', 'y'], 'leave out --to'],
    [['gateway', '--config', 'x', '--client-ca', 'y'], 'leave out --client-ca'],
    [['gateway', '--listen', ':0', '--to', 'ftp://x:1'], 'the scheme must be one of tcp, tls, postgres, postgres+tls'],
    [['gateway', '--listen', ':0', '--to', 'postgres://u:p@x/db'], 'HOST:PORT, or SCHEME://HOST:PORT and nothing more'],
    [['gateway', '--listen', ':0', '--to', 'tcp://x:1', '--to', 'tls://x:1'], 'all backends are spoken to alike'],
    [['gateway', '--listen', ':0', '--to', 'postgres+tls://x'], 'needs --cert and --key'],
    [['gateway', '--listen', ':0', '--to', 'x:1', '--alpn', 'h2'], '--alpn needs --cert and --key'],
    [['gateway', '--listen', ':0', '--to', 'x:1', '--cert', 'c'], '--cert and --key go together'],
    [['gateway', '--listen', ':0', '--to', 'x'], '--to: must be "host:port"'],
    [['gateway', '--listen', 'here', '--to', 'x:1'], '--listen: must be "host:port"'],
    [
      ['gateway', '--listen', ':0', '--to', 'x:1', '--log-level', 'loud'],
      'Allowed choices are error, warn, info, debug.',
    ],
    [['gateway', '--listen', ':0', '--to', 'x:1', '--cert', '/no/c', '--key', '/no/k'], 'there is no such file'],
  ] as const) {
    it(`does not understand ${args.join(' ')}`, async () => {
      const { code, stdout, stderr } = await runTurbotls(...args);
      expect({ code, stdout }, stderr).to.deep.equal({ code: 2, stdout: '' });
      expect(stderr).to.match(/^turbotls: .*\n\(--help says more\)\n$/);
      expect(stderr).to.include(why);
    });
  }
});
