/** The process and the machine, as far as connection parameters come from them. */
import { existsSync } from 'node:fs';
import { homedir, userInfo } from 'node:os';
import { join } from 'node:path';
import { PgError } from '../errors.js';

/** What `resolveConninfo` reads besides its input; all of it has a default. */
export interface ConninfoSources {
  /** Default: process.env. */
  env?: NodeJS.ProcessEnv | undefined;
  /** The home directory, where .pgpass, .pg_service.conf and .postgresql/ are. Default: $HOME, else the system's. */
  home?: string | undefined;
  /** The user to log in as where nobody says. Default: who runs this process. */
  userName?: string | undefined;
  /** Where a local server has its socket, if the directory exists. Default: /var/run/postgresql. */
  socketDirectory?: string | undefined;
  /** Told what libpq would print, such as a password file that others can read. Default: process.emitWarning. */
  warn?: ((text: string) => void) | undefined;
}

export interface Surroundings {
  readonly env: NodeJS.ProcessEnv;
  /** Undefined where no server can be local. */
  readonly socketDirectory: string | undefined;
  readonly passFile: string;
  readonly serviceFile: string;
  /** The place of root.crt and its kin. */
  tlsFile(name: string): string;
  userName(): string;
  warn(text: string): void;
}

const DEFAULT_SOCKET_DIRECTORY = '/var/run/postgresql';

export function surroundingsFrom(sources: ConninfoSources): Surroundings {
  const { env = process.env, socketDirectory = DEFAULT_SOCKET_DIRECTORY } = sources;
  const { userName = userNameOfProcess, warn = (text: string) => process.emitWarning(text) } = sources;
  return {
    env,
    socketDirectory: existsSync(socketDirectory) ? socketDirectory : undefined,
    ...userFiles(sources.home, env),
    userName: typeof userName === 'string' ? () => userName : userName,
    warn,
  };
}

/** libpq's places: dot files in the home directory, or %APPDATA%\postgresql on Windows. */
function userFiles(
  home: string | undefined,
  env: NodeJS.ProcessEnv,
): Pick<Surroundings, 'passFile' | 'serviceFile' | 'tlsFile'> {
  if (process.platform === 'win32' && home === undefined && env.APPDATA) {
    const directory = join(env.APPDATA, 'postgresql');
    return {
      passFile: join(directory, 'pgpass.conf'),
      serviceFile: join(directory, '.pg_service.conf'),
      tlsFile: (name) => join(directory, name),
    };
  }
  const directory = home ?? (env.HOME || homedir());
  return {
    passFile: join(directory, '.pgpass'),
    serviceFile: join(directory, '.pg_service.conf'),
    tlsFile: (name) => join(directory, '.postgresql', name),
  };
}

function userNameOfProcess(): string {
  try {
    return userInfo().username;
  } catch (cause) {
    throw new PgError('ERR_PG_BAD_OPTION', 'no user is given, and the system has no name for that of this process', {
      cause,
    });
  }
}
