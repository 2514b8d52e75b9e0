/**
 * Certificates for tests, made on the spot: an authority, server certificates with any number of intermediates, client
 * certificates, lists of those that were revoked. ECDSA P-256 with SHA-256 unless told otherwise. What is made is kept
 * for the process, so that asking again is free.
 *
 *     const { key, cert, ca } = await makeCertificate({ names: ['example.test', '10.0.0.2'] });
 *     tls.createServer({ key, cert });
 *     tls.connect({ ca, servername: 'example.test', ... });
 *
 *     const alice = await makeCertificate({ names: ['alice'], usage: 'client' });
 *     const crl = await makeRevocationList({ revoked: [alice.cert] });
 */
import './reflect.js';
import { webcrypto, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto);

/** P-256 with SHA-256, P-384 with SHA-384, RSA of 2,048 bits with SHA-256. What is signed is signed by the issuer's. */
export type KeyType = 'ecdsa' | 'ecdsa-sha384' | 'rsa';

/** An authority that signs certificates. */
export interface Authority {
  /** Its own certificate, PEM: the `ca` of whoever is to trust it. */
  readonly cert: string;
  readonly name: string;
  readonly keys: webcrypto.CryptoKeyPair;
}

export interface AuthorityOptions {
  /** Its common name; authorities of the same name and key type are the same. */
  name?: string;
  keyType?: KeyType;
}

export interface CertificateOptions {
  /** DNS names and IP addresses; with none, there is no subjectAltName. Default: localhost. */
  names?: readonly string[];
  /** Default: the first of the names. */
  commonName?: string;
  keyType?: KeyType;
  /** Certificates in `cert`: the leaf and `chainLength` - 1 intermediates. Default 1. */
  chainLength?: number;
  /** `client`: for client authentication. Default `server`. */
  usage?: 'server' | 'client';
  /** Who signs. Default: `makeAuthority()`. */
  authority?: Authority;
  /** When it stops to be valid; in the past for one that has expired. Default: in a day. */
  notAfter?: Date;
}

export interface RevocationListOptions {
  /** Who signs, and has signed them. Default: `makeAuthority()`. */
  authority?: Authority;
  /** PEM, each the `cert` of a Certificate without intermediates. */
  revoked: readonly string[];
}

/** PEM, as node:tls takes it. */
export interface Certificate {
  readonly key: string;
  /** The leaf first, then the intermediates. */
  readonly cert: string;
  /** The authority's certificate. */
  readonly ca: string;
}

const ALGORITHMS = {
  ecdsa: { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' },
  'ecdsa-sha384': { name: 'ECDSA', namedCurve: 'P-384', hash: 'SHA-384' },
  rsa: { name: 'RSASSA-PKCS1-v1_5', hash: 'SHA-256', publicExponent: Uint8Array.of(1, 0, 1), modulusLength: 2048 },
} as const;

const DAY_MS = 86_400_000;

const authorities = new Map<string, Promise<Authority>>();
const certificates = new WeakMap<Authority, Map<string, Promise<Certificate>>>();
let serialNumber = 1;

/** An authority of this name, the same each time. */
export function makeAuthority({
  name = 'Test Authority',
  keyType = 'ecdsa',
}: AuthorityOptions = {}): Promise<Authority> {
  return once(authorities, `${keyType} ${name}`, async () => {
    const keys = await makeKeys(keyType);
    const certificate = await sign({ name, keys, isAuthority: true, issuer: { name, keys }, extensions: [] });
    return { cert: certificate, name, keys };
  });
}

/** A certificate, the same each time for the same options. */
export async function makeCertificate(options: CertificateOptions = {}): Promise<Certificate> {
  const { authority = await makeAuthority(), ...rest } = options;
  const known = certificates.get(authority) ?? new Map<string, Promise<Certificate>>();
  certificates.set(authority, known);
  return once(known, JSON.stringify(rest), () => issue(authority, rest));
}

/** PEM: the `crl` of whoever is to refuse them. */
export async function makeRevocationList({ authority, revoked }: RevocationListOptions): Promise<string> {
  const { name, keys } = authority ?? (await makeAuthority());
  const list = await x509.X509CrlGenerator.create({
    issuer: [{ CN: [name] }],
    thisUpdate: new Date(Date.now() - DAY_MS),
    nextUpdate: new Date(Date.now() + DAY_MS),
    entries: revoked.map((cert) => ({ serialNumber: new X509Certificate(cert).serialNumber })),
    signingKey: keys.privateKey,
    signingAlgorithm: algorithmOf(keys.privateKey),
  });
  return x509.PemConverter.encode(list.rawData, 'X509 CRL'); // the library's own name for it is CRL, which OpenSSL does not know
}

async function issue(authority: Authority, options: Omit<CertificateOptions, 'authority'>): Promise<Certificate> {
  const { names = ['localhost'], keyType = 'ecdsa', chainLength = 1, usage = 'server', notAfter } = options;
  const { commonName = names[0] ?? 'test' } = options;
  const chain: string[] = [];
  let issuer: Issuer = authority;
  for (let level = 1; level < chainLength; level++) {
    const name = `${authority.name} Intermediate ${level}`;
    const keys = await makeKeys(keyType);
    chain.unshift(await sign({ name, keys, isAuthority: true, issuer, extensions: [] }));
    issuer = { name, keys };
  }
  const keys = await makeKeys(keyType);
  const alternatives = names.map((value) => ({ type: isIP(value) === 0 ? ('dns' as const) : ('ip' as const), value }));
  const extensions = [
    ...(alternatives.length > 0 ? [new x509.SubjectAlternativeNameExtension(alternatives)] : []),
    new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage[usage === 'client' ? 'clientAuth' : 'serverAuth']]),
  ];
  chain.unshift(await sign({ name: commonName, keys, isAuthority: false, issuer, extensions, notAfter }));
  return { key: await exportKey(keys.privateKey), cert: chain.join('\n'), ca: authority.cert };
}

interface Issuer {
  readonly name: string;
  readonly keys: webcrypto.CryptoKeyPair;
}

interface ToBeSigned {
  readonly name: string;
  readonly keys: webcrypto.CryptoKeyPair;
  readonly isAuthority: boolean;
  readonly issuer: Issuer;
  readonly extensions: x509.Extension[];
  readonly notAfter?: Date | undefined;
}

async function sign({ name, keys, isAuthority, issuer, extensions, notAfter }: ToBeSigned): Promise<string> {
  const usages = isAuthority
    ? x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign
    : x509.KeyUsageFlags.digitalSignature;
  const end = notAfter ?? new Date(Date.now() + DAY_MS);
  const certificate = await x509.X509CertificateGenerator.create({
    serialNumber: (serialNumber++).toString(16).padStart(4, '0'),
    subject: [{ CN: [name] }],
    issuer: [{ CN: [issuer.name] }],
    notBefore: new Date(Math.min(Date.now(), end.getTime()) - DAY_MS),
    notAfter: end,
    publicKey: keys.publicKey,
    signingKey: issuer.keys.privateKey,
    signingAlgorithm: algorithmOf(issuer.keys.privateKey),
    extensions: [
      new x509.BasicConstraintsExtension(isAuthority, undefined, true),
      new x509.KeyUsagesExtension(usages, true),
      ...extensions,
    ],
  });
  return certificate.toString('pem');
}

function makeKeys(keyType: KeyType): Promise<webcrypto.CryptoKeyPair> {
  const algorithm = ALGORITHMS[keyType];
  return webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']) as Promise<webcrypto.CryptoKeyPair>;
}

/** What the key signs with. */
function algorithmOf({ algorithm }: webcrypto.CryptoKey): (typeof ALGORITHMS)[KeyType] {
  if (algorithm.name !== 'ECDSA') return ALGORITHMS.rsa;
  const { namedCurve } = algorithm as webcrypto.EcKeyAlgorithm;
  return namedCurve === 'P-384' ? ALGORITHMS['ecdsa-sha384'] : ALGORITHMS.ecdsa;
}

async function exportKey(key: webcrypto.CryptoKey): Promise<string> {
  return x509.PemConverter.encode(await webcrypto.subtle.exportKey('pkcs8', key), 'PRIVATE KEY');
}

function once<T>(made: Map<string, Promise<T>>, key: string, make: () => Promise<T>): Promise<T> {
  const known = made.get(key);
  if (known !== undefined) return known;
  const promise = make();
  made.set(key, promise);
  return promise;
}
