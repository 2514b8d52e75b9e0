/**
 * Commands out of the bytes that a client sends: arrays of bulk strings, and inline commands. Before login the limits are
 * tiny (CVE-2021-32675).
 *
 * It pulls: a server that calls `next` only while its answers drain holds few of them, too, for a client that does not
 * read (CVE-2025-21605); and one that calls `loginDone` before the next `next` takes what came with AUTH in one flight.
 */
import { ByteSource } from './byte-source.js';
import { ARRAY, BUFFER_BYTES, BULK_STRING } from './constants.js';
import { RedisError } from './errors.js';
import { splitInline } from './inline.js';
import { defaultRedisLimits, type RedisLimits } from './limits.js';
import { checkInlineCommand, checkInlineStart } from './noise.js';
import { parseLength } from './numbers.js';

export interface RequestDecoderOptions {
  /** Default: `defaultRedisLimits`. */
  limits?: RedisLimits;
  /** Whether this client needs no login. Default false. */
  authenticated?: boolean;
}

/** A command that is being read. */
interface Command {
  readonly args: Buffer[];
  readonly count: number;
  /** What is left of `requestBytes`. */
  budget: number;
  /** Of the argument that is next, once it is known. */
  length: number | undefined;
}

/** A line of a count or length: its first byte, digits, CR. */
const SHORT_LINE_BYTES = 32;

export class RequestDecoder {
  readonly #source = new ByteSource();
  readonly #limits: RedisLimits;
  #authenticated: boolean;
  #command: Command | undefined;
  #failure: unknown;

  constructor({ limits = defaultRedisLimits, authenticated = false }: RequestDecoderOptions = {}) {
    this.#limits = limits;
    this.#authenticated = authenticated;
  }

  /** Bytes that have come and were not decoded. What an incomplete command holds in decoded form is not among them. */
  get buffered(): number {
    return this.#source.buffered;
  }

  /** From now on the limits after login hold. */
  loginDone(): void {
    this.#authenticated = true;
  }

  /** Takes bytes as they came, which must not change afterwards. Decodes nothing yet: see `next`. */
  push(chunk: Buffer): void {
    this.#source.push(chunk);
  }

  /**
   * The next command, its name first; undefined when it has not come whole.
   * @throws RedisError ERR_REDIS_PROTOCOL, ERR_REDIS_TOO_LONG; then this connection cannot go on, and each further call
   * throws the same.
   */
  next(): Buffer[] | undefined {
    if (this.#failure) throw this.#failure;
    try {
      return this.#read();
    } catch (error) {
      this.#failure = error;
      throw error;
    }
  }

  #read(): Buffer[] | undefined {
    while (!this.#command) {
      const first = this.#source.peek();
      if (first === undefined) return undefined;
      if (first !== ARRAY) {
        const words = this.#readInline(first);
        if (words?.length === 0) continue;
        return words;
      }
      if (!this.#begin()) return undefined;
    }
    const args = this.#readArguments(this.#command);
    if (args) this.#command = undefined;
    return args;
  }

  /** Undefined: more has to come. Empty: the line was. */
  #readInline(first: number): Buffer[] | undefined {
    checkInlineStart(first);
    const source = this.#source;
    const { lineBytes, unauthenticatedBytes } = this.#limits;
    const most = this.#authenticated ? lineBytes : Math.min(lineBytes, unauthenticatedBytes);
    if (!source.readInlineLine(most)) return undefined;
    const words = splitInline(source.bytes.toString('latin1', source.start, source.end));
    checkInlineCommand(words);
    this.#checkCount(words.length);
    return words;
  }

  /** Reads the count of arguments. False: more has to come. */
  #begin(): boolean {
    const source = this.#source;
    if (!source.readLine(SHORT_LINE_BYTES)) return false;
    const count = parseLength(source.bytes, source.start + 1, source.end, false);
    this.#checkCount(count);
    const command: Command = { args: [], count, budget: this.#limits.requestBytes, length: undefined };
    this.#charge(command, count * BUFFER_BYTES);
    // As Redis, which passes over a command of nothing.
    if (count > 0) this.#command = command;
    return true;
  }

  #readArguments(command: Command): Buffer[] | undefined {
    while (command.args.length < command.count) {
      command.length ??= this.#readLength(command);
      if (command.length === undefined || !this.#source.readBlob(command.length)) return undefined;
      command.length = undefined;
      command.args.push(this.#source.buffer());
    }
    return command.args;
  }

  #readLength(command: Command): number | undefined {
    const source = this.#source;
    const first = source.peek();
    if (first !== undefined && first !== BULK_STRING) {
      throw new RedisError('ERR_REDIS_PROTOCOL', 'an argument is not a bulk string');
    }
    if (!source.readLine(SHORT_LINE_BYTES)) return undefined;
    const length = parseLength(source.bytes, source.start + 1, source.end, false);
    this.#checkLength(length);
    this.#charge(command, length);
    return length;
  }

  /** Reckons memory before it is allocated. */
  #charge(command: Command, bytes: number): void {
    command.budget -= bytes;
    if (command.budget >= 0) return;
    const { requestBytes } = this.#limits;
    throw new RedisError('ERR_REDIS_TOO_LONG', `a command takes more than ${requestBytes} bytes (requestBytes)`);
  }

  #checkCount(count: number): void {
    const { requestArguments, unauthenticatedArguments } = this.#limits;
    if (!this.#authenticated && count > unauthenticatedArguments) {
      throw new RedisError('ERR_REDIS_TOO_LONG', `${count} arguments before login (unauthenticatedArguments)`);
    }
    if (count > requestArguments) throw new RedisError('ERR_REDIS_TOO_LONG', `${count} arguments (requestArguments)`);
  }

  #checkLength(length: number): void {
    const { bulkBytes, unauthenticatedBytes } = this.#limits;
    if (!this.#authenticated && length > unauthenticatedBytes) {
      throw new RedisError('ERR_REDIS_TOO_LONG', `${length} bytes before login (unauthenticatedBytes)`);
    }
    if (length > bulkBytes) throw new RedisError('ERR_REDIS_TOO_LONG', `a string of ${length} bytes (bulkBytes)`);
  }
}
