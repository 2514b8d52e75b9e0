/** Reads the server's Reply off the front of what TCP brings. */
import { TurboError } from '../errors.js';
import { decodeReply, type Reply } from '../wire/frame.js';

export class ReplyReader {
  #held: Buffer = Buffer.alloc(0);

  /**
   * The Reply and the stream bytes behind it; undefined while it is incomplete; ERR_TURBO_BAD_REPLY where the bytes are
   * none. Holds less than a frame.
   */
  read(chunk: Buffer): { reply: Reply; rest: Buffer } | TurboError | undefined {
    this.#held = this.#held.length === 0 ? chunk : Buffer.concat([this.#held, chunk]);
    try {
      const decoded = decodeReply(this.#held);
      return decoded && { reply: decoded.reply, rest: this.#held.subarray(decoded.length) };
    } catch (cause) {
      return new TurboError('ERR_TURBO_BAD_REPLY', undefined, { cause });
    }
  }
}
