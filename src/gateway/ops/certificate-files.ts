/**
 * Certificates, keys and authorities in files (PEM), read and judged: what makes them unusable is an error, what clients
 * will probably refuse is a warning. `config` asks before the gateway starts, the certificate store whenever they change.
 */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext } from 'node:tls';
import { type EngineKey, KeyError, parseKeyUri, pkcs11Key } from '../../keys/index.js';
import type { CertificateFiles, KeySource } from '../plan.js';

/** Of one file; a chain has some KiB, the authorities of a system 250 KiB. */
const FILE_BYTES = 4 * 1024 * 1024;

/** RFC 5280, section 4.2.1.12. */
const EXTENDED_KEY_USAGE = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' } as const;

const PEM_CERTIFICATE = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** A certificate with its key, as node:tls takes them. */
export interface CertificatePair {
  /** PEM: the leaf first, then its chain. */
  readonly cert: string;
  /** PEM, or where the key is. */
  readonly key: { readonly key: string } | EngineKey;
  readonly leaf: X509Certificate;
}

export interface FileFinding {
  part: 'cert' | 'key';
  message: string;
}

export interface PairReading {
  /** Undefined where there is an error. */
  pair: CertificatePair | undefined;
  errors: FileFinding[];
  warnings: FileFinding[];
}

/** @param usage what the certificate is to show its owner as */
export function readPair(files: CertificateFiles, usage: 'server' | 'client' = 'server'): PairReading {
  const chain = attempt('cert', () => certificatesOf(readText(files.cert)));
  const key = keyOf(files.key, chain.value?.pem);
  const errors = [...chain.errors, ...key.errors];
  const leaf = chain.value?.certificates[0];
  if (!chain.value || !key.value || !leaf) return { pair: undefined, errors, warnings: [] };
  const { pem: cert, certificates } = chain.value;
  const wrong = 'object' in key.value ? pairError(leaf, cert, key.value) : undefined;
  const warnings = chainWarnings(certificates, usage);
  if (wrong !== undefined) return { pair: undefined, errors: [wrong], warnings };
  const pair = { cert, key: 'object' in key.value ? { key: key.value.pem } : key.value, leaf };
  return { pair, errors, warnings };
}

export interface ChainReading {
  /** Undefined where there is an error. */
  leaf: X509Certificate | undefined;
  errors: FileFinding[];
  warnings: FileFinding[];
}

/** What there is to say of a certificate by itself. No key is opened: not its file, nor the token that has it. */
export function readChain({ cert, key }: CertificateFiles, usage: 'server' | 'client' = 'server'): ChainReading {
  const chain = attempt('cert', () => certificatesOf(readText(cert)).certificates);
  const uri = attempt('key', () => typeof key === 'string' || withCode(() => parseKeyUri(key.pkcs11)));
  const warnings = chainWarnings(chain.value ?? [], usage);
  return { leaf: chain.value?.[0], errors: [...chain.errors, ...uri.errors], warnings };
}

/** For messages: without a PIN, even where somebody has put it into the URI. */
export function keyName(key: KeySource): string {
  return typeof key === 'string' ? key : key.pkcs11.replace(/\?.*/s, '').replaceAll(/pin-value=[^;]*/g, 'pin-value=…');
}

/** One in a token is tried with its certificate. */
function keyOf(source: KeySource, cert: string | undefined): Attempt<PrivateKey | EngineKey> {
  if (typeof source === 'string') return attempt('key', () => privateKeyOf(readText(source)));
  if (cert === undefined) return { value: undefined, errors: [] };
  return attempt('key', () => engineKeyOf(source.pkcs11, cert));
}

function engineKeyOf(uri: string, cert: string): EngineKey {
  return withCode(() => pkcs11Key(uri, { cert }));
}

function withCode<T>(use: () => T): T {
  try {
    return use();
  } catch (error) {
    throw error instanceof KeyError ? new Error(`cannot be used (${error.code}): ${error.message}`) : error;
  }
}

/**
 * The authorities of a file, PEM.
 * @throws Error where the file cannot be read, or has no certificate or one that is none
 */
export function readAuthorities(path: string): string {
  return certificatesOf(readText(path)).pem;
}

/** ms since 1970. */
export function expiryOf(certificate: X509Certificate): number {
  return Date.parse(certificate.validTo);
}

interface Attempt<T> {
  value: T | undefined;
  errors: FileFinding[];
}

function attempt<T>(part: FileFinding['part'], read: () => T): Attempt<T> {
  try {
    return { value: read(), errors: [] };
  } catch (error) {
    return { value: undefined, errors: [{ part, message: (error as Error).message }] };
  }
}

/** A file and nothing else: a FIFO or a device would not end. */
function readText(path: string): string {
  try {
    const { size, isFile } = statOf(path);
    if (!isFile) throw new Error('it is not a file');
    if (size > FILE_BYTES) throw new Error(`it has ${size} bytes, more than ${FILE_BYTES}`);
    return readFileSync(path, 'utf8');
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    throw new Error(`cannot be read: ${code === undefined ? message : errnoText(code)}`);
  }
}

function statOf(path: string): { size: number; isFile: boolean } {
  const stat = statSync(path);
  return { size: stat.size, isFile: stat.isFile() };
}

function errnoText(code: string): string {
  if (code === 'ENOENT' || code === 'ENOTDIR') return `there is no such file (${code})`;
  if (code === 'EACCES') return 'this process may not read it (EACCES)';
  return code;
}

function certificatesOf(pem: string): { pem: string; certificates: X509Certificate[] } {
  const blocks = pem.match(PEM_CERTIFICATE) ?? [];
  if (blocks.length === 0) throw new Error('has no certificate in PEM form');
  const certificates = blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch {
      throw new Error(`certificate ${index + 1} in the file cannot be decoded`);
    }
  });
  return { pem: blocks.join('\n'), certificates };
}

interface PrivateKey {
  pem: string;
  object: KeyObject;
}

function privateKeyOf(pem: string): PrivateKey {
  try {
    return { pem, object: createPrivateKey(pem) };
  } catch (error) {
    const encrypted = (error as NodeJS.ErrnoException).code === 'ERR_MISSING_PASSPHRASE' || pem.includes('ENCRYPTED');
    throw new Error(encrypted ? 'is encrypted: store it without a pass phrase' : 'has no private key in PEM form');
  }
}

function pairError(leaf: X509Certificate, cert: string, { pem, object }: PrivateKey): FileFinding | undefined {
  if (!leaf.checkPrivateKey(object)) return { part: 'key', message: 'is not the key of the certificate' };
  try {
    createSecureContext({ cert, key: pem });
    return undefined;
  } catch (error) {
    // Such as a key too short for OpenSSL's security level.
    return { part: 'cert', message: `OpenSSL does not take it: ${(error as Error).message}` };
  }
}

/** Usable, and yet clients may refuse it. An expired certificate must not keep the other routes from being served. */
function chainWarnings(chain: readonly X509Certificate[], usage: 'server' | 'client'): FileFinding[] {
  const messages = chain.flatMap((certificate, index) => {
    const which = index === 0 ? '' : `certificate ${index + 1} in the file `;
    return [...validityWarnings(certificate), ...issuerWarnings(certificate, chain[index + 1])].map(
      (message) => `${which}${message}`,
    );
  });
  const usages = chain[0]?.keyUsage;
  if (usages && !usages.includes(EXTENDED_KEY_USAGE[usage])) messages.push(`is not for a ${usage} (extendedKeyUsage)`);
  return messages.map((message) => ({ part: 'cert', message }));
}

function validityWarnings(certificate: X509Certificate): string[] {
  const now = Date.now();
  if (expiryOf(certificate) < now) return [`has expired: ${certificate.validTo}`];
  if (Date.parse(certificate.validFrom) > now) return [`is not valid yet: ${certificate.validFrom}`];
  return [];
}

function issuerWarnings(certificate: X509Certificate, next: X509Certificate | undefined): string[] {
  return next === undefined || certificate.checkIssued(next) ? [] : ['was not issued by the one behind it'];
}
