/**
 * Checks the package as its users get it: packs it, looks at what is in it, installs it in an empty project, and there
 * runs it and checks its types as strictly as a user may.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ROOT = dirname(dirname(fileURLToPath(import.meta.url)));
const EXPECTED =
  /^(dist\/src\/.+\.(js|d\.ts|js\.map)|proto\/(turbotls|worker|control)\.(proto|js|d\.ts)|proto\/config\.proto|docs\/.+\.md|docs\/latency\/.+\.svg|deploy\/.+\/.+)$/;
const EXPECTED_AT_ROOT = ['CHANGELOG.md', 'LICENSE', 'README.md', 'package.json'];

const RUN = `
import { errorTexts } from 'turbotls';
import { connect, createServer, TurboError } from 'turbotls/experimental';
import { PgClient } from 'turbotls/pg';
import { RedisClient } from 'turbotls/redis';
import { Gateway, loadConfig } from 'turbotls/gateway';
import { keyHealth } from 'turbotls/keys';
import { sharePorts } from 'turbotls/cluster';
const server = createServer().listen(0, '127.0.0.1', () => {
  const socket = connect(server.address().port, '127.0.0.1');
  socket.on('error', () => server.close(() => console.log(Object.keys(errorTexts).length > 0 && TurboError.name)));
});
`;

const TYPES = `
import type { Server as HttpsServer } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { type TurboErrorCode, TurboError } from 'turbotls';
import * as turbotls from 'turbotls/experimental';
import { PgClient, type PgResult } from 'turbotls/pg';
import { RedisClient, type Reply } from 'turbotls/redis';
import { Gateway, loadConfig } from 'turbotls/gateway';
import { pkcs11Key } from 'turbotls/keys';
import { type Front, sharePorts } from 'turbotls/cluster';

const socket: TLSSocket = turbotls.connect({ port: 443, turbo: { mode: 'prefer', firstContact: 'careful' } });
const carrier: 'udp' | 'tcp' | undefined = turbotls.connect(443, 'localhost').turbo?.carrier;
const port: turbotls.TurboPort = turbotls.attach({} as HttpsServer);
const code: TurboErrorCode = new TurboError('ERR_TURBO_LISTEN').code;
turbotls.createServer({ turbo: { limits: { flightBytes: 1 } } }, (each: TLSSocket) => each.pipe(each));
const pg = PgClient.open('postgres://localhost', { transport: turbotls.turboTransport() });
export const result: Promise<PgResult<{ n: number }>> = pg.query<{ n: number }>('SELECT 1 AS n', [], { rowMode: 'object' });
export const gateway: Promise<Gateway> = loadConfig('gateway.yaml').then((plan) => new Gateway(plan));
export const reply: Promise<Reply> = RedisClient.open('redis://localhost').command('GET', 'a');
export const front: Front = sharePorts({ limits: { lagMs: 100 } });
turbotls.createServer({ cert: '', ...pkcs11Key('pkcs11:token=web;object=key', { cert: '' }) });
export const state: turbotls.HandshakeState | undefined = turbotls.connect(443).turbo?.state;
// @ts-expect-error: no such mode, so options are not 'any'
turbotls.connect({ port: 443, turbo: { mode: 'always' } });
export { carrier, code, port, socket };
`;

const project = mkdtempSync(join(tmpdir(), 'turbotls-package-'));
try {
  const [{ filename, files }] = JSON.parse(output('npm', ['pack', '--json', '--pack-destination', project], ROOT));
  checkContents(files.map(({ path }) => path));
  install(filename);
  checkRuns();
  for (const [module, moduleResolution] of [
    ['nodenext', 'nodenext'],
    ['esnext', 'bundler'],
  ]) {
    checkTypes(module, moduleResolution);
  }
} catch (error) {
  console.error(`not ok: ${error.message}${error.stdout ? `\n${error.stdout}` : ''}`);
  process.exitCode = 1;
} finally {
  rmSync(project, { recursive: true, force: true });
}

function checkContents(paths) {
  const strange = paths.filter((path) => !EXPECTED.test(path) && !EXPECTED_AT_ROOT.includes(path));
  if (strange.length > 0) throw new Error(`the package holds what it should not: ${strange.join(', ')}`);
  const needed = [...EXPECTED_AT_ROOT, 'proto/turbotls.proto', 'docs/errors.md', 'docs/limits.md'];
  const missing = needed.filter((path) => !paths.includes(path));
  if (missing.length > 0) throw new Error(`the package lacks ${missing.join(', ')}`);
  console.log(`ok: ${paths.length} files, no strange ones`);
}

function install(filename) {
  write('package.json', JSON.stringify({ name: 'project', private: true, type: 'module' }));
  output('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', `./${filename}`]);
  console.log('ok: it installs, with its dependencies');
}

function checkRuns() {
  write('run.js', RUN);
  const said = output(process.execPath, ['--disable-warning=ExperimentalWarning', 'run.js']).trim();
  if (said !== 'TurboError') throw new Error(`the project said '${said}'`);
  console.log('ok: it runs');
}

function checkTypes(module, moduleResolution) {
  const compilerOptions = {
    module,
    moduleResolution,
    target: 'es2023',
    strict: true,
    noEmit: true,
    skipLibCheck: false,
    types: ['node'],
    typeRoots: [join(ROOT, 'node_modules', '@types')],
  };
  write('types.ts', TYPES);
  write('tsconfig.json', JSON.stringify({ compilerOptions, files: ['types.ts'] }));
  output(process.execPath, [join(ROOT, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', '.']);
  console.log(`ok: its types hold (${moduleResolution})`);
}

function write(name, text) {
  writeFileSync(join(project, name), text);
}

function output(command, args, cwd = project) {
  return execFileSync(command, args, { cwd, encoding: 'utf8', stdio: ['ignore', 'pipe', 'inherit'] });
}
