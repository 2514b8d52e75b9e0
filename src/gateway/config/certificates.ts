/** Files that the configuration names: paths made absolute, contents looked at and what is wrong with them reported. */
import type { X509Certificate } from 'node:crypto';
import { resolve } from 'node:path';
import { type ChainReading, keyName, readAuthorities, readChain, readPair } from '../ops/certificate-files.js';
import type { CertificateFiles, KeySource } from '../plan.js';
import type { Section } from './section.js';

/** How files are looked at. */
export interface FileRules {
  /** Where relative paths begin. */
  baseDir: string;
  /** `unread`: no private key is opened. */
  keys: 'read' | 'unread';
}

/** Of `cert` and `key`: both or neither. `leaf` is there where nothing is wrong with them. */
export function pairFrom(
  section: Section,
  { baseDir, keys }: FileRules,
  usage: 'server' | 'client',
): (CertificateFiles & { leaf: X509Certificate | undefined }) | undefined {
  section.require('cert', 'is missing: a key needs its certificate');
  section.require('key', 'is missing: a certificate needs its key');
  const cert = pathFrom(section, 'cert', baseDir);
  const key = usage === 'client' ? pathFrom(section, 'key', baseDir) : keyFrom(section, baseDir);
  if (cert === undefined || key === undefined) return undefined;
  const files = { cert, key };
  const { leaf, errors, warnings } = keys === 'unread' ? readChain(files, usage) : leafOf(files, usage);
  const names = { cert, key: keyName(key) };
  for (const { part, message } of errors) section.at(part).error(`${message}: ${names[part]}`);
  for (const { part, message } of warnings) section.at(part).warn(`${message}: ${names[part]}`);
  return { cert, key, leaf };
}

function leafOf(files: CertificateFiles, usage: 'server' | 'client'): ChainReading {
  const { pair, ...findings } = readPair(files, usage);
  return { leaf: pair?.leaf, ...findings };
}

/** The path of a file of authorities that could be read. */
export function authoritiesFrom(section: Section, { baseDir }: FileRules): string | undefined {
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
