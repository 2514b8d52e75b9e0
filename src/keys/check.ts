/** Whether a key can be used, found out in a process of its own. */
import { execFile, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { CheckAnswer, CheckRequest } from './check-process.js';
import { KeyError, type KeyErrorCode, keyErrorTexts } from './errors.js';
import type { CheckFailure } from './failure.js';
import type { Surroundings } from './surroundings.js';

const PROCESS = fileURLToPath(new URL('./check-process.js', import.meta.url));

/** What node:tls, OpenSSL and the engine say, and what it means. The first that is found counts. */
const MEANINGS: readonly { sign: RegExp; error: (key: string) => KeyError }[] = [
  { sign: /ERR_CRYPTO_CUSTOM_ENGINE_NOT_SUPPORTED/, error: () => unsupported('it has no OpenSSL engines') },
  {
    sign: /DSO support routines|no such engine/,
    error: () => new KeyError('ERR_KEY_ENGINE', 'it must be for the OpenSSL and the C library of this Node.js'),
  },
  {
    sign: /Unable to load PKCS#11 module/i,
    error: () => new KeyError('ERR_KEY_MODULE', 'look at what its file is and what it needs'),
  },
  { sign: /Failed to enumerate slots/, error: unreachable },
  {
    sign: /PIN code was entered|UI routines/,
    error: (key) => new KeyError('ERR_KEY_PIN', `${key}: the token asks for one: add ?pin-source=file:/… to the URI`),
  },
  {
    sign: /PIN (?:incorrect|locked|expired|invalid|length)/i,
    error: (key) => new KeyError('ERR_KEY_PIN', `${key}: the token does not take it, or is locked`),
  },
  {
    sign: /No matching initialized token/,
    error: (key) =>
      new KeyError('ERR_KEY_NOT_FOUND', `${key}: no such token; "p11tool --list-tokens" shows what is there`),
  },
  {
    sign: /object not found/,
    error: (key) =>
      new KeyError('ERR_KEY_NOT_FOUND', `${key}: the token has none; "p11tool --list-all --login" shows what it has`),
  },
  {
    sign: /key values mismatch|no suitable signature algorithm/i,
    error: (key) => new KeyError('ERR_KEY_MISMATCH', `${key}: take the certificate that was issued for it`),
  },
  { sign: /invalid id/, error: (key) => new KeyError('ERR_KEY_URI', `${key}: the engine does not understand it`) },
];

/** How the engine is to find the key. */
export interface KeyQuestion extends CheckRequest {
  surroundings: Surroundings;
  timeoutMs: number;
}

/**
 * Waits for the answer, as who starts must, or who has read a new certificate.
 * @throws KeyError
 */
export function checkKey(question: KeyQuestion): void {
  const { stdout, stderr, error } = spawnSync(process.execPath, [PROCESS], {
    input: inputOf(question),
    env: environmentOf(question),
    encoding: 'utf8',
    timeout: question.timeoutMs,
    killSignal: 'SIGKILL',
  });
  if ((error as NodeJS.ErrnoException | undefined)?.code === 'ETIMEDOUT') throw tooLate(question);
  judge(question, stdout ?? '', stderr ?? error?.message ?? '');
}

/** As checkKey, without holding up the event loop. */
export async function checkKeyLater(question: KeyQuestion): Promise<void> {
  const [stdout, stderr] = await new Promise<[string, string]>((resolve, reject) => {
    const options = { env: environmentOf(question), timeout: question.timeoutMs, killSignal: 'SIGKILL' as const };
    const child = execFile(process.execPath, [PROCESS], options, (error, out, err) => {
      if (error?.killed) reject(tooLate(question));
      else resolve([out, err]);
    });
    child.stdin?.on('error', () => {});
    child.stdin?.end(inputOf(question));
  });
  judge(question, stdout, stderr);
}

/**
 * What loading a key or signing with it threw, as a KeyError.
 * @param name of the key
 * @param said by the engine, on standard error
 */
export function keyErrorOf(name: string, { code, message, stack }: CheckFailure, said = ''): KeyError {
  if (isKeyErrorCode(code)) return new KeyError(code, message.slice(keyErrorTexts[code].length + 2));
  const all = [code, message, ...stack, said].join('\n');
  const meaning = MEANINGS.find(({ sign }) => sign.test(all));
  return meaning?.error(name) ?? new KeyError('ERR_KEY_SIGN', `${name}: ${message.trim()}`);
}

export function unsupported(why: string): KeyError {
  return new KeyError(
    'ERR_KEY_UNSUPPORTED',
    `${why}. Take the Node.js of nodejs.org, without --permission; or passthrough, which needs no key`,
  );
}

function unreachable(): KeyError {
  const detail = 'is "p11-kit server" running where P11_KIT_SERVER_ADDRESS says, and may this user use its socket?';
  return new KeyError('ERR_KEY_SERVICE', detail, { retryable: true });
}

function isKeyErrorCode(code: string | undefined): code is KeyErrorCode {
  return code !== undefined && Object.hasOwn(keyErrorTexts, code);
}

function judge({ key: { path } }: KeyQuestion, stdout: string, stderr: string): void {
  if (stdout === '') {
    const [reason = ''] = stderr.match(/^.*Error:.*$/m) ?? stderr.split('\n');
    throw new KeyError('ERR_KEY_SIGN', `${path}: the process that tries it has failed: ${reason}`);
  }
  const answer = JSON.parse(stdout) as CheckAnswer;
  if (answer !== null) throw keyErrorOf(path, answer, stderr);
}

function inputOf({ cert, key: { path, pin } }: KeyQuestion): string {
  return JSON.stringify({ cert, key: { path, pin } } satisfies CheckRequest);
}

function environmentOf({ surroundings: { engines, module, server } }: KeyQuestion): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env, OPENSSL_ENGINES: engines, PKCS11_MODULE_PATH: module };
  return server === undefined ? env : { ...env, P11_KIT_SERVER_ADDRESS: server };
}

function tooLate({ key: { path }, timeoutMs }: KeyQuestion): KeyError {
  const detail = `${path}: ${timeoutMs} ms. Look at the process that holds it`;
  return new KeyError('ERR_KEY_TIMEOUT', detail, { retryable: true });
}
