import { type ChildProcess, execFile, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { pkcs11Key } from '../../src/keys/index.js';
import { type KeyProcess, startKeyProcess } from '../servers/key-process.js';
import { type Certificate, makeCertificate } from '../support/certificates.js';
import { requireKeyProcess } from './availability.js';
import type { ChildNews, ChildOrder } from './server-child.js';

const run = promisify(execFile);
const CHILD = fileURLToPath(new URL('./server-child.js', import.meta.url));
const INDEX = new URL('../../src/keys/index.js', import.meta.url).href;
/** `npm run test:keys`: the key process is killed as often as the matrix of reliability asks. */
const KILLS = process.env.TURBOTLS_LONG ? 50 : 2;

describe('a key in a PKCS#11 token', function () {
  this.timeout(20_000);
  let folder: string;
  let keys: KeyProcess;
  const certificates: Record<string, Certificate> = {};
  const children = new Set<ChildProcess>();

  before(async function () {
    requireKeyProcess(this);
    folder = mkdtempSync(join(tmpdir(), 'turbotls-test-'));
    certificates.ecdsa = await makeCertificate({ names: ['localhost'] });
    certificates.rsa = await makeCertificate({ names: ['localhost'], keyType: 'rsa' });
    certificates.other = await makeCertificate({ names: ['other.example'] });
    for (const [name, { cert }] of Object.entries(certificates)) writeFileSync(join(folder, `${name}.pem`), cert);
    const pems = Object.entries(certificates).map(([name, { key }]) => [name, key] as const);
    keys = await startKeyProcess(Object.fromEntries(pems));
    process.env.P11_KIT_SERVER_ADDRESS = keys.address;
  });
  after(async () => {
    delete process.env.P11_KIT_SERVER_ADDRESS;
    await keys?.stop();
    if (folder) rmSync(folder, { recursive: true });
  });
  afterEach(async () => {
    for (const child of children) {
      const ended = once(child, 'exit');
      if (child.kill('SIGKILL')) await ended;
    }
    children.clear();
  });

  class Server {
    readonly news: ChildNews[] = [];
    readonly #child: ChildProcess;
    #heard: (() => void) | undefined;

    constructor(order: Omit<ChildOrder, 'cert'> & { cert?: string }, env: NodeJS.ProcessEnv = {}) {
      this.#child = fork(CHILD, { env: { ...process.env, ...env }, silent: true });
      children.add(this.#child);
      this.#child.on('message', (news: ChildNews) => {
        this.news.push(news);
        this.#heard?.();
      });
      this.#child.send({ ...order, cert: join(folder, `${order.cert ?? 'ecdsa'}.pem`) });
    }

    get pid(): number {
      return this.#child.pid ?? 0;
    }

    /** The next piece of news of a type. */
    async told<Type extends ChildNews['type']>(type: Type): Promise<Extract<ChildNews, { type: Type }>> {
      for (;;) {
        const found = this.news.find((news) => news.type === type);
        if (found) {
          this.news.splice(this.news.indexOf(found), 1);
          return found as Extract<ChildNews, { type: Type }>;
        }
        await new Promise<void>((resolve) => {
          this.#heard = resolve;
        });
      }
    }

    async connect(options: ConnectionOptions = {}): Promise<TLSSocket> {
      this.#port ??= (await this.told('listening')).port;
      const ca = Object.values(certificates).map((each) => each.ca);
      const socket = connect({ host: '127.0.0.1', port: this.#port, servername: 'localhost', ca, ...options });
      await once(socket, 'secureConnect');
      return socket;
    }
    #port: number | undefined;
  }

  async function echoes(socket: TLSSocket): Promise<void> {
    socket.write('ping');
    expect(String((await once(socket, 'data'))[0])).to.equal('ping');
  }

  const codeOf = (use: () => unknown): string | undefined => {
    try {
      use();
      return undefined;
    } catch (error) {
      const { code, message } = error as Error & { code?: string };
      expect(message, 'the PIN is in no message').to.not.include(keys.pin);
      return code ?? message;
    }
  };
  const cert = (name: string) => certificates[name]?.cert ?? '';

  for (const keyType of ['ecdsa', 'rsa']) {
    for (const version of ['TLSv1.2', 'TLSv1.3'] as const) {
      it(`serves ${version} with ${keyType}, and maps no token`, async () => {
        const server = new Server({ uri: keys.uri(keyType), cert: keyType });
        const socket = await server.connect({ minVersion: version, maxVersion: version });
        expect(socket.getProtocol()).to.equal(version);
        await echoes(socket);
        expect(readFileSync(`/proc/${server.pid}/maps`, 'utf8'))
          .to.include('p11-kit-client')
          .and.not.include('softhsm');
        expect(keys.pids().length).to.be.above(0);
        socket.destroy();
      });
    }
  }

  it('is found with a PIN of the environment, and with a module in the process itself', async () => {
    const uri = `pkcs11:token=turbotls;object=ecdsa?pin-source=env:THE_PIN&module-path=${keys.module}`;
    const server = new Server({ uri }, { THE_PIN: keys.pin, SOFTHSM2_CONF: keys.configuration });
    await echoes(await server.connect());
    expect(readFileSync(`/proc/${server.pid}/maps`, 'utf8')).to.include('softhsm');
  });

  it('leaves no PIN, no socket and no address behind', async () => {
    const mine = (name: string) => /^turbotls-(pin|key)-/.test(name);
    const before = readdirSync(tmpdir()).filter(mine);
    writeFileSync(join(folder, 'pin'), `${keys.pin}\n`);
    const uri = `pkcs11:token=turbotls;object=ecdsa?pin-source=file:${join(folder, 'pin')}`;
    const key = pkcs11Key(uri, { cert: cert('ecdsa') });
    expect(key).to.deep.equal({
      privateKeyEngine: 'pkcs11',
      privateKeyIdentifier: 'pkcs11:token=turbotls;object=ecdsa',
    });
    expect(process.env.P11_KIT_SERVER_ADDRESS).to.equal(keys.address);
    expect(readdirSync(tmpdir()).filter(mine)).to.deep.equal(before);
  });

  describe('says what is wrong at the start:', () => {
    const load = (uri: string, name = 'ecdsa', options = {}) =>
      codeOf(() => pkcs11Key(uri, { cert: cert(name), ...options }));
    const withPin = (path: string) => `${path}?pin-source=file:${keys.pinFile}`;

    it('a key or a token that is not there', () => {
      expect(load(withPin('pkcs11:token=turbotls;object=none'))).to.equal('ERR_KEY_NOT_FOUND');
      expect(load(withPin('pkcs11:token=none;object=ecdsa'))).to.equal('ERR_KEY_NOT_FOUND');
    });

    it('a certificate of another key, of the same type and of another', () => {
      expect(load(keys.uri('ecdsa'), 'other')).to.equal('ERR_KEY_MISMATCH');
      expect(load(keys.uri('ecdsa'), 'rsa')).to.equal('ERR_KEY_MISMATCH');
    });

    it('a PIN that is wrong, missing or nowhere to be read', () => {
      const path = 'pkcs11:token=turbotls;object=ecdsa';
      writeFileSync(join(folder, 'wrong'), '0815');
      // A process that has logged in needs none: this one must not have been tried before.
      const other = { cert: `${cert('ecdsa')}\n` };
      expect(codeOf(() => pkcs11Key(`${path}?pin-source=${join(folder, 'wrong')}`, other))).to.equal('ERR_KEY_PIN');
      expect(codeOf(() => pkcs11Key(path, other))).to.equal('ERR_KEY_PIN');
      expect(codeOf(() => pkcs11Key(`${path}?pin-source=/none`, other))).to.equal('ERR_KEY_PIN');
    });

    it('an engine, a module or a key process that is not there', () => {
      process.env.OPENSSL_ENGINES = folder;
      expect(load(`${keys.uri('ecdsa')}`, 'other')).to.equal('ERR_KEY_ENGINE');
      delete process.env.OPENSSL_ENGINES;
      expect(load(keys.uri('ecdsa'), 'other', { module: '/none.so' })).to.equal('ERR_KEY_MODULE');
      expect(load(keys.uri('ecdsa'), 'other', { module: join(folder, 'ecdsa.pem') })).to.equal('ERR_KEY_MODULE');
      expect(load(keys.uri('ecdsa'), 'other', { server: `unix:path=${folder}/none` })).to.equal('ERR_KEY_SERVICE');
    });

    it('limits that are none', () => {
      expect(load(keys.uri('ecdsa'), 'ecdsa', { limits: { checkMs: 0 } })).to.equal('ERR_TURBO_BAD_OPTION');
    });

    it('a Node.js that does not allow it', async () => {
      const script = `import { pkcs11Key } from '${INDEX}'; try { pkcs11Key('pkcs11:token=a;object=b', { cert: '' }) } catch (error) { console.log(error.code) }`;
      const flag = process.versions.node.startsWith('20.') ? '--experimental-permission' : '--permission';
      const args = [flag, '--allow-fs-read=*', '--input-type=module', '--eval', script];
      const { stdout } = await run(process.execPath, args);
      expect(stdout.trim()).to.equal('ERR_KEY_UNSUPPORTED');
    });

    it('a key process that does not answer, within the limit', async () => {
      const holder = new Server({ uri: keys.uri('ecdsa') });
      await holder.connect();
      const stopped = await startKeyProcess({ ecdsa: certificates.ecdsa?.key ?? '' });
      try {
        stopped.signal('SIGSTOP');
        const options = { server: stopped.address, limits: { checkMs: 300 } };
        expect(load(stopped.uri('ecdsa'), 'ecdsa', options)).to.equal('ERR_KEY_TIMEOUT');
      } finally {
        await stopped.stop();
      }
    });
  });

  describe('whose key process', () => {
    it('is killed: it is told at once, handshakes fail, connections go on, and a new process has the key', async function () {
      this.timeout(KILLS * 10_000);
      for (let kill = 0; kill < KILLS; kill++) {
        const server = new Server({ uri: keys.uri('ecdsa') });
        const open = await server.connect();
        for (const pid of keys.pids()) process.kill(pid, 'SIGKILL');
        const { code, message } = await server.told('lost');
        expect({ code, message }).to.deep.include({ code: 'ERR_KEY_LOST' });
        expect(message).to.include('it has ended the connection');
        const failed = await server.connect().catch((error: Error & { code: string }) => error.code);
        expect(failed).to.match(/^ERR_SSL_(TLSV1|SSL)\w*INTERNAL_ERROR$/);
        expect((await server.told('handshake-failed')).ofTheKey).to.equal(true);
        await echoes(open);
        await server.told('back');
        open.destroy();
      }
    });

    it('stops: the event loop waits for answerMs and no longer, once', async () => {
      const server = new Server({ uri: keys.uri('rsa'), cert: 'rsa', limits: { answerMs: 200 } });
      const open = await server.connect();
      keys.signal('SIGSTOP');
      try {
        const failed = await server.connect().catch((error: Error & { code: string }) => error.code);
        expect(failed).to.match(/INTERNAL_ERROR$/);
        expect((await server.told('lost')).message).to.include('no answer for 200 ms');
        await echoes(open);
        await server.connect().catch(() => {});
        await echoes(open);
        await sleep(50);
        expect(server.news.some(({ type }) => type === 'back')).to.equal(false);
      } finally {
        keys.signal('SIGCONT');
      }
      await server.told('back');
      open.destroy();
    });

    it('starts again: a new process has the key', async () => {
      const server = new Server({ uri: keys.uri('ecdsa') });
      await server.connect();
      await keys.kill();
      await server.told('lost');
      await keys.start();
      await server.told('back');
      await echoes(await new Server({ uri: keys.uri('ecdsa') }).connect());
    });
  });
});
