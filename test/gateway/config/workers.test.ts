/** `workers` in the configuration, and what a main process needs that reads no private key. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';
import { availableParallelism } from 'node:os';
import { basename, join } from 'node:path';
import { expect } from 'chai';
import { type OneBackend, oneBackendPlan } from '../../../src/cli/one-backend.js';
import {
  type CheckOptions,
  type ConfigCheck,
  ConfigError,
  checkConfig,
  checkConfigText,
  planFrom,
  readConfigText,
} from '../../../src/gateway/config/index.js';
import { shareOf } from '../../../src/gateway/plan.js';
import { makeCertificate } from '../../support/certificates.js';
import { changed, fullConfig, smallConfig } from './examples.js';
import { type Folder, makeFiles } from './files.js';

describe('gateway configuration: workers', () => {
  let files: Folder;
  before(async () => {
    files = await makeFiles();
  });
  after(() => files.remove());

  const SMALL = 'listen: [":443"]\nroutes:\n  - { name: a, backend: { targets: ["db:1"] } }\n';
  const check = (text: string, options?: CheckOptions): ConfigCheck =>
    checkConfigText({ path: join(files.path, 'gateway.yaml'), text }, options);
  const messages = (found: ConfigCheck['problems']) =>
    found.map(({ line, path, message }) => `${line} ${path} ${message}`);

  it('are a number, or as many as can run at a time, or none', () => {
    const workers = (line: string) => check(SMALL + line).plan?.workers;
    expect(check(SMALL).plan).to.have.property('workers', undefined);
    for (const [line, expected] of [
      ['workers: 4', 4],
      ['workers: "4"', 4],
      ['workers: 1', 1],
      ['workers: 256', 256],
      ['workers: auto', availableParallelism()],
      ['workers: "auto"', availableParallelism()],
      ['workers: null', undefined],
    ] as const) {
      expect(workers(line), line).to.equal(expected);
    }
    expect(planFrom({ ...smallConfig(), workers: 2 }, '/').workers).to.equal(2);
  });

  it('are nothing else, and the problem has its line', () => {
    const wrong = (found: string) =>
      `4 workers must be a whole number from 1 to 256, or "auto", not ${JSON.stringify(found)}`;
    for (const [line, found] of [
      ['workers: 0', '0'],
      ['workers: 257', '257'],
      ['workers: -1', '-1'],
      ['workers: 1.5', '1.5'],
      ['workers: 1e99', '1e+99'],
      ['workers: .nan', 'NaN'],
      ['workers: ""', ''],
      ['workers: "4 "', '4 '],
      ['workers: Auto', 'Auto'],
      ['workers: 0x4x', '0x4x'],
      [`workers: "${'9'.repeat(100)}"`, '9'.repeat(40)],
    ] as const) {
      const { plan, problems } = check(SMALL + line);
      expect(messages(problems), line).to.deep.equal([wrong(found)]);
      expect(plan).to.equal(undefined);
    }
    for (const line of ['workers: true', 'workers: [4]', 'workers: {}']) {
      expect(messages(check(SMALL + line).problems)[0], line).to.match(/^4 workers must be a number or text, not /);
    }
    expect(messages(check(`${SMALL}handshakers: 1`).problems)[0]).to.match(/^4 handshakers is no key of Gateway/);
  });

  it('share the limits of connections, and no others, rounded up', () => {
    const plan = planFrom(fullConfig(), files.path);
    const share = shareOf(plan, 3);
    expect(share.limits).to.deep.equal({ ...plan.limits, connections: 1667 });
    expect(share.routes.map(({ limits }) => limits)).to.deep.equal([
      { connections: 167, connectionsPerSource: 7 },
      { connections: 1667, connectionsPerSource: 334 },
    ]);
    const limits = undefined;
    expect({ ...share, routes: [], limits }).to.deep.equal({ ...plan, routes: [], limits });
    expect(share.routes.map((route) => ({ ...route, limits }))).to.deep.equal(
      plan.routes.map((route) => ({ ...route, limits })),
    );
    expect(shareOf(plan, 1)).to.deep.equal(plan);
  });

  it('are warned of where a limit is less than there are of them', () => {
    const limited = (name: string) => `${SMALL.trimEnd().slice(0, -1)}, limits: { ${name}: 3 } }\n`;
    for (const name of ['connections', 'connectionsPerSource']) {
      expect(messages(check(`${limited(name)}workers: 4`).warnings)).to.deep.equal([
        `3 routes[0].limits.${name} is less than there are workers: each takes 1, which is 4 in all`,
      ]);
      for (const line of ['workers: 3', '']) expect(check(limited(name) + line).warnings, line).to.deep.equal([]);
    }
    expect(messages(check(`${SMALL}limits: { connections: 1 }\nworkers: 2`).warnings)[0]).to.match(
      /^4 limits\.connections is less than /,
    );
  });

  describe('and keys that the main process does not read', () => {
    const terminated = () => changed(fullConfig(), ['routes', 0, 'mode'], undefined);
    const text = (config: object): { path: string; text: string } => ({
      path: join(files.path, 'gateway.json'),
      text: JSON.stringify(config),
    });
    /** A key that whoever opens it waits for, and one that is not there; of a route, and of a backend. */
    const withKeys = (key: unknown) =>
      [
        ['routes', 1, 'terminate', 'certificates', 0, 'key'],
        ['routes', 1, 'backend', 'tls', 'key'],
      ].map((path) => text(changed(terminated(), path, key)));

    it('the plan is the same', () => {
      const config = text(fullConfig());
      const [read, unread] = [checkConfigText(config), checkConfigText(config, { keys: 'unread' })];
      expect(unread.problems).to.deep.equal([]);
      expect(unread.plan).to.not.equal(undefined);
      expect(JSON.stringify(unread)).to.equal(JSON.stringify(read));
    });

    it('no key file is opened: of all calls that read, none is for one', () => {
      const opened = (options: CheckOptions): string[] => {
        const calls: string[] = [];
        const names = ['readFileSync', 'openSync', 'statSync', 'createReadStream', 'readFile', 'open'] as const;
        const originals = names.map((name) => fs[name]);
        for (const name of names) {
          const original = fs[name] as (...args: unknown[]) => unknown;
          const recording = (...args: unknown[]) => {
            calls.push(basename(String(args[0])));
            return original(...args);
          };
          Object.assign(fs, { [name]: recording });
        }
        syncBuiltinESMExports();
        try {
          expect(checkConfigText(text(fullConfig()), options).problems).to.deep.equal([]);
        } finally {
          for (const [index, name] of names.entries()) Object.assign(fs, { [name]: originals[index] });
          syncBuiltinESMExports();
        }
        return [...new Set(calls)];
      };
      const certificates = ['web.pem', 'ca.pem', 'client.pem'];
      expect(opened({ keys: 'unread' })).to.have.members(certificates);
      expect(opened({ keys: 'read' })).to.have.members([...certificates, 'web.key', 'client.key']);
    });

    it('what is wrong with a key is found where it is read', () => {
      execFileSync('mkfifo', [join(files.path, 'fifo.key')]);
      // What is no file at all, and one that is another's key, cannot be told from a good one without a look at it.
      for (const key of ['missing.key', 'fifo.key', '.', 'client.pem']) {
        for (const config of withKeys(key)) {
          expect(checkConfigText(config, { keys: 'unread' }).problems, key).to.deep.equal([]);
          const [problem, ...more] = checkConfigText(config).problems;
          expect(problem?.path, key).to.match(/\.key$/);
          expect(more).to.deep.equal([]);
        }
      }
    });

    it('no token is asked, and a URI that is none is a problem all the same', () => {
      const path = ['routes', 1, 'terminate', 'certificates', 0, 'key'];
      const problems = (pkcs11: string, options?: CheckOptions) =>
        checkConfigText(text(changed(terminated(), path, { pkcs11 })), options).problems.map((each) => each.message);
      const nowhere = 'pkcs11:token=none;object=none?module-path=/no/module.so&pin-source=file:/no/pin';
      expect(problems(nowhere)).to.have.length(1);
      expect(problems(nowhere, { keys: 'unread' })).to.deep.equal([]);
      expect(problems('pkcs11:object=a', { keys: 'unread' })[0]).to.match(/ERR_KEY_URI/);
      const [withPin = ''] = problems('pkcs11:token=a;object=b?pin-value=4711', { keys: 'unread' });
      expect(withPin)
        .to.match(/pin-value/)
        .and.not.include('4711');
    });

    it('certificates are judged all the same', async () => {
      const expired = await makeCertificate({ names: ['web.example.com'], notAfter: new Date('2020-01-01') });
      files.write('expired.pem', expired.cert);
      const judged = (cert: string) =>
        checkConfigText(text(changed(terminated(), ['routes', 1, 'terminate', 'certificates', 0, 'cert'], cert)), {
          keys: 'unread',
        });
      expect(
        judged('expired.pem')
          .warnings.map(({ message }) => message)
          .join(),
      ).to.match(/has expired/);
      expect(
        judged('client.pem')
          .warnings.map(({ message }) => message)
          .join(),
      ).to.match(/not for a server.*none is for/);
      expect(judged('missing.pem').problems.map(({ message }) => message)[0]).to.match(/there is no such file/);
      expect(judged('web.key').problems.map(({ message }) => message)[0]).to.match(/has no certificate/);
      const unnamed = changed(terminated(), ['routes', 1, 'terminate', 'certificates', 0, 'key'], undefined);
      expect(checkConfigText(text(unnamed), { keys: 'unread' }).problems[0]?.message).to.match(/needs its key/);
    });

    it('options of one backend likewise', () => {
      const options: OneBackend = { listen: [':443'], to: ['a:1'], cert: join(files.path, 'web.pem'), key: '/no/key' };
      expect(() => oneBackendPlan(options)).to.throw(/^--key: /);
      expect(oneBackendPlan({ ...options, workers: '5' }, { keys: 'unread' }).workers).to.equal(5);
      expect(() => oneBackendPlan({ ...options, workers: 'all' }, { keys: 'unread' })).to.throw(/^--workers: must be /);
    });
  });

  describe('and a text that several processes check', () => {
    it('is read once, and survives a message', async () => {
      const path = files.write('read.yaml', `${SMALL}workers: 2`);
      const text = structuredClone(await readConfigText(path));
      files.write('read.yaml', 'changed: meanwhile');
      expect(text).to.deep.equal({ path, text: `${SMALL}workers: 2` });
      expect(checkConfigText(text).plan?.workers).to.equal(2);
    });

    it('that cannot be read is a problem of the configuration', async () => {
      const path = join(files.path, 'nowhere.yaml');
      const error = await readConfigText(path).catch((each: unknown) => each);
      expect(error).to.be.instanceOf(ConfigError).and.have.property('code', 'ERR_GATEWAY_CONFIG');
      const { problems } = error as ConfigError;
      expect(problems[0]?.message).to.match(/^cannot be read: ENOENT/);
      expect(await checkConfig(path)).to.deep.equal({ plan: undefined, problems, warnings: [] });
    });
  });
});
