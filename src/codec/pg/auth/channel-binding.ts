/**
 * `tls-server-end-point` (RFC 5929, section 4): the hash of the server's certificate that SCRAM-SHA-256-PLUS binds to.
 *
 * node:crypto names a certificate's signature algorithm only from Node 24 on, so the few bytes of DER that say it are
 * read here. The certificate is the peer's: every length is checked against what is there.
 */
import { createHash } from 'node:crypto';

/** Of a certificate signed with MD5 or SHA-1, RFC 5929 takes SHA-256; of others the signature's own hash. */
const HASH_BY_SIGNATURE: ReadonlyMap<string, string> = new Map([
  ['1.2.840.113549.1.1.4', 'sha256'], // md5WithRSAEncryption
  ['1.2.840.113549.1.1.5', 'sha256'], // sha1WithRSAEncryption
  ['1.2.840.113549.1.1.11', 'sha256'], // sha256WithRSAEncryption
  ['1.2.840.113549.1.1.12', 'sha384'], // sha384WithRSAEncryption
  ['1.2.840.113549.1.1.13', 'sha512'], // sha512WithRSAEncryption
  ['1.2.840.113549.1.1.14', 'sha224'], // sha224WithRSAEncryption
  ['1.2.840.10045.4.1', 'sha256'], // ecdsa-with-SHA1
  ['1.2.840.10045.4.3.1', 'sha224'], // ecdsa-with-SHA224
  ['1.2.840.10045.4.3.2', 'sha256'], // ecdsa-with-SHA256
  ['1.2.840.10045.4.3.3', 'sha384'], // ecdsa-with-SHA384
  ['1.2.840.10045.4.3.4', 'sha512'], // ecdsa-with-SHA512
  ['1.2.840.10040.4.3', 'sha256'], // dsa-with-SHA1
  ['2.16.840.1.101.3.4.3.1', 'sha224'], // dsa-with-SHA224
  ['2.16.840.1.101.3.4.3.2', 'sha256'], // dsa-with-SHA256
]);

/** RSASSA-PSS names its hash in its parameters (RFC 4055, section 3.1). */
const RSASSA_PSS = '1.2.840.113549.1.1.10';
const PSS_HASHES: ReadonlyMap<string, string> = new Map([
  ['1.3.14.3.2.26', 'sha256'], // id-sha1
  ['2.16.840.1.101.3.4.2.1', 'sha256'],
  ['2.16.840.1.101.3.4.2.2', 'sha384'],
  ['2.16.840.1.101.3.4.2.3', 'sha512'],
  ['2.16.840.1.101.3.4.2.4', 'sha224'],
]);

const SEQUENCE = 0x30;
const OBJECT_IDENTIFIER = 0x06;
/** [0] EXPLICIT, constructed. */
const CONTEXT_0 = 0xa0;

/**
 * @param certificate DER
 * @returns the channel binding data; undefined where the certificate's signature has no hash of its own (Ed25519,
 *   Ed448; libpq fails there), is unknown, or is not readable
 */
export function serverEndPoint(certificate: Buffer): Buffer | undefined {
  const hash = signatureHash(certificate);
  return hash === undefined ? undefined : createHash(hash).update(certificate).digest();
}

/** Certificate ::= SEQUENCE { tbsCertificate SEQUENCE, signatureAlgorithm AlgorithmIdentifier, ... } (RFC 5280, 4.1). */
function signatureHash(certificate: Buffer): string | undefined {
  const outer = readElement(certificate, SEQUENCE);
  const toBeSigned = outer && readElement(outer.content, SEQUENCE);
  const algorithm = toBeSigned && readElement(toBeSigned.rest, SEQUENCE);
  const identifier = algorithm && readElement(algorithm.content, OBJECT_IDENTIFIER);
  if (identifier === undefined) return undefined;
  const name = objectIdentifier(identifier.content);
  return name === RSASSA_PSS ? pssHash(identifier.rest) : HASH_BY_SIGNATURE.get(name);
}

/** RSASSA-PSS-params ::= SEQUENCE { hashAlgorithm [0] AlgorithmIdentifier DEFAULT sha1, ... }. */
function pssHash(parameters: Buffer): string | undefined {
  const sequence = readElement(parameters, SEQUENCE);
  if (sequence === undefined) return undefined;
  if (sequence.content[0] !== CONTEXT_0) return 'sha256';
  const tagged = readElement(sequence.content, CONTEXT_0);
  const algorithm = tagged && readElement(tagged.content, SEQUENCE);
  const identifier = algorithm && readElement(algorithm.content, OBJECT_IDENTIFIER);
  return identifier && PSS_HASHES.get(objectIdentifier(identifier.content));
}

interface Element {
  readonly content: Buffer;
  /** What follows the element. */
  readonly rest: Buffer;
}

/** The first element of `bytes`, if it has this tag and is all there. */
function readElement(bytes: Buffer, tag: number): Element | undefined {
  if (bytes[0] !== tag) return undefined;
  const first = bytes[1];
  if (first === undefined) return undefined;
  const lengthBytes = first < 0x80 ? 0 : first & 0x7f;
  const start = 2 + lengthBytes;
  // 0x80 alone is BER's indefinite length; a certificate of 2^32 bytes there is not.
  if (first === 0x80 || lengthBytes > 4 || bytes.length < start) return undefined;
  const length = lengthBytes === 0 ? first : bytes.readUIntBE(2, lengthBytes);
  if (bytes.length - start < length) return undefined;
  return { content: bytes.subarray(start, start + length), rest: bytes.subarray(start + length) };
}

/** Dotted decimal (X.690, section 8.19). Arcs beyond 2^53 lose digits, and then match nothing in the tables. */
function objectIdentifier(content: Buffer): string {
  const arcs: number[] = [];
  let arc = 0;
  for (const byte of content) {
    arc = arc * 128 + (byte & 0x7f);
    if (byte & 0x80) continue;
    arcs.push(arc);
    arc = 0;
  }
  const [first = 0, ...others] = arcs;
  const top = Math.min(Math.floor(first / 40), 2);
  return [top, first - top * 40, ...others].join('.');
}
