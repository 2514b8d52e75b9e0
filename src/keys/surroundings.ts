/** What a key in a token needs of the machine: OpenSSL's engine, a PKCS#11 module, the socket of the key process. */
import { accessSync, constants } from 'node:fs';
import { join } from 'node:path';
import { KeyError } from './errors.js';

export interface Surroundings {
  /** Folder of OpenSSL's engines. */
  engines: string;
  /** Path of the PKCS#11 module. */
  module: string;
  /** Of p11-kit's server; undefined where the module is not p11-kit's client. */
  server: string | undefined;
}

const ENGINE = 'pkcs11.so';
const P11_KIT_CLIENT = 'p11-kit-client.so';

const TRIPLETS: Partial<Record<string, string>> = {
  x64: 'x86_64-linux-gnu',
  arm64: 'aarch64-linux-gnu',
  arm: 'arm-linux-gnueabihf',
  ppc64: 'powerpc64le-linux-gnu',
  riscv64: 'riscv64-linux-gnu',
  s390x: 's390x-linux-gnu',
};

/** Of Debian and its kin, of Fedora and its kin, of the others. */
function libraryFolders(): string[] {
  const triplet = TRIPLETS[process.arch];
  return [...(triplet === undefined ? [] : [`/usr/lib/${triplet}`]), '/usr/lib64', '/usr/lib'];
}

/**
 * @param module as the caller names it, else OpenSSL's PKCS11_MODULE_PATH, else p11-kit's client
 * @param server as the caller names it, else p11-kit's P11_KIT_SERVER_ADDRESS, else its usual socket
 * @throws KeyError ERR_KEY_ENGINE, ERR_KEY_MODULE, ERR_KEY_SERVICE
 */
export function surroundings({ module, server }: { module?: string; server?: string } = {}): Surroundings {
  const found = module ?? (process.env.PKCS11_MODULE_PATH || undefined) ?? findModule();
  const engines = findEngines();
  if (!isReadable(found)) throw new KeyError('ERR_KEY_MODULE', `there is no ${found}`);
  if (!found.endsWith(`/${P11_KIT_CLIENT}`)) return { engines, module: found, server: undefined };
  return { engines, module: found, server: server ?? serverAddress() };
}

function findEngines(): string {
  const { OPENSSL_ENGINES } = process.env;
  const folders = OPENSSL_ENGINES ? [OPENSSL_ENGINES] : libraryFolders().map((folder) => join(folder, 'engines-3'));
  const engines = folders.find((folder) => isReadable(join(folder, ENGINE)));
  if (engines !== undefined) return engines;
  throw new KeyError(
    'ERR_KEY_ENGINE',
    `there is no ${ENGINE} in ${folders.join(', ')}: install libengine-pkcs11-openssl (Debian) or openssl-pkcs11 (Fedora), or set OPENSSL_ENGINES to its folder`,
  );
}

function findModule(): string {
  const folders = libraryFolders().map((folder) => join(folder, 'pkcs11'));
  const folder = folders.find((each) => isReadable(join(each, P11_KIT_CLIENT)));
  if (folder !== undefined) return join(folder, P11_KIT_CLIENT);
  throw new KeyError(
    'ERR_KEY_MODULE',
    `there is no ${P11_KIT_CLIENT} in ${folders.join(', ')}: install p11-kit-modules (Debian) or p11-kit-server (Fedora), or name a module by module-path in the URI or PKCS11_MODULE_PATH`,
  );
}

function serverAddress(): string {
  const { P11_KIT_SERVER_ADDRESS, XDG_RUNTIME_DIR } = process.env;
  if (P11_KIT_SERVER_ADDRESS) return P11_KIT_SERVER_ADDRESS;
  if (XDG_RUNTIME_DIR) return `unix:path=${XDG_RUNTIME_DIR}/p11-kit/pkcs11`;
  throw new KeyError(
    'ERR_KEY_SERVICE',
    'nothing says where it is: start "p11-kit server" and set P11_KIT_SERVER_ADDRESS to what it prints',
  );
}

function isReadable(path: string): boolean {
  try {
    accessSync(path, constants.R_OK);
    return true;
  } catch {
    return false;
  }
}
