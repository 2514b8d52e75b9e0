/** Files that the configuration names: paths made absolute, contents looked at and what is wrong with them reported. */
import { resolve } from 'node:path';
import { type CertificatePair, readAuthorities, readPair } from '../ops/certificate-files.js';
import type { CertificateFiles } from '../plan.js';
import type { Section } from './section.js';

/** Of `cert` and `key`: both or neither. */
export function pairFrom(
  section: Section,
  { baseDir, usage }: { baseDir: string; usage: 'server' | 'client' },
): (CertificateFiles & { pair: CertificatePair | undefined }) | undefined {
  section.require('cert', 'is missing: a key needs its certificate');
  section.require('key', 'is missing: a certificate needs its key');
  const [cert, key] = [pathFrom(section, 'cert', baseDir), pathFrom(section, 'key', baseDir)];
  if (cert === undefined || key === undefined) return undefined;
  const { pair, errors, warnings } = readPair({ cert, key }, usage);
  const files = { cert, key };
  for (const { part, message } of errors) section.at(part).error(`${message}: ${files[part]}`);
  for (const { part, message } of warnings) section.at(part).warn(`${message}: ${files[part]}`);
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

function pathFrom(section: Section, name: string, baseDir: string): string | undefined {
  const path = section.text(name);
  if (path === undefined) return undefined;
  if (path !== '' && !path.includes('\0')) return resolve(baseDir, path);
  section.at(name).error('must be the path of a file');
  return undefined;
}
