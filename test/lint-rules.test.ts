/** The linter's rules of who may import whom, on a small tree of their own: each must bite, and only where it should. */
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect } from 'chai';

const root = fileURLToPath(new URL('../../', import.meta.url));
const BIOME = join(root, 'node_modules/@biomejs/biome/bin/biome');

/** A folder, what one of its files may import, and what not. */
const RULES: { from: string; may: string[]; mayNot: string[] }[] = [
  {
    from: 'src/wire/x.ts',
    may: ['./frame.js', '../errors.js', '#proto/turbotls.js', 'node:crypto'],
    mayNot: [
      '../limits.js',
      '../platform/clock.js',
      '../server/server-io.js',
      '../client/connect.js',
      '../engine/engine.js',
      '../experimental.js',
      'node:net',
      'node:dgram',
      'node:tls',
      'rxjs',
      'turbotls/experimental',
    ],
  },
  {
    from: 'src/platform/x.ts',
    may: ['./clock.js', 'node:net', 'rxjs'],
    mayNot: ['../errors.js', '../limits.js', '../wire/frame.js', '../engine/engine.js', '#proto/turbotls.js'],
  },
  {
    from: 'src/server/x.ts',
    may: ['./server-io.js', '../wire/flight.js', '../platform/clock.js', '../errors.js', '../limits.js'],
    mayNot: ['../engine/engine.js', '../client/connect.js', '../experimental.js', '../index.js', '../../test/x.js'],
  },
  {
    from: 'src/client/x.ts',
    may: [
      './connect.js',
      '../wire/flight.js',
      '../platform/clock.js',
      '../errors.js',
      '../limits.js',
      '../transport.js',
    ],
    mayNot: ['../engine/engine.js', '../server/server-io.js', '../experimental.js', '../index.js', 'turbotls'],
  },
  {
    from: 'src/engine/x.ts',
    may: [
      './engine.js',
      '../server/server-io.js',
      '../wire/frame.js',
      '../platform/clock.js',
      '../errors.js',
      '../limits.js',
    ],
    mayNot: [
      '../client/connect.js',
      '../client/path-memory.js',
      '../gateway/plan.js',
      '../experimental.js',
      '../index.js',
    ],
  },
  {
    from: 'src/workers/x.ts',
    may: [
      './front.js',
      '../engine/udp-port.js',
      '../wire/frame.js',
      '../platform/clock.js',
      '../errors.js',
      '../limit-units.js',
      '#proto/worker.js',
    ],
    mayNot: ['../client/connect.js', '../gateway/plan.js', '../cli/main.js', '../experimental.js', '../index.js'],
  },
  {
    from: 'src/keys/x.ts',
    may: ['./uri.js', '../coded-error.js', '../errors.js', '../limit-units.js', 'node:tls', 'rxjs', 'lru-cache'],
    mayNot: [
      '../engine/engine.js',
      '../gateway/plan.js',
      '../platform/clock.js',
      '../experimental.js',
      '#proto/config.js',
    ],
  },
  {
    from: 'src/codec/pg/x.ts',
    may: ['./y.js', '../shared.js', '../../errors.js', '../../transport.js', 'node:crypto'],
    mayNot: [
      '../../client/connect.js',
      '../../wire/frame.js',
      '../../engine/engine.js',
      '../../experimental.js',
      '../../gateway/gateway.js',
      'node:net',
    ],
  },
  {
    from: 'src/codec/pg/auth/x.ts',
    may: ['../client/y.js', '../errors.js', '../../../transport.js', 'rxjs', 'lru-cache'],
    mayNot: ['../../../client/connect.js', '../../../experimental.js', '../../../platform/clock.js', 'node:tls'],
  },
  {
    from: 'src/gateway/x.ts',
    may: [
      './plan.js',
      './backend/index.js',
      '../engine/turbo-listener.js',
      '../server/server-io.js',
      '../client/connect.js',
      '../keys/index.js',
      '../wire/client-hello.js',
      '../platform/clock.js',
      '../codec/pg/encoder.js',
      '../abort.js',
      '../transport.js',
      '../errors.js',
      '../limits.js',
      '../coded-error.js',
      '#proto/config.js',
      'node:tls',
      'yaml',
    ],
    mayNot: [
      '../experimental.js',
      '../index.js',
      '../cli/main.js',
      '../codec/redis/index.js',
      '../../test/x.js',
      'turbotls',
      'turbotls/experimental',
    ],
  },
  {
    from: 'src/gateway/backend/x.ts',
    may: [
      '../plan.js',
      '../config/index.js',
      '../../engine/events.js',
      '../../client/path-memory.js',
      '../../wire/proxy-protocol.js',
      '../../platform/clock.js',
      '../../codec/pg/negotiation.js',
      '../../transport.js',
      '../../limit-units.js',
    ],
    mayNot: ['../../experimental.js', '../../index.js', '../../cli/main.js', '../../codec/redis/index.js'],
  },
  {
    from: 'src/cli/x.ts',
    may: ['./y.js', '../gateway/index.js', '../transport.js', '../errors.js', 'commander'],
    mayNot: [
      '../experimental.js',
      '../index.js',
      '../engine/engine.js',
      '../client/connect.js',
      '../codec/pg/index.js',
    ],
  },
  {
    from: 'src/cli/commands/x.ts',
    may: ['../y.js', '../../gateway/index.js', '../../coded-error.js'],
    mayNot: ['../../experimental.js', '../../engine/engine.js', '../../../test/x.js'],
  },
  {
    from: 'src/index.ts',
    may: ['./errors.js', './transport.js', './codec/pg/client.js', 'node:tls'],
    mayNot: [
      './experimental.js',
      './client/connect.js',
      './server/server-io.js',
      './engine/attach.js',
      './wire/frame.js',
      './platform/clock.js',
      './gateway/gateway.js',
      './cli/main.js',
      '#proto/turbotls.js',
      'rxjs',
      'lru-cache',
      'protobufjs/minimal.js',
    ],
  },
  {
    from: 'src/experimental.ts',
    may: ['./client/connect.js', './engine/attach.js', './errors.js', '#proto/turbotls.js'],
    mayNot: [],
  },
];

interface Diagnostic {
  category: string;
  location: { path: string };
}

describe('the lint rules', function () {
  this.timeout(120_000);
  let folder: string;

  before(() => {
    folder = mkdtempSync(join(tmpdir(), 'turbotls-lint-'));
    const config = JSON.parse(readFileSync(join(root, 'biome.json'), 'utf8')) as object;
    write('biome.json', JSON.stringify({ ...config, $schema: undefined, vcs: { enabled: false }, root: true }));
    write('package.json', '{}');
  });

  after(() => rmSync(folder, { recursive: true }));

  function write(path: string, text: string): void {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), text);
  }

  /** Which files break this rule. */
  async function offenders(rule: string): Promise<Set<string>> {
    const args = [BIOME, 'lint', '--reporter=json', '--max-diagnostics=none', `--only=${rule}`];
    const output = await new Promise<string>((resolve) => {
      execFile(process.execPath, args, { cwd: folder, maxBuffer: 2 ** 26 }, (_failed, stdout) => resolve(stdout));
    });
    const { diagnostics } = JSON.parse(output) as { diagnostics: Diagnostic[] };
    const found = diagnostics.filter(({ category }) => category === `lint/${rule}`);
    return new Set(found.map(({ location }) => location.path.replaceAll('\\', '/')));
  }

  it('let folders import one way only', async () => {
    const expected = new Map<string, boolean>();
    for (const { from, may, mayNot } of RULES) {
      for (const [index, specifier] of [...may, ...mayNot].entries()) {
        // One import for each file, where the folder decides; src/index.ts and its like are known by name.
        const path = from.replace('/x.ts', `/x${index}.ts`);
        const text = `import { y } from '${specifier}';\nexport const x = y;\n`;
        if (path !== from) {
          write(path, text);
          expected.set(path, index >= may.length);
        }
      }
    }
    const found = await offenders('style/noRestrictedImports');
    for (const [path, isRefused] of expected) {
      const text = readFileSync(join(folder, path), 'utf8');
      expect(found.has(path), `${path}: ${text}`).to.equal(isRefused);
    }
  });

  for (const { from, may, mayNot } of RULES.filter(({ from }) => !from.endsWith('/x.ts'))) {
    it(`keep ${from} to what it may import`, async () => {
      const text = (specifiers: string[]) =>
        specifiers.map((specifier, index) => `export { y as y${index} } from '${specifier}';\n`).join('');
      write(from, text(may));
      expect((await offenders('style/noRestrictedImports')).has(from)).to.equal(false);
      for (const specifier of mayNot) {
        write(from, text([...may, specifier]));
        expect((await offenders('style/noRestrictedImports')).has(from), specifier).to.equal(true);
      }
    });
  }

  it('find a circle of imports', async () => {
    write('src/circle/a.ts', "import { b } from './b.js';\nexport const a = () => b();\n");
    write('src/circle/b.ts', "import { a } from './c.js';\nexport const b = () => a();\n");
    write('src/circle/c.ts', "export { a } from './a.js';\n");
    const found = await offenders('suspicious/noImportCycles');
    expect([...found]).to.include.members(['src/circle/a.ts', 'src/circle/b.ts']);
  });

  it('find a promise that is forgotten', async () => {
    write('src/promise.ts', 'async function work(): Promise<void> {}\nexport function start(): void {\n  work();\n}\n');
    expect([...(await offenders('nursery/noFloatingPromises'))]).to.deep.equal(['src/promise.ts']);
  });
});
