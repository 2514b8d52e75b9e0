/**
 * `npm run keys`: a server whose private key is in another process. Sets everything up in a temporary folder, without
 * root: a SoftHSM token, `p11-kit server` with it, servers with the key in a file and in the token, a client. Then it looks
 * for the key in the memory of each process, and removes everything.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type KeyProcess, missingForKeys, startKeyProcess } from '../../test/servers/key-process.js';
import { type KeyType, makeCertificate } from '../../test/support/certificates.js';
import { commandLine, fail } from '../command-line.js';
import { searchBusyMemory, searchMemory, type Trace, tracesOf } from './memory-search.js';
import type { ServerOrder } from './server-process.js';
import { ServerProcess } from './servers.js';

interface Result {
  name: string;
  pid: number;
  /** How the key is written where it was found. */
  found: string[];
  expected: boolean;
}

const CONNECTIONS = 3;

const { rsa } = commandLine('Shows in which processes a private key is: in a file, and in a PKCS#11 token.', {
  rsa: { kind: 'flag', about: 'an RSA key of 2,048 bits; without, ECDSA with P-256' },
});

const missing = missingForKeys();
if (missing.length > 0) {
  for (const part of missing) console.error(part);
  process.exit(1);
}
const folder = mkdtempSync(join(tmpdir(), 'turbotls-example-keys-'));
let keyProcess: KeyProcess | undefined;
try {
  const results = await compare(rsa ? 'rsa' : 'ecdsa');
  show(results);
  if (results.some(({ found, expected }) => found.length > 0 !== expected)) process.exitCode = 1;
} catch (error) {
  fail(error as Error);
} finally {
  await keyProcess?.stop();
  rmSync(folder, { recursive: true, force: true });
}

async function compare(keyType: KeyType): Promise<Result[]> {
  const { key, cert, ca } = await makeCertificate({ names: ['localhost'], keyType });
  const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key, { mode: 0o600 });
  keyProcess = await startKeyProcess({ server: key });
  const uri = keyProcess.uri('server');
  console.log(`The token is served at ${keyProcess.address}\nThe key is ${uri}\n`);
  const env = { P11_KIT_SERVER_ADDRESS: keyProcess.address };
  const traces = tracesOf(key);
  const look = (name: string, order: ServerOrder, expected: boolean) =>
    lookInto({ name, order, env, ca, traces, expected });
  const results = await Promise.all([
    look('node:tls, key in a file', { kind: 'tls', ...files }, true),
    look('turbotls, key in a file', { kind: 'turbo', ...files }, true),
    look('turbotls, key in the token', { kind: 'turbo', cert: files.cert, key: { pkcs11: uri } }, false),
  ]);
  return results.flat();
}

interface Look {
  name: string;
  order: ServerOrder;
  env: NodeJS.ProcessEnv;
  ca: string;
  traces: readonly Trace[];
  expected: boolean;
}

async function lookInto({ name, order, env, ca, traces, expected }: Look): Promise<Result[]> {
  const server = await ServerProcess.start(order, env);
  try {
    for (let i = 0; i < CONNECTIONS; i++) await server.ask(ca);
    const { said, carrier } = await server.ask(ca);
    console.log(`${name}: "${said}", TLS began over ${carrier}`);
    const result = { name, pid: server.pid, found: searchMemory(server.pid, traces).found, expected };
    if (expected) return [result];
    const [pid = 0] = keyProcess?.pids() ?? [];
    // SoftHSM has its keys encrypted but for as long as it signs.
    const { found } = await server.whileBusy(ca, () => searchBusyMemory(pid, traces));
    return [result, { name: '  its key process', pid, found, expected: true }];
  } finally {
    await server.stop();
  }
}

function show(results: readonly Result[]): void {
  console.log('\nProcess                        PID       The private key in its memory');
  for (const { name, pid, found } of results) {
    const text = found.length === 0 ? 'not found' : `found: ${found.join(', ')}`;
    console.log(`${name.padEnd(30)} ${String(pid).padEnd(9)} ${text}`);
  }
}
