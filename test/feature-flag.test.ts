/** Only `turbotls/experimental` gives turbo: seen by what a child process has loaded. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const root = new URL('../../', import.meta.url);

interface Run {
  /** What was loaded: paths below the package's folder. */
  loaded: string[];
  /** Lines of stdout. */
  lines: string[];
  warnings: string[];
}

/**
 * Runs a program that may import `turbotls` as those who install it do: a package may refer to itself by name through
 * its exports. NODE_V8_COVERAGE writes every script that ran, ESM and CommonJS, on every version of Node.
 */
async function run(program: string): Promise<Run> {
  const folder = mkdtempSync(join(tmpdir(), 'turbotls-'));
  try {
    const child = spawn(process.execPath, ['--input-type=module', '--eval', program], {
      cwd: fileURLToPath(root),
      env: { ...process.env, NODE_V8_COVERAGE: folder, NODE_OPTIONS: '' },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const output = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk) => (output.stdout += chunk));
    child.stderr.on('data', (chunk) => (output.stderr += chunk));
    const [code] = await once(child, 'close');
    expect(code, output.stderr).to.equal(0);
    const loaded = readdirSync(folder).flatMap((file) => {
      const { result } = JSON.parse(readFileSync(join(folder, file), 'utf8')) as { result: { url: string }[] };
      return result.filter(({ url }) => url.startsWith(root.href)).map(({ url }) => url.slice(root.href.length));
    });
    return {
      loaded,
      lines: output.stdout.split('\n').filter(Boolean),
      warnings: output.stderr.match(/ExperimentalWarning: turbotls[^\n]*/g) ?? [],
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const TURBO =
  /^dist\/src\/(experimental\.js|(adapters|client|compare|engine|gateway|platform|server|wire|workers)\/)|^proto\//;
const DEPENDENCIES = /^node_modules\/(rxjs|lru-cache|protobufjs)\//;

describe('the feature flag', function () {
  this.timeout(30_000);

  it("'turbotls' loads nothing of turbo, nor what only turbo needs", async () => {
    const { loaded, lines, warnings } = await run(`
      import * as turbotls from 'turbotls';
      console.log(Object.keys(turbotls).sort().join());
    `);
    expect(loaded).to.include('dist/src/index.js');
    expect(loaded.filter((path) => TURBO.test(path))).to.deep.equal([]);
    expect(loaded.filter((path) => DEPENDENCIES.test(path))).to.deep.equal([]);
    expect(warnings).to.deep.equal([]);
    expect(lines[0]?.split(',')).to.include.members(['TurboError', 'errorTexts']);
    for (const name of ['connect', 'createServer', 'attach', 'ClientIO', 'TurboListener']) {
      expect(lines[0]?.split(',')).not.to.include(name);
    }
  });

  for (const codec of ['pg', 'redis']) {
    it(`'turbotls/${codec}' loads nothing of turbo`, async () => {
      const { loaded, warnings } = await run(`import 'turbotls/${codec}';`);
      expect(loaded).to.include(`dist/src/codec/${codec}/index.js`);
      expect(loaded.filter((path) => TURBO.test(path))).to.deep.equal([]);
      expect(loaded.filter((path) => path.startsWith('node_modules/protobufjs/'))).to.deep.equal([]);
      expect(warnings).to.deep.equal([]);
    });
  }

  it("'turbotls/experimental' does, and warns of nothing before it is used", async () => {
    const { loaded, lines, warnings } = await run(`
      import * as turbo from 'turbotls/experimental';
      console.log(Object.keys(turbo).sort().join());
    `);
    for (const part of ['client', 'server', 'engine', 'wire', 'platform']) {
      expect(
        loaded.some((path) => path.startsWith(`dist/src/${part}/`)),
        part,
      ).to.equal(true);
    }
    for (const dependency of ['rxjs', 'lru-cache', 'protobufjs']) {
      expect(
        loaded.some((path) => path.startsWith(`node_modules/${dependency}/`)),
        dependency,
      ).to.equal(true);
    }
    expect(loaded).to.include('proto/turbotls.js');
    expect(warnings).to.deep.equal([]);
    expect(lines[0]?.split(',')).to.include.members([
      'ClientIO',
      'PathMemory',
      'ServerIO',
      'TurboError',
      'TurboListener',
      'attach',
      'connect',
      'createServer',
      'HandshakeState',
    ]);
  });

  it('both share their errors: one class, however it was imported', async () => {
    const { lines } = await run(`
      import * as stable from 'turbotls';
      import * as turbo from 'turbotls/experimental';
      console.log(stable.TurboError === turbo.TurboError);
    `);
    expect(lines).to.deep.equal(['true']);
  });

  const uses: [string, string][] = [
    ['connect', "turbo.connect({ host: '127.0.0.1', port: 9 }).on('error', () => {}).destroy()"],
    ['createServer', 'turbo.createServer()'],
    ['attach', 'turbo.attach(createServer())'],
    ['TurboListener', 'new turbo.TurboListener()'],
    ['ClientIO', "new turbo.ClientIO({ tcp: { host: '127.0.0.1', port: 9 } }).on('error', () => {}).destroy()"],
  ];
  for (const [name, use] of uses) {
    it(`${name} emits one ExperimentalWarning, at its first use in a process`, async () => {
      const { lines, warnings } = await run(`
        import { createServer } from 'node:tls';
        import * as turbo from 'turbotls/experimental';
        const seen = [];
        process.on('warning', ({ name }) => seen.push(name));
        const next = () => new Promise(setImmediate);
        await next();
        console.log(seen.length);
        ${use};
        await next();
        console.log(seen.join());
        ${use};
        new turbo.TurboListener();
        await next();
        console.log(seen.join());
      `);
      expect(lines).to.deep.equal(['0', 'ExperimentalWarning', 'ExperimentalWarning']);
      expect(warnings).to.have.length(1);
    });
  }

  it("connect with mode 'off' warns of nothing: it is tls.connect", async () => {
    const { warnings } = await run(`
      import * as turbo from 'turbotls/experimental';
      turbo.connect({ host: '127.0.0.1', port: 9, turbo: { mode: 'off' } }).on('error', () => {}).destroy();
      turbo.createServer({ turbo: { mode: 'off' } });
    `);
    expect(warnings).to.deep.equal([]);
  });

  it('nothing else can be imported', async () => {
    const { lines } = await run(`
      for (const path of ['client/connect.js', 'dist/src/engine/engine.js', 'errors', 'wire']) {
        await import('turbotls/' + path).then(() => console.log('imported'), ({ code }) => console.log(code));
      }
      const { default: { name } } = await import('turbotls/package.json', { with: { type: 'json' } });
      console.log(name);
    `);
    expect(lines).to.deep.equal([...new Array(4).fill('ERR_PACKAGE_PATH_NOT_EXPORTED'), 'turbotls']);
  });
});
