/** TLS of a server, from PEM to files. */
import { join } from 'node:path';
import { writeServerFile } from './workshop.js';

/** PEM, as `makeCertificate` of ../support/certificates.ts gives it. */
export interface ServerTls {
  readonly cert: string;
  readonly key: string;
  /** Signs the clients' certificates. */
  readonly ca?: string | undefined;
  /** The clients' certificates that were revoked, from `makeRevocationList`. */
  readonly crl?: string | undefined;
}

/** The path of each file that was written. */
export type TlsFiles = { readonly [Name in keyof ServerTls]: string };

export async function writeTlsFiles(folder: string, tls: ServerTls): Promise<TlsFiles> {
  const write = async (name: keyof ServerTls, pem: string) => {
    const path = join(folder, `${name}.pem`);
    await writeServerFile(path, pem);
    return path;
  };
  return {
    cert: await write('cert', tls.cert),
    key: await write('key', tls.key),
    ca: tls.ca && (await write('ca', tls.ca)),
    crl: tls.crl && (await write('crl', tls.crl)),
  };
}
