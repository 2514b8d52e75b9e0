/**
 * `npm run keys`: a server whose private key is in another process. Sets everything up in a temporary folder, without
 * root: a SoftHSM token, `p11-kit server` with it, servers and gateways with workers whose key is in a file and in the
 * token, clients. Then it looks for the key in the memory of each process, and removes everything.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type KeyProcess, missingForKeys, startKeyProcess } from '../../test/servers/key-process.js';
import { type KeyType, makeCertificate } from '../../test/support/certificates.js';
import { commandLine, fail } from '../command-line.js';
import { searchBusyMemory, searchMemory, type Trace, tracesOf } from './memory-search.js';
import { type Serving, startGateway, startServer, whileBusy } from './servers.js';

interface Result {
  /** What serves. */
  title: string;
  processes: readonly {
    /** What this one is, where there are several. */
    name: string;
    pid: number;
    /** How the key is written where it was found. */
    found: string[];
    expected: boolean;
  }[];
}

const CONNECTIONS = 3;
const NAME_WIDTH = 34;
/** Looks into a process that may have the key for a moment at a time. */
const TRIES = 60;

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
  const all = results.flatMap(({ processes }) => processes);
  if (all.some(({ found, expected }) => found.length > 0 !== expected)) process.exitCode = 1;
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
  const inToken = { cert: files.cert, key: { pkcs11: uri } };
  const config = join(folder, 'gateway.json');
  const search = { ca, traces: tracesOf(key) };
  const tls = lookInto('node:tls, key in a file', startServer({ kind: 'tls', ...files }), [true], search);
  const turbo = lookInto('turbotls, key in a file', startServer({ kind: 'turbo', ...files }), [true], search);
  const token = lookInto('turbotls, key in the token', startServer({ kind: 'turbo', ...inToken }, env), [false], {
    ...search,
    keyProcess,
  });
  const alone = await Promise.all([tls, turbo, token]);
  return [
    ...alone,
    await lookInto('gateway with workers, key in a file', startGateway(config, files), [false, true, true], search),
    await lookInto(
      'gateway with workers, key in the token',
      startGateway(config, inToken, env),
      [false, false, false],
      search,
    ),
  ];
}

interface Search {
  ca: string;
  traces: readonly Trace[];
  /** It is looked into as well. */
  keyProcess?: KeyProcess;
}

/** @param expected whether the key is there, by process */
async function lookInto(
  title: string,
  started: Promise<Serving>,
  expected: readonly boolean[],
  { ca, traces, keyProcess }: Search,
): Promise<Result> {
  const server = await started;
  try {
    for (let i = 0; i < CONNECTIONS; i++) await server.ask(ca);
    const { said, carrier } = await server.ask(ca);
    console.log(`${title}: "${said}", TLS began over ${carrier}`);
    const processes = server.processes.map(({ name, pid }, i) => {
      return { name, pid, found: searchMemory(pid, traces).found, expected: expected[i] ?? false };
    });
    if (!keyProcess) return { title, processes };
    const { pid, found } = await whileBusy(server, ca, () => searchKeyProcesses(keyProcess, traces));
    return { title, processes: [...processes, { name: 'its key process', pid, found, expected: true }] };
  } finally {
    await server.stop();
  }
}

/** One of them is the server's: SoftHSM has its keys encrypted there but for as long as it signs. */
async function searchKeyProcesses(
  keyProcess: KeyProcess,
  traces: readonly Trace[],
): Promise<{ pid: number; found: string[] }> {
  const pids = keyProcess.pids();
  for (const pid of pids) {
    const { found } = await searchBusyMemory(pid, traces, TRIES);
    if (found.length > 0) return { pid, found };
  }
  return { pid: pids[0] ?? 0, found: [] };
}

function show(results: readonly Result[]): void {
  const line = (name: string, pid: number | string, text: string) =>
    console.log(`${name.padEnd(NAME_WIDTH)} ${String(pid).padEnd(9)} ${text}`);
  console.log();
  line('Process', 'PID', 'The private key in its memory');
  for (const { title, processes } of results) {
    const [first] = processes;
    if (first?.name) console.log(title);
    for (const { name, pid, found } of processes) {
      line(name ? `  ${name}` : title, pid, found.length === 0 ? 'not found' : `found: ${found.join(', ')}`);
    }
  }
}
