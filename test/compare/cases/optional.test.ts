/** Packages that may not be there. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { isMissing, optional } from '../../../src/compare/cases/optional.js';

describe('compare: optional packages', () => {
  const here = process.cwd();
  let project: string;

  before(async () => {
    project = await mkdtemp(join(tmpdir(), 'turbotls-project-'));
    const files = {
      'only-here/package.json': '{"name": "only-here", "main": "index.cjs"}',
      'only-here/index.cjs': "exports.from = 'the project';",
      'half-here/package.json': '{"name": "half-here", "main": "index.cjs"}',
      'half-here/index.cjs': "require('its-own-part');",
    };
    for (const [path, text] of Object.entries(files)) {
      const file = join(project, 'node_modules', path);
      await mkdir(join(file, '..'), { recursive: true });
      await writeFile(file, text);
    }
  });
  beforeEach(() => process.chdir(project));
  afterEach(() => process.chdir(here));
  after(() => rm(project, { recursive: true }));

  /** A name that the compiler does not look for. */
  function load(name: string): Promise<object> {
    return optional(name, () => import(name));
  }

  it('come from where turbotls is installed', async () => {
    const undici = await optional('undici', () => import('undici'));
    expect(isMissing(undici)).to.equal(false);
    expect(undici).to.have.property('Agent');
  });

  it('or from the project in the working directory', async () => {
    expect(await load('only-here')).to.have.nested.property('default.from', 'the project');
  });

  it('or are missing, by name', async () => {
    const missing = await load('not-anywhere');
    expect(missing).to.deep.equal({ missing: 'the npm package not-anywhere is not installed' });
    expect(isMissing(missing)).to.equal(true);
  });

  it('or say why they cannot be loaded', async () => {
    const broken = (await load('half-here')) as { missing: string };
    expect(broken.missing).to.match(/^the npm package half-here cannot be loaded: Cannot find module 'its-own-part'/);
  });
});
