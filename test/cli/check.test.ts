import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { makeCertificate } from '../support/certificates.js';
import { endPrograms, runTurbotls } from './turbotls.js';

describe('cli: turbotls check', function () {
  this.timeout(30_000);
  let folder: string;

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'turbotls-check-'));
    const { cert, key } = await makeCertificate({ names: ['localhost'] });
    await writeFile(join(folder, 'cert.pem'), cert);
    await writeFile(join(folder, 'key.pem'), key);
  });
  after(() => rm(folder, { recursive: true, force: true }));
  afterEach(endPrograms);

  async function file(name: string, text: string): Promise<string> {
    const path = join(folder, name);
    await writeFile(path, text);
    return path;
  }

  it('says that a configuration can be used', async () => {
    const path = await file(
      'good.yaml',
      `listen: ["127.0.0.1:8443"]
routes:
  - name: web
    terminate: { certificates: [{ cert: cert.pem, key: key.pem }] }
    backend: { targets: ["127.0.0.1:8080"] }
`,
    );
    const { code, stdout, stderr } = await runTurbotls('check', path);
    expect({ code, stderr, stdout }).to.deep.equal({
      code: 0,
      stderr: '',
      stdout: `${path}: can be used: 127.0.0.1:8443 to web\n`,
    });
  });

  it('says all that is wrong, with lines and paths', async () => {
    const path = await file(
      'bad.yaml',
      `listen: [":80443"]
routes:
  - name: web
    terminate: { certificates: [{ cert: missing.pem, key: key.pem }] }
    backend: { targets: ["127.0.0.1:8080"], colour: red }
`,
    );
    const { code, stdout, stderr } = await runTurbotls('check', path);
    expect({ code, stdout }).to.deep.equal({ code: 1, stdout: '' });
    const lines = stderr.trim().split('\n');
    expect(lines).to.have.lengthOf(3);
    for (const [line, place] of [
      [1, 'listen[0]'],
      [4, 'routes[0].terminate.certificates[0].cert'],
      [5, 'routes[0].backend.colour'],
    ]) {
      expect(
        lines.some((each) => each.startsWith(`${path}:${line}: ${place}: `)),
        `${place} in\n${stderr}`,
      ).to.equal(true);
    }
    const json = await runTurbotls('check', path, '--json');
    expect(json.code).to.equal(1);
    const report = JSON.parse(json.stdout);
    expect(report.ok).to.equal(false);
    expect(report.problems).to.have.lengthOf(3);
    expect(report.problems[0]).to.have.all.keys('path', 'message', 'line');
  });

  it('says that there is no file', async () => {
    const path = join(folder, 'none.yaml');
    const { code, stderr } = await runTurbotls('check', path);
    expect(code).to.equal(1);
    expect(stderr).to.match(/none\.yaml: cannot be read: ENOENT/);
  });
});
