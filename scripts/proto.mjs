/**
 * Generates proto/turbotls.js and proto/turbotls.d.ts from proto/turbotls.proto. With --check it writes nothing, and
 * fails where the files are not what it would have written.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const PBJS = join(root, 'node_modules/protobufjs-cli/bin/pbjs');
const OPTIONS = '-t static-module -w esm --dts --no-verify --no-convert --no-delimited --no-typeurl'.split(' ');
const FILES = ['turbotls.js', 'turbotls.d.ts'];

function generate(folder) {
  const output = join(folder, 'turbotls.js');
  execFileSync(process.execPath, [PBJS, ...OPTIONS, '-o', output, 'proto/turbotls.proto'], { cwd: root });
}

function check() {
  const folder = mkdtempSync(join(tmpdir(), 'turbotls-proto-'));
  try {
    generate(folder);
    const differing = FILES.filter(
      (file) => !readFileSync(join(folder, file)).equals(readFileSync(join(root, 'proto', file))),
    );
    if (differing.length === 0) return;
    console.error(`proto/${differing.join(' and proto/')}: not what proto/turbotls.proto gives. Run: npm run proto`);
    process.exitCode = 1;
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (process.argv.includes('--check')) check();
else generate(join(root, 'proto'));
