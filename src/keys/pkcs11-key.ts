/**
 * A private key in a PKCS#11 token, for node:tls:
 *
 *     const cert = readFileSync('cert.pem', 'utf8');
 *     createServer({ cert, ...pkcs11Key('pkcs11:token=web;object=example.com?pin-source=file:/etc/web/pin', { cert }) });
 *
 * Where the module is p11-kit's client, the token is in the process behind its socket, and the key in none of ours.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { isMainThread } from 'node:worker_threads';
import { LRUCache } from 'lru-cache';
import { checkKey, checkKeyLater, type KeyQuestion, keyErrorOf, unsupported } from './check.js';
import { KeyError } from './errors.js';
import { failureOf } from './failure.js';
import { keyHealth } from './health.js';
import { changedKeyLimits, type KeyLimits } from './limits.js';
import { type EngineKey, engineKey, loadKey } from './load.js';
import { KeyRelay } from './relay.js';
import { type Surroundings, surroundings } from './surroundings.js';
import { parseKeyUri } from './uri.js';

export interface Pkcs11KeyOptions {
  /** PEM, the leaf first: the key must be its key. */
  cert: string;
  /** Path of the PKCS#11 module. Default: module-path in the URI, PKCS11_MODULE_PATH, p11-kit's client. */
  module?: string | undefined;
  /** Of `p11-kit server`. Default: P11_KIT_SERVER_ADDRESS, the socket in XDG_RUNTIME_DIR. */
  server?: string | undefined;
  limits?: Partial<KeyLimits> | undefined;
}

/** Certificates that a process shows over its life, and a few to spare. */
const CHECKED_KEYS = 256;
/** Between two tries of a key that is to come back, ms: from the first to the last. */
const RETURN_MS = { first: 250, last: 10_000 };

/** What was found usable; a key is not tried again each time that somebody looks at it. By URI and certificate. */
const checked = new LRUCache<string, true>({ max: CHECKED_KEYS });

/** libp11 loads one module, once. */
let connected: Surroundings | undefined;
/** Of the keys, the one that was loaded last: those before may have been replaced, and be gone from the token. */
let latest: KeyQuestion | undefined;

/**
 * Finds the key, has it sign once, in a process of its own, and makes it usable in this one. Waits for all of that.
 * @returns options of tls.createSecureContext and tls.createServer. No PIN is in them.
 * @throws KeyError, each of its codes but ERR_KEY_LOST; TurboError ERR_TURBO_BAD_OPTION
 */
export function pkcs11Key(uri: string, { cert, module, server, limits = {} }: Pkcs11KeyOptions): EngineKey {
  const { checkMs, answerMs } = changedKeyLimits(limits);
  const key = parseKeyUri(uri);
  const around = surroundings({ module: module ?? key.module, server });
  if (process.permission !== undefined) {
    throw unsupported('the permission model keeps OpenSSL engines out');
  }
  if (!isMainThread) {
    throw new KeyError('ERR_KEY_UNSUPPORTED', 'OpenSSL does not see the environment of a thread: use processes');
  }
  const question: KeyQuestion = { cert, key, surroundings: around, timeoutMs: checkMs };
  const name = `${uri}\n${cert}`;
  if (!checked.has(name)) {
    checkKey(question);
    connect(question, answerMs);
    checked.set(name, true);
    latest = question;
  }
  return engineKey(key.path);
}

/** Resolves when the key that this process had can be used again, by another process. */
export async function keysReturn(signal?: AbortSignal): Promise<void> {
  for (let pauseMs = RETURN_MS.first; ; pauseMs = Math.min(2 * pauseMs, RETURN_MS.last)) {
    signal?.throwIfAborted();
    try {
      if (latest !== undefined) await checkKeyLater(latest);
      return;
    } catch {
      await sleep(pauseMs, undefined, { signal });
    }
  }
}

function connect({ cert, key, surroundings: around }: KeyQuestion, answerMs: number): void {
  if (connected === undefined) {
    connectFirst(around, answerMs, () => load(cert, key));
    return;
  }
  if (connected.module !== around.module || connected.server !== around.server) {
    throw new KeyError(
      'ERR_KEY_MODULE',
      `${around.module}: this process has ${connected.module} already, and can have one`,
    );
  }
  load(cert, key);
}

/** The module connects when it is loaded, and reads where to from the environment. */
function connectFirst(around: Surroundings, answerMs: number, use: () => void): void {
  const { P11_KIT_SERVER_ADDRESS } = process.env;
  Object.assign(process.env, { OPENSSL_ENGINES: around.engines, PKCS11_MODULE_PATH: around.module });
  const relay = relayTo(around, answerMs);
  try {
    if (relay) process.env.P11_KIT_SERVER_ADDRESS = relay.address;
    use();
    connected = around;
  } catch (error) {
    relay?.close();
    throw error;
  } finally {
    relay?.hide();
    if (P11_KIT_SERVER_ADDRESS === undefined) delete process.env.P11_KIT_SERVER_ADDRESS;
    else process.env.P11_KIT_SERVER_ADDRESS = P11_KIT_SERVER_ADDRESS;
  }
}

function relayTo({ server }: Surroundings, answerMs: number): KeyRelay | undefined {
  const [, path] = server?.match(/^unix:path=(.+)$/) ?? [];
  if (path === undefined) return undefined;
  return new KeyRelay({
    server: path,
    answerMs,
    onLost: (reason) => keyHealth().lose(`the connection to the process that holds it is over: ${reason}`),
  });
}

function load(cert: string, key: KeyQuestion['key']): void {
  try {
    loadKey(cert, key);
  } catch (error) {
    throw error instanceof KeyError ? error : keyErrorOf(key.path, failureOf(error as Error));
  }
}
