/** Files that the configuration names: paths made absolute, contents looked at and what is wrong with them reported. */
import { resolve } from 'node:path';
import { type CertificatePair, keyName, readAuthorities, readPair } from '../ops/certificate-files.js';
import type { CertificateFiles, KeySource } from '../plan.js';
import type { Section } from './section.js';

/** Of `cert` and `key`: both or neither. */
export function pairFrom(
  section: Section,
  { baseDir, usage }: { baseDir: string; usage: 'server' | 'client' },
): (CertificateFiles & { pair: CertificatePair | undefined }) | undefined {
  section.require('cert', 'is missing: a key needs its certificate');
  section.require('key', 'is missing: a certificate needs its key');
  const cert = pathFrom(section, 'cert', baseDir);
  const key = usage === 'client' ? pathFrom(section, 'key', baseDir) : keyFrom(section, baseDir);
  if (cert === undefined || key === undefined) return undefined;
  const { pair, errors, warnings } = readPair({ cert, key }, usage);
  const names = { cert, key: keyName(key) };
  for (const { part, message } of errors) section.at(part).error(`${message}: ${names[part]}`);
  for (const { part, message } of warnings) section.at(part).warn(`${message}: ${names[part]}`);
  return { cert, key, pair };
}

/** The path of a file of authorities that could be read. */
export function authoritiesFrom(section: Section, baseDir: string): string | undefined {
  const path = pathFrom(section, 'ca', baseDir);
  if (path === undefined) return undefined;
  try {
    readAuthorities(path);
    return path;
  } catch (error) {
    section.at('ca').error(`${(error as Error).message}: ${path}`);
    return undefined;
  }
}

function keyFrom(certificate: Section, baseDir: string): KeySource | undefined {
  const key = certificate.section('key');
  const pkcs11 = key.text('pkcs11');
  if (pkcs11 !== undefined) return { pkcs11 };
  if (key.has('file')) return pathFrom(key, 'file', baseDir);
  if (certificate.has('key') && !key.has('pkcs11')) key.place.error('needs file or pkcs11');
  return undefined;
}

function pathFrom(section: Section, name: string, baseDir: string): string | undefined {
  const path = section.text(name);
  if (path === undefined) return undefined;
  if (path !== '' && !path.includes('\0')) return resolve(baseDir, path);
  section.at(name).error('must be the path of a file');
  return undefined;
}
