/** Files that configurations in tests name: certificates, keys and authorities in a folder that goes away afterwards. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { makeCertificate } from '../../support/certificates.js';

export interface Folder {
  readonly path: string;
  write(name: string, content: string): string;
  remove(): void;
}

export function makeFolder(): Folder {
  const path = mkdtempSync(join(tmpdir(), 'turbotls-config-'));
  return {
    path,
    write: (name, content) => {
      writeFileSync(join(path, name), content);
      return join(path, name);
    },
    remove: () => rmSync(path, { recursive: true, force: true }),
  };
}

/** web.pem and web.key for web.example.com and *.web.example.com, client.pem and client.key, ca.pem. */
export async function makeFiles(): Promise<Folder> {
  const folder = makeFolder();
  const web = await makeCertificate({ names: ['web.example.com', '*.web.example.com'] });
  const client = await makeCertificate({ names: ['gateway'], usage: 'client' });
  folder.write('web.pem', web.cert);
  folder.write('web.key', web.key);
  folder.write('client.pem', client.cert);
  folder.write('client.key', client.key);
  folder.write('ca.pem', web.ca);
  return folder;
}
