/** `turbotls gateway` with a key in a token: served, lost, and started anew. */
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect, type TLSSocket } from 'node:tls';
import { expect } from 'chai';
import { answerTo } from '../gateway/clients.js';
import { closeRigs, startTls } from '../gateway/proxy-rig.js';
import { requireKeyProcess } from '../keys/availability.js';
import { type KeyProcess, startKeyProcess } from '../servers/key-process.js';
import { type Certificate, makeCertificate } from '../support/certificates.js';
import { endPrograms, portOf, startTurbotls } from './turbotls.js';

describe('cli: turbotls gateway with a key in a PKCS#11 token', function () {
  this.timeout(20_000);
  let folder: string;
  let certificate: Certificate;
  let keys: KeyProcess;

  before(async function () {
    requireKeyProcess(this);
    certificate = await makeCertificate({ names: ['localhost'] });
    folder = mkdtempSync(join(tmpdir(), 'turbotls-test-'));
    writeFileSync(join(folder, 'cert.pem'), certificate.cert);
    keys = await startKeyProcess({ web: certificate.key });
    process.env.P11_KIT_SERVER_ADDRESS = keys.address;
  });
  after(async () => {
    delete process.env.P11_KIT_SERVER_ADDRESS;
    await keys?.stop();
    if (folder) rmSync(folder, { recursive: true });
  });
  afterEach(async () => {
    await endPrograms();
    await closeRigs();
  });

  /** A gateway whose key is in the token, its admin address, and clients of it. */
  async function startGateway(more: Record<string, unknown> = {}) {
    const backend = await startTls(certificate);
    const config = join(folder, 'gateway.yaml');
    writeFileSync(
      config,
      JSON.stringify({
        listen: ['127.0.0.1:0'],
        admin: '127.0.0.1:0',
        limits: { drainTimeout: '0.5s' },
        routes: [
          {
            name: 'web',
            terminate: { certificates: [{ cert: 'cert.pem', key: { pkcs11: keys.uri('web') } }] },
            backend: { targets: [`127.0.0.1:${backend.port}`], transport: 'BACKEND_TLS', tls: { insecure: true } },
          },
        ],
        ...more,
      }),
    );
    const gateway = startTurbotls('gateway', '--config', config);
    const port = await portOf(gateway);
    const [, admin] = await gateway.said(/"address":"127\.0\.0\.1:(\d+)","msg":"admin"/);
    return {
      config,
      gateway,
      get: (path: string) => fetch(`http://127.0.0.1:${admin}${path}`),
      dial: async (): Promise<TLSSocket> => {
        const socket = connect({ host: '127.0.0.1', port, servername: 'localhost', ca: certificate.ca });
        await once(socket, 'secureConnect');
        return socket.on('error', () => {});
      },
    };
  }

  it('serves; without its key process it is not ready and goes on; once that is back it makes room', async () => {
    const { config, gateway, get, dial } = await startGateway();
    const open = await dial();
    expect(await answerTo(open, 'one')).to.equal('one');
    expect((await get('/readyz')).status).to.equal(200);
    expect(await (await get('/metrics')).text()).to.match(/^turbotls_key_lost 0$/m);

    await keys.kill();
    await gateway.said(/"code":"ERR_KEY_LOST","message":"[^"]*has ended the connection[^"]*"\},"msg":"key lost"/);
    const ready = await get('/readyz/listening');
    expect(ready.status).to.equal(503);
    expect(await ready.text()).to.include('The key is lost to this process');
    expect((await get('/healthz')).status).to.equal(200);
    expect(await (await get('/metrics')).text()).to.match(/^turbotls_key_lost 1$/m);
    expect(await dial().catch(({ code }: Error & { code: string }) => code)).to.match(/INTERNAL_ERROR$/);
    await gateway.said(/"reason":"handshake-failed".*Device error/);
    expect(await answerTo(open, 'two'), 'what is open goes on').to.equal('two');
    expect(gateway.process.exitCode).to.equal(null);

    await keys.start();
    await gateway.said(/"msg":"the key is back, for a new process: this one ends"/);
    open.destroy();
    const { code, stdout } = await gateway.ended;
    expect(code, 'so that a supervisor starts it').to.equal(1);
    expect(stdout).to.not.include(keys.pin);

    const next = startTurbotls('gateway', '--config', config);
    await portOf(next);
  });

  it('replaces its workers when the key is back, and goes on itself', async () => {
    const { gateway, get, dial } = await startGateway({ workers: 2 });
    await gateway.said(/"msg":"worker serves".*"msg":"worker serves"/s);
    const open = await dial();
    expect(await answerTo(open, 'one')).to.equal('one');
    await keys.kill();
    // In each worker.
    await gateway.said(/"msg":"key lost".*"msg":"key lost"/s);
    const ready = await get('/readyz/listening');
    expect(ready.status).to.equal(503);
    expect(await ready.text()).to.include('The key is lost to this process');
    expect(await (await get('/metrics')).text()).to.match(/^turbotls_key_lost 1$/m);
    expect(await dial().catch(({ code }: Error & { code: string }) => code)).to.match(/INTERNAL_ERROR$/);
    expect(await answerTo(open, 'two'), 'what is open goes on').to.equal('two');

    await keys.start();
    const replaced = /"msg":"worker is replaced: its key is lost, and back for a new one"/.source;
    await gateway.said(new RegExp(`(?:${replaced}.*){2}(?:"msg":"worker ended".*){2}`, 's'));
    expect((await get('/readyz')).status).to.equal(200);
    for (let i = 0; i < 4; i++) expect(await answerTo(await dial(), 'three')).to.equal('three');
    expect(gateway.process.exitCode).to.equal(null);
    gateway.process.kill('SIGTERM');
    const { code, stdout } = await gateway.ended;
    expect(code).to.equal(0);
    expect(stdout).to.not.include(keys.pin);
  });
});
