/**
 * Writes a throw-away authority and a server certificate, good for a day, to a folder: for trying things out.
 *
 *   node dist/examples/certificate.js --folder certs
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { makeAuthority, makeCertificate } from '../test/support/certificates.js';
import { commandLine, fail } from './command-line.js';

const { folder, names } = commandLine('Writes a throw-away authority and a server certificate, good for a day.', {
  folder: { kind: 'text', value: 'FOLDER', default: 'certs', about: 'where ca.pem, cert.pem and key.pem go' },
  names: { kind: 'text', value: 'NAMES', default: 'localhost,127.0.0.1,::1', about: 'its names and addresses' },
});

try {
  const authority = await makeAuthority({ name: 'turbotls throw-away authority' });
  const { key, cert, ca } = await makeCertificate({ names: names.split(','), authority });
  await mkdir(folder, { recursive: true });
  await writeFile(join(folder, 'ca.pem'), `${ca}\n`);
  await writeFile(join(folder, 'cert.pem'), `${cert}\n`);
  await writeFile(join(folder, 'key.pem'), `${key}\n`, { mode: 0o600 });
  console.log(`wrote ca.pem, cert.pem and key.pem for ${names} to ${folder}`);
} catch (error) {
  fail(error as Error);
}
