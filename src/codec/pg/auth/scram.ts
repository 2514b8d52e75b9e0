/**
 * The client's side of SCRAM-SHA-256 and SCRAM-SHA-256-PLUS. (RFC 5802, RFC 7677, PostgreSQL "SASL Authentication".)
 *
 *     client-first  ->
 *                   <- server-first    continue()
 *     client-final  ->
 *                   <- server-final    verify()
 */
import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import { PgError } from '../errors.js';
import type { SaltedPasswords } from './salted-passwords.js';
import { preparePassword } from './sasl-prep.js';
import { parseServerFinal, parseServerFirst, type ScramLimits } from './scram-messages.js';

export type ScramMechanism = 'SCRAM-SHA-256' | 'SCRAM-SHA-256-PLUS';

/** What the exchange says about the channel that it runs in (`gs2-cbind-flag`). */
export type ChannelBindingFlag =
  /** 'n': this client does not bind to the channel. */
  | { type: 'none' }
  /** 'y': it would, and the server did not offer it. A server that did finds the offer was taken out on the way. */
  | { type: 'unused' }
  /** 'p': bound to the server's certificate, whose hash `data` is (RFC 5929 section 4). */
  | { type: 'tls-server-end-point'; data: Buffer };

export interface ScramOptions {
  /** Asked for when the server's salt has come, once. */
  password: () => Promise<string>;
  binding: ChannelBindingFlag;
  /** Whose salted password it is, for `salted`. */
  account: { server: string; user: string };
  salted: SaltedPasswords;
  limits: ScramLimits;
  /** `n=` of the exchange. PostgreSQL ignores it for the user of StartupMessage; libpq leaves it empty too. */
  userName?: string;
  /** Random where it is left out, as it should be. */
  nonce?: string;
}

type State =
  | { step: 'first' }
  | { step: 'computing' }
  | { step: 'final'; serverSignature: Buffer }
  | { step: 'verified' };

/** libpq's SCRAM_RAW_NONCE_LEN. */
const NONCE_BYTES = 18;

/** `saslname`: commas and equals signs are escaped. */
function saslName(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C');
}

function gs2Header({ type }: ChannelBindingFlag): string {
  if (type === 'none') return 'n,,';
  return type === 'unused' ? 'y,,' : `p=${type},,`;
}

function xor(left: Buffer, right: Buffer): Buffer {
  return left.map((byte, index) => byte ^ (right[index] as number)) as Buffer;
}

export class ScramClient {
  readonly mechanism: ScramMechanism;
  /** `client-first-message` */
  readonly clientFirst: Buffer;
  readonly #options: ScramOptions;
  readonly #nonce: string;
  readonly #clientFirstBare: string;
  readonly #channelBinding: string;
  #state: State = { step: 'first' };

  constructor(options: ScramOptions) {
    const { binding, userName = '', nonce = randomBytes(NONCE_BYTES).toString('base64') } = options;
    const header = gs2Header(binding);
    const data = binding.type === 'tls-server-end-point' ? binding.data : Buffer.alloc(0);
    this.mechanism = binding.type === 'tls-server-end-point' ? 'SCRAM-SHA-256-PLUS' : 'SCRAM-SHA-256';
    this.#options = options;
    this.#nonce = nonce;
    this.#clientFirstBare = `n=${saslName(userName)},r=${nonce}`;
    this.#channelBinding = Buffer.concat([Buffer.from(header), data]).toString('base64');
    this.clientFirst = Buffer.from(header + this.#clientFirstBare);
  }

  /**
   * The `client-final-message`, with the proof that this side knows the password.
   * @throws PgError ERR_PG_SCRAM; what `password` throws
   */
  async continue(serverFirst: Buffer): Promise<Buffer> {
    if (this.#state.step !== 'first') throw new PgError('ERR_PG_SCRAM', 'server-first came at the wrong time');
    this.#state = { step: 'computing' };
    const { password, account, salted, limits } = this.#options;
    const { nonce, salt, iterations } = parseServerFirst(serverFirst, this.#nonce, limits);
    const withoutProof = `c=${this.#channelBinding},r=${nonce}`;
    // `serverFirst` is a view of bytes that may be gone after the next await.
    const authMessage = Buffer.concat([
      Buffer.from(`${this.#clientFirstBare},`),
      serverFirst,
      Buffer.from(`,${withoutProof}`),
    ]);
    const prepared = await preparePassword(await password());
    const { clientKey, storedKey, serverKey } = await salted.keys({ ...account, password: prepared, salt, iterations });
    const clientSignature = createHmac('sha256', storedKey).update(authMessage).digest();
    const serverSignature = createHmac('sha256', serverKey).update(authMessage).digest();
    this.#state = { step: 'final', serverSignature };
    return Buffer.from(`${withoutProof},p=${xor(clientKey, clientSignature).toString('base64')}`);
  }

  /**
   * Returns where the server knows the password too.
   * @throws PgError ERR_PG_SCRAM, ERR_PG_SERVER_PROOF
   */
  verify(serverFinal: Buffer): void {
    const state = this.#state;
    if (state.step !== 'final') throw new PgError('ERR_PG_SCRAM', 'server-final came at the wrong time');
    const signature = parseServerFinal(serverFinal, this.#options.limits);
    if (!timingSafeEqual(signature, state.serverSignature)) {
      throw new PgError('ERR_PG_SERVER_PROOF', 'its signature in the SCRAM exchange is wrong');
    }
    this.#state = { step: 'verified' };
  }
}
