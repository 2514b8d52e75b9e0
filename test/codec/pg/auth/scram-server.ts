/** The server's side of SCRAM-SHA-256, by hand from RFC 5802 section 3, independent of the shipped client. */
import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';

export interface ScramServerOptions {
  password: string | Buffer;
  salt?: Buffer;
  iterations?: number;
  /** Of its certificate, where -PLUS is what it serves. */
  endPoint?: Buffer;
  nonce?: string;
}

const hmac = (key: Buffer, text: string | Buffer) => createHmac('sha256', key).update(text).digest();
const attribute = (text: string, name: string) => new RegExp(`(?:^|,)${name}=([^,]*)`).exec(text)?.[1] ?? '';

/** `Hi`: PBKDF2 with one block of output. */
function hi(password: string | Buffer, salt: Buffer, iterations: number): Buffer {
  const key = Buffer.from(password);
  let round = hmac(key, Buffer.concat([salt, Buffer.from([0, 0, 0, 1])]));
  const result = Buffer.from(round);
  for (let count = 1; count < iterations; count++) {
    round = hmac(key, round);
    for (let index = 0; index < result.length; index++) result[index] = (result[index] ?? 0) ^ (round[index] ?? 0);
  }
  return result;
}

export class ScramServer {
  readonly #options: Required<Omit<ScramServerOptions, 'endPoint'>> & { endPoint: Buffer | undefined };
  #header = '';
  #clientFirstBare = '';
  #serverFirst = '';
  /** `client-first-message` as it came. */
  clientFirst = '';

  constructor({ password, salt, iterations = 7, endPoint, nonce }: ScramServerOptions) {
    this.#options = {
      password,
      salt: salt ?? randomBytes(16),
      iterations,
      endPoint,
      nonce: nonce ?? randomBytes(18).toString('base64'),
    };
  }

  /** The flag of the header: 'n', 'y' or 'p=…'. */
  get flag(): string {
    return this.#header.split(',')[0] ?? '';
  }

  first(clientFirst: Buffer): Buffer {
    this.clientFirst = clientFirst.toString();
    const [flag, authzid, ...bare] = this.clientFirst.split(',');
    this.#header = `${flag},${authzid},`;
    this.#clientFirstBare = bare.join(',');
    const { nonce, salt, iterations } = this.#options;
    const clientNonce = attribute(this.#clientFirstBare, 'r');
    this.#serverFirst = `r=${clientNonce}${nonce},s=${salt.toString('base64')},i=${iterations}`;
    return Buffer.from(this.#serverFirst);
  }

  /** @throws where the client's proof or its channel binding is wrong */
  final(clientFinal: Buffer): Buffer {
    const { password, salt, iterations, endPoint } = this.#options;
    const [withoutProof = '', proof = ''] = clientFinal.toString().split(',p=');
    const expected = Buffer.concat([Buffer.from(this.#header), endPoint ?? Buffer.alloc(0)]).toString('base64');
    if (attribute(withoutProof, 'c') !== expected) throw new Error('the channel binding is wrong');
    const salted = hi(password, salt, iterations);
    const storedKey = createHash('sha256').update(hmac(salted, 'Client Key')).digest();
    const authMessage = `${this.#clientFirstBare},${this.#serverFirst},${withoutProof}`;
    const signature = hmac(storedKey, authMessage);
    const clientKey = Buffer.from(proof, 'base64').map((byte, index) => byte ^ (signature[index] ?? 0));
    if (!timingSafeEqual(createHash('sha256').update(clientKey).digest(), storedKey)) throw new Error('wrong password');
    return Buffer.from(`v=${hmac(hmac(salted, 'Server Key'), authMessage).toString('base64')}`);
  }
}
