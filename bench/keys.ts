/** `npm run bench:keys`: what it costs to have the private key elsewhere. docs/keys.md has the figures. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'node:tls';
import { parseArgs } from 'node:util';
import { surroundings } from '../src/keys/surroundings.js';
import { type KeyProcess, missingForKeys, startKeyProcess } from '../test/servers/key-process.js';
import { type KeyType, makeCertificate } from '../test/support/certificates.js';
import type { KeyServerOrder, KeyServerReading } from './keys/server.js';
import { median } from './measure.js';

const CLIENTS = 4;
const { values } = parseArgs({ options: { quick: { type: 'boolean', default: false } } });
const { rounds, roundMs } = values.quick ? { rounds: 3, roundMs: 500 } : { rounds: 11, roundMs: 2_000 };

interface Figures {
  perSecond: number;
  /** Of the event loop, ms a handshake. */
  busyMs: number;
}

class KeyServer {
  readonly #child: ChildProcess;
  readonly #ca: string;
  #port = 0;

  constructor(ca: string, env: NodeJS.ProcessEnv) {
    this.#ca = ca;
    this.#child = fork(new URL('./keys/server.js', import.meta.url), { env: { ...process.env, ...env } });
  }

  async start(order: KeyServerOrder): Promise<void> {
    this.#child.send(order);
    [this.#port] = (await once(this.#child, 'message')) as [number];
    await this.measure(roundMs / 4);
  }

  /** As many handshakes as a few clients can have, each of them new. */
  async measure(ms: number): Promise<Figures> {
    await this.#read();
    const begin = performance.now();
    let count = 0;
    const client = async () => {
      while (performance.now() - begin < ms) {
        await this.#handshake();
        count++;
      }
    };
    await Promise.all(Array.from({ length: CLIENTS }, client));
    const elapsed = performance.now() - begin;
    const { activeMs } = await this.#read();
    return { perSecond: (1000 * count) / elapsed, busyMs: activeMs / count };
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  async #handshake(): Promise<void> {
    const socket = connect({ host: '127.0.0.1', port: this.#port, servername: 'localhost', ca: this.#ca });
    socket.resume();
    await once(socket, 'close');
  }

  async #read(): Promise<KeyServerReading> {
    this.#child.send('read');
    const [reading] = (await once(this.#child, 'message')) as [KeyServerReading];
    return reading;
  }
}

async function compare(keyType: KeyType, folder: string): Promise<void> {
  const { key, cert, ca } = await makeCertificate({ names: ['localhost'], keyType });
  const file = join(folder, `${keyType}.pem`);
  writeFileSync(file, key);
  const keys = await startKeyProcess({ server: key });
  const servers = serversOf(keys, file);
  const running = new Map<string, KeyServer>();
  const figures = new Map<string, Figures[]>();
  try {
    for (const [name, { key, env }] of Object.entries(servers)) {
      const server = new KeyServer(ca, env);
      running.set(name, server);
      await server.start({ cert, key });
      figures.set(name, []);
    }
    for (let round = 0; round < rounds; round++) {
      const order = [...running];
      if (round % 2 === 1) order.reverse();
      for (const [name, server] of order) figures.get(name)?.push(await server.measure(roundMs));
    }
  } finally {
    await Promise.all([...running.values()].map((server) => server.stop()));
    await keys.stop();
  }
  show(keyType, figures);
}

function serversOf(
  keys: KeyProcess,
  file: string,
): Record<string, { key: KeyServerOrder['key']; env: NodeJS.ProcessEnv }> {
  const uri = keys.uri('server');
  const { engines, module } = surroundings({ server: keys.address });
  const remote = { P11_KIT_SERVER_ADDRESS: keys.address };
  const engine = { ...remote, OPENSSL_ENGINES: engines, PKCS11_MODULE_PATH: module };
  return {
    'key in a file': { key: { file }, env: {} },
    'SoftHSM in the process': {
      key: { pkcs11: `${uri}&module-path=${keys.module}` },
      env: { SOFTHSM2_CONF: keys.configuration },
    },
    'p11-kit, engine alone': { key: { engine: uri }, env: engine },
    'p11-kit, turbotls/keys': { key: { pkcs11: uri }, env: remote },
  };
}

function show(keyType: KeyType, figures: ReadonlyMap<string, Figures[]>): void {
  const [first = []] = figures.values();
  console.log(`\n${keyType}: handshakes/s (of the first), event loop ms a handshake (of the first)`);
  for (const [name, all] of figures) {
    const ratio = (of: (each: Figures) => number) =>
      median(all.map((each, index) => of(each) / of(first[index] ?? each))).toFixed(2);
    const [perSecond, busyMs] = [median(all.map((each) => each.perSecond)), median(all.map((each) => each.busyMs))];
    const rate = `${perSecond.toFixed(0)} (${ratio((each) => each.perSecond)})`;
    const busy = `${busyMs.toFixed(2)} (${ratio((each) => each.busyMs)})`;
    console.log(`  ${name.padEnd(26)}${rate.padStart(14)}${busy.padStart(14)}`);
  }
}

const missing = missingForKeys();
if (missing.length > 0) {
  console.error(missing.join('\n'));
  process.exit(1);
}
const folder = mkdtempSync(join(tmpdir(), 'turbotls-bench-'));
try {
  console.log(
    `Node ${process.version}, ${cpus().length} x ${cpus()[0]?.model}; ${rounds} rounds by turns, ${CLIENTS} clients`,
  );
  for (const keyType of ['ecdsa', 'rsa'] as const) await compare(keyType, folder);
} finally {
  rmSync(folder, { recursive: true });
}
