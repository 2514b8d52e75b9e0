import { expect } from 'chai';
import { ConfigError, checkConfig, loadConfig } from '../../../src/gateway/config/index.js';
import { makeCertificate } from '../../support/certificates.js';
import { fullConfig } from './examples.js';
import { type Folder, makeFiles } from './files.js';

describe('gateway configuration: files', () => {
  let files: Folder;
  before(async () => {
    files = await makeFiles();
  });
  after(() => files.remove());

  const check = (name: string, text: string) => checkConfig(files.write(name, text));
  const places = async (name: string, text: string) =>
    (await check(name, text)).problems.map(({ path, line }) => `${line} ${path}`);

  it('are JSON or YAML, and mean the same', async () => {
    const json = files.write('full.json', JSON.stringify(fullConfig(), null, '\t'));
    const yaml = files.write(
      'small.yaml',
      'listen: [":443"]\nroutes:\n  - &a\n    name: a\n    backend: { targets: ["db:1"] }\n  - <<: *a\n',
    );
    expect((await loadConfig(json)).routes.map(({ name }) => name)).to.deep.equal(['orders', 'web']);
    const { problems } = await checkConfig(yaml);
    // "<<" is YAML 1.1: here it is a key like any other, and none of ours.
    expect(problems[0]?.path).to.equal('routes[1].<<');
  });

  it('tell the line of every problem', async () => {
    const yaml = [
      'listen: [":443"]', //          1
      'admin: nowhere', //            2
      'routes:', //                   3
      '  - name: a', //               4
      '    match:', //                5
      '      serverNames:', //        6
      '        - a.example.com', //   7
      '        - 1.2.3.4', //         8
      '    backend: {}', //           9
      '  - backend:', //              10
      '      targets: [', //          11
      '        "x:1",', //            12
      '        "x:0"]', //            13
      'limit: {}', //                 14
    ].join('\n');
    expect(await places('lines.yaml', yaml)).to.deep.equal([
      '2 admin',
      '8 routes[0].match.serverNames[1]',
      '9 routes[0].backend.targets',
      '10 routes[1].name',
      '13 routes[1].backend.targets[1]',
      '14 limit',
    ]);
    const json =
      '{\n  "listen": [":443"],\n  "routes": [\n    { "name": "a",\n      "backend": { "targets": 5 } }\n  ]\n}';
    expect(await places('lines.json', json)).to.deep.equal(['5 routes[0].backend.targets']);
  });

  it('tell the line behind an alias', async () => {
    const yaml =
      'listen: [":1"]\nroutes:\n  - name: a\n    match: &m\n      alpn: [""]\n    backend: { targets: ["x:1"] }\n  - name: b\n    match: *m\n    backend: { targets: ["x:1"] }\n';
    expect(await places('alias.yaml', yaml)).to.deep.equal(['5 routes[0].match.alpn[0]', '5 routes[1].match.alpn[0]']);
  });

  it('that cannot be parsed say where', async () => {
    expect(await places('a.yaml', 'listen: [":443"\nroutes: []\n')).to.not.deep.equal([]);
    expect(await places('b.yaml', 'admin: ":1"\nadmin: ":2"\n')).to.deep.equal(['2 ']);
    for (const text of ['{ "listen": }', '{ "listen": [":1"], }', '{ "log": { "level": info } }', '# YAML\n{}']) {
      const { problems } = await check('c.json', text);
      expect(problems[0]?.message, text).to.match(/JSON/);
    }
    expect((await check('empty.yaml', '')).problems[0]?.message).to.equal('must be an object, not null');
    expect((await check('list.yaml', '- a\n')).problems[0]?.message).to.equal('must be an object, not a list');
  });

  it('that unfold without end are refused', async () => {
    const level = (name: string, below: string) => `${name}: &${name} [${Array(10).fill(`*${below}`).join(', ')}]\n`;
    const bomb = `a: &a [x]\n${level('b', 'a')}${level('c', 'b')}${level('d', 'c')}${level('e', 'd')}`;
    expect((await check('bomb.yaml', bomb)).problems[0]?.message).to.include('alias');
    expect((await check('loop.yaml', 'listen: &a [*a]\n')).problems).to.not.deep.equal([]);
  });

  it('that are not there or too large are problems like others', async () => {
    expect((await checkConfig(`${files.path}/none`)).problems[0]?.message).to.include('cannot be read: ENOENT');
    expect((await checkConfig(files.path)).problems[0]?.message).to.include('cannot be read: EISDIR');
    expect((await check('large', ' '.repeat(5_000_000))).problems[0]?.message).to.include('more than');
    const error = await loadConfig(`${files.path}/none`).catch((each: unknown) => each);
    expect(error).to.be.instanceOf(ConfigError).with.property('message').that.includes(`${files.path}/none`);
  });

  describe('of certificates', () => {
    const route = (terminate: object, serverNames: string[] = []) =>
      JSON.stringify({
        listen: [':443'],
        routes: [{ name: 'a', match: { serverNames }, terminate, backend: { targets: ['x:1'] } }],
      });

    const findings = async (name: string, cert: string, key: string, serverNames?: string[]) => {
      const certificates = [{ cert: files.write(`${name}.pem`, cert), key: files.write(`${name}.key`, key) }];
      return check(`${name}.json`, route({ certificates }, serverNames));
    };

    it('that have expired warn, and the plan stands: the other routes must be served', async () => {
      const { cert, key } = await makeCertificate({ names: ['old.example.com'], notAfter: new Date('2020-01-01') });
      const { plan, problems, warnings } = await findings('old', cert, key);
      expect(problems).to.deep.equal([]);
      expect(plan).to.not.equal(undefined);
      expect(warnings).to.have.length(1);
      expect(warnings[0]).to.include({ path: 'routes[0].terminate.certificates[0].cert', line: 1 });
      expect(warnings[0]?.message).to.match(/^has expired: Jan {2}1 00:00:00 2020 GMT: .*old\.pem$/);
    });

    it('that are for other names, for clients, or in disorder warn', async () => {
      const { cert, key } = await makeCertificate({ names: ['a.example.com', '*.b.example.com'], chainLength: 3 });
      const messages = async (name: string, pem: string, serverNames: string[]) =>
        (await findings(name, pem, key, serverNames)).warnings.map(({ message }) => message);
      expect(await messages('fine', cert, ['a.example.com', '*.b.example.com', 'x.b.example.com'])).to.deep.equal([]);
      expect(await messages('names', cert, ['c.example.com', '*.a.example.com'])).to.deep.equal([
        'none is for c.example.com',
        'none is for *.a.example.com',
      ]);
      const [leaf = '', one = '', two = ''] = cert.match(/-----BEGIN[^-]+-----[^-]+-----END[^-]+-----/g) ?? [];
      expect((await messages('order', [leaf, two, one].join('\n'), []))[0]).to.include(
        'was not issued by the one behind it',
      );
      const client = await makeCertificate({ names: ['x'], usage: 'client' });
      expect((await findings('client', client.cert, client.key)).warnings[0]?.message).to.include(
        'is not for a server',
      );
    });

    it('whose key is encrypted, or whose text is broken, are refused, and no key is told', async () => {
      const { cert, key } = await makeCertificate({ names: ['x.example.com'] });
      const { createPrivateKey } = await import('node:crypto');
      const encrypted = createPrivateKey(key).export({
        type: 'pkcs8',
        format: 'pem',
        cipher: 'aes-256-cbc',
        passphrase: 'secret',
      });
      const of = async (name: string, certText: string, keyText: string) =>
        (await findings(name, certText, keyText)).problems.map(
          ({ path, message }) => `${path.split('.').at(-1)} ${message}`,
        );
      expect((await of('enc', cert, String(encrypted)))[0]).to.match(
        /^key is encrypted: store it without a pass phrase/,
      );
      const body = key.split('\n')[1] ?? '';
      const broken = await of('broken', cert.replace(/\n(.{20})/, '\n!!!!$1'), key.replace(body, body.slice(8)));
      expect(broken).to.have.length(2);
      expect(broken.join()).to.not.include(body.slice(8, 20));
    });
  });

  it('that trust everybody warn', async () => {
    const text = JSON.stringify({
      listen: [':443'],
      proxyProtocolFrom: ['0.0.0.0/0'],
      routes: [
        {
          name: 'a',
          terminate: { certificates: [{ cert: 'web.pem', key: 'web.key' }] },
          backend: { targets: ['x:1'], transport: 'BACKEND_TLS', tls: { insecure: true } },
        },
      ],
    });
    const { plan, warnings } = await check('trust.json', text);
    expect(plan).to.not.equal(undefined);
    expect(warnings.map(({ path }) => path)).to.have.members([
      'proxyProtocolFrom[0]',
      'routes[0].backend.tls.insecure',
    ]);
  });
});
