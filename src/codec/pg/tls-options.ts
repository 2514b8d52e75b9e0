/**
 * sslmode and the ssl* parameters as options of node:tls ("SSL Support" of libpq's documentation).
 *
 * | sslmode               | certificate                                        | name    |
 * | --------------------- | -------------------------------------------------- | ------- |
 * | allow, prefer, require | verified only where there is a root certificate file | no      |
 * | verify-ca             | verified                                           | no      |
 * | verify-full           | verified                                           | yes     |
 *
 * Other than libpq: where no root certificate is given and ~/.postgresql/root.crt does not exist, verify-ca and
 * verify-full go by Node's trust store instead of failing; a certificate for an IP address must have it in a
 * subjectAltName; hostaddr without host is a name like any other.
 */
import { X509Certificate } from 'node:crypto';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import type { TlsOptions } from '../../transport.js';
import { isIpAddress } from './conninfo/hosts.js';
import type { PgHost, PgTarget, PgTlsSettings, SslMode, TlsFile } from './conninfo/target.js';
import { PgError } from './errors.js';
import { ALPN_PROTOCOL } from './negotiation.js';

type Pem = string | Buffer;

/** In memory, PEM; each wins over the file that the parameters name. */
export interface PgTlsOptions {
  ca?: Pem | Pem[] | undefined;
  cert?: Pem | undefined;
  key?: Pem | undefined;
  /** Of the key. */
  passphrase?: string | undefined;
  crl?: Pem | Pem[] | undefined;
}

export interface TlsPlan {
  options: TlsOptions;
  /** Whether a connection that these options allow is to the server that is meant: certificate and name are checked. */
  verified: boolean;
}

/**
 * Reads the files. What is not needed is left out, so that a transport's own options stay.
 * @throws PgError ERR_PG_BAD_OPTION
 */
export function tlsOptionsFor(
  { tls }: Pick<PgTarget, 'tls'>,
  host: Pick<PgHost, 'name'>,
  sslmode: SslMode,
  given: PgTlsOptions = {},
): TlsPlan {
  const trust = trustFrom(tls, sslmode, given);
  const verifiesName = sslmode === 'verify-full';
  const options: TlsOptions = {
    ALPNProtocols: [ALPN_PROTOCOL],
    // Empty: none is sent. An IP address is no server name (RFC 6066, section 3), and a socket directory even less.
    servername: tls.sslsni && isServerName(host.name) ? host.name : '',
    rejectUnauthorized: trust.verifies,
    checkServerIdentity: verifiesName ? (_sent, { raw }) => nameMismatch(host.name, raw) : () => undefined,
    ...trust.options,
    ...(trust.verifies ? revocation(tls, given) : {}),
    ...credentials(tls, given),
    ...(tls.minVersion && { minVersion: tls.minVersion }),
    ...(tls.maxVersion && { maxVersion: tls.maxVersion }),
  };
  return { options, verified: verifiesName };
}

interface Trust {
  readonly verifies: boolean;
  readonly options: Pick<TlsOptions, 'ca'>;
}

function trustFrom({ sslrootcert }: PgTlsSettings, sslmode: SslMode, { ca }: PgTlsOptions): Trust {
  if (ca !== undefined) return { verifies: true, options: { ca } };
  // Undefined, and there all the same: not the transport's own either.
  if (sslrootcert === 'system') return { verifies: true, options: { ca: undefined } };
  const root = sslrootcert && readIfThere(sslrootcert.path, 'sslrootcert');
  if (root !== undefined) return { verifies: true, options: { ca: root } };
  const verifies = sslmode === 'verify-ca' || sslmode === 'verify-full';
  if (verifies && sslrootcert?.origin === 'given') {
    throw badOption(`sslrootcert ${shown(sslrootcert)} does not exist, and sslmode=${sslmode} needs it`);
  }
  return { verifies, options: {} };
}

/** A list that does not exist is no list, as in libpq; a directory without any would let every certificate pass. */
function revocation({ sslcrl, sslcrldir }: PgTlsSettings, { crl }: PgTlsOptions): Pick<TlsOptions, 'crl'> {
  if (crl !== undefined) return { crl };
  const file = sslcrl && readIfThere(sslcrl.path, 'sslcrl');
  const lists = [...(file ? [file] : []), ...(sslcrldir === undefined ? [] : readCrlDirectory(sslcrldir))];
  return lists.length === 0 ? {} : { crl: lists };
}

/** As `openssl rehash` names them: hash.r0, hash.r1 and so on. */
function readCrlDirectory(directory: string): Buffer[] {
  const lists = namesIn(directory).filter((name) => /^[0-9a-f]{8}\.r\d+$/.test(name));
  if (lists.length > 0) return lists.map((name) => readFileSync(join(directory, name)));
  throw badOption(`sslcrldir ${JSON.stringify(directory)} has no revocation list; openssl rehash names them`);
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch (cause) {
    throw badOption(`sslcrldir ${JSON.stringify(directory)} cannot be read`, cause);
  }
}

/** The client's certificate and key. Without a certificate the server may still let the client in, so that is tried. */
function credentials(tls: PgTlsSettings, given: PgTlsOptions): Pick<TlsOptions, 'cert' | 'key' | 'passphrase'> {
  const passphrase = given.passphrase ?? tls.sslpassword;
  const secret = passphrase === undefined ? {} : { passphrase };
  if (given.cert !== undefined || given.key !== undefined) {
    return { ...defined('cert', given.cert), ...defined('key', given.key), ...secret };
  }
  const cert = tls.sslcert && readIfThere(tls.sslcert.path, 'sslcert');
  if (cert === undefined || tls.sslkey === undefined) return {};
  return { cert, key: readKey(tls.sslkey), ...secret };
}

function defined<Name extends string>(name: Name, value: Pem | undefined): { [name in Name]?: Pem } {
  return value === undefined ? {} : ({ [name]: value } as { [name in Name]: Pem });
}

/** A key that others can read is refused, as by libpq: root's may be read by its group. */
function readKey(file: TlsFile): Buffer {
  const key = readIfThere(file.path, 'sslkey');
  if (key === undefined) throw badOption(`there is a client certificate, but no private key ${shown(file)}`);
  const { mode, uid } = statSync(file.path);
  const forbidden = uid === 0 ? 0o037 : 0o077;
  if (process.platform === 'win32' || (mode & forbidden) === 0) return key;
  const allowed = 'u=rw (0600) or less if owned by the current user, u=rw,g=r (0640) or less if owned by root';
  throw badOption(`private key ${shown(file)} has group or world access; it must be ${allowed}`);
}

/** Undefined if there is no such file. */
function readIfThere(path: string, keyword: string): Buffer | undefined {
  try {
    return readFileSync(path);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return undefined;
    throw badOption(`${keyword} ${JSON.stringify(path)} cannot be read`, cause);
  }
}

function isServerName(name: string): boolean {
  return !isIpAddress(name) && !name.startsWith('/') && !name.startsWith('@');
}

/** What node:tls is to fail with if the certificate is not for `name`: the same error as its own check. */
function nameMismatch(name: string, certificate: Buffer): Error | undefined {
  const x509 = new X509Certificate(certificate);
  const matches = isIpAddress(name)
    ? x509.checkIP(name)
    : x509.checkHost(name, { subject: 'default', partialWildcards: false });
  if (matches !== undefined) return undefined;
  const names = x509.subjectAltName ?? x509.subject;
  const error = new Error(`Hostname/IP does not match certificate's altnames: ${name} is not in: ${names}`);
  return Object.assign(error, { code: 'ERR_TLS_CERT_ALTNAME_INVALID', host: name });
}

function shown({ path }: TlsFile): string {
  return JSON.stringify(path);
}

function badOption(detail: string, cause?: unknown): PgError {
  return new PgError('ERR_PG_BAD_OPTION', detail, { cause });
}
