/**
 * Replaces a certificate while its process has no descriptor left, then frees them: says on standard output what the store
 * says. The folder has a.pem, a.key and b.pem, b.key.
 */
import { X509Certificate } from 'node:crypto';
import { closeSync, openSync, renameSync, writeSync } from 'node:fs';
import { CertificateStore } from '../../../src/gateway/ops/index.js';

const folder = process.argv[2] ?? '';
const files = { cert: `${folder}/a.pem`, key: `${folder}/a.key` };
const held: number[] = [];

const say = (line: string) => writeSync(1, `${line}\n`);

const store = new CertificateStore(
  { certificates: [files], clientCertificate: { mode: 'none' }, minVersion: 'TLSv1.2' },
  { pollMs: 20, onNews: ({ error }) => held.length > 0 && (error ? starved(error) : fed()) },
);

try {
  while (true) held.push(openSync('/dev/null', 'r'));
} catch {
  for (const name of ['pem', 'key']) renameSync(`${folder}/b.${name}`, `${folder}/a.${name}`);
}
const alive = setInterval(() => {}, 1000);

function starved({ message }: Error): void {
  say(message.replace(/^[^:]*: /, ''));
  // Once the watcher has nothing more to say of the files.
  setTimeout(() => {
    say('descriptors are to be had');
    for (const descriptor of held) closeSync(descriptor);
  }, 100);
}

function fed(): void {
  say(new X509Certificate(String(store.defaults.cert)).subject.replace('CN=', ''));
  store.close();
  clearInterval(alive);
}
