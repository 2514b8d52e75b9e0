/**
 * Generates proto/NAME.js and proto/NAME.d.ts from proto/NAME.proto, for the messages that are sent. With --check it
 * writes nothing, and fails where the files are not what it would have written.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const PBJS = join(root, 'node_modules/protobufjs-cli/bin/pbjs');
const OPTIONS = '-t static-module -w esm --dts --no-verify --no-convert --no-delimited --no-typeurl'.split(' ');

/** Each with a root of its own: the namespace `turbotls` of one would else replace that of the other. */
const NAMES = [
  { name: 'turbotls', options: [] },
  { name: 'worker', options: ['--root', 'worker'] },
  { name: 'control', options: ['--root', 'control'] },
];

function generate(folder) {
  for (const { name, options } of NAMES) {
    const output = join(folder, `${name}.js`);
    execFileSync(process.execPath, [PBJS, ...OPTIONS, ...options, '-o', output, `proto/${name}.proto`], { cwd: root });
  }
}

function check() {
  const folder = mkdtempSync(join(tmpdir(), 'turbotls-proto-'));
  try {
    generate(folder);
    for (const { name } of NAMES) {
      const differing = [`${name}.js`, `${name}.d.ts`].filter(
        (file) => !readFileSync(join(folder, file)).equals(readFileSync(join(root, 'proto', file))),
      );
      if (differing.length === 0) continue;
      console.error(`proto/${differing.join(' and proto/')}: not what proto/${name}.proto gives. Run: npm run proto`);
      process.exitCode = 1;
    }
  } finally {
    rmSync(folder, { recursive: true });
  }
}

if (process.argv.includes('--check')) check();
else generate(join(root, 'proto'));
