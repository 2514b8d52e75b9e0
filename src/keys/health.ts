/**
 * Whether the keys of this process can still sign. A key process that is gone cannot be reached again by a process that
 * had its key: neither the engine nor p11-kit's module connects a second time. Who serves must be replaced.
 */
import { type Observable, ReplaySubject } from 'rxjs';
import { KeyError } from './errors.js';

/** Return values of PKCS#11 (section 5.1) after which a module serves nobody any more, as libp11 puts them into words. */
const FATAL: ReadonlySet<string> = new Set([
  'Cryptoki not initialized',
  'Device error',
  'Device removed',
  'General Error',
  'Session closed',
  'Session handle invalid',
  'Token not present',
  'User not logged in',
]);

/** What OpenSSL calls the parts of it that speak to a token. */
const PKCS11_LIBRARIES: ReadonlySet<string> = new Set(['PKCS#11 module', 'libp11', 'pkcs11 engine']);

/** Who relays to the key process knows better why it is gone, and says so meanwhile, ms. */
const BETTER_REASON_MS = 20;

export class KeyHealth {
  readonly #lost = new ReplaySubject<KeyError>(1);
  #error: KeyError | undefined;

  /** ERR_KEY_LOST once it has happened: now, or for those who ask later. Once. */
  readonly lost$: Observable<KeyError> = this.#lost.asObservable();

  /** Why no key signs any more; undefined while they do. */
  get error(): KeyError | undefined {
    return this.#error;
  }

  /**
   * Of a handshake that failed on the server.
   * @returns whether it was for the key
   */
  report(error: unknown): boolean {
    const { library, reason = '' } = (error ?? {}) as { library?: string; reason?: string };
    if (library === undefined || !PKCS11_LIBRARIES.has(library)) return false;
    if (FATAL.has(reason)) setTimeout(() => this.lose(`the token says "${reason}"`, error), BETTER_REASON_MS);
    return true;
  }

  lose(reason: string, cause?: unknown): void {
    if (this.#error !== undefined) return;
    const detail = `${reason}. Connections that are open go on; new handshakes need a new process`;
    this.#error = new KeyError('ERR_KEY_LOST', detail, { cause });
    this.#lost.next(this.#error);
  }
}

const health = new KeyHealth();

/** Of this process: it has one PKCS#11 module, so that its keys are lost together. */
export function keyHealth(): KeyHealth {
  return health;
}
