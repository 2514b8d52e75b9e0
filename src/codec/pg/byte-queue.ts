/**
 * Bytes that came in chunks, read as if they had come in one piece.
 *
 *     push ─► chunks ─► window: the bytes that are read next, in one piece
 *
 * The window is a chunk itself as long as what is read lies within it. What lies across chunks is joined in a block:
 * each byte is copied once, twice on average where a message is longer than a block, and a block is never written where
 * somebody may hold a view. Memory grows with the bytes that came, never with a length that was only claimed, and
 * nothing is kept while there is nothing to read.
 */
const EMPTY: Buffer = Buffer.alloc(0);
/** Bytes of the first block, for a message or two; each further one is twice as long, up to the last. */
const FIRST_BLOCK_BYTES = 1024;
const BLOCK_BYTES = 64 * 1024;
/** A chunk up to this length is joined whole; of a longer one only what the message needs: the rest stays as it is. */
const SMALL_CHUNK_BYTES = 1024;
/** Chunks that were read are let go of by this many. */
const COMPACT_CHUNKS = 1024;

export class ByteQueue {
  /** The window: bytes[start] to bytes[end - 1]. */
  bytes = EMPTY;
  start = 0;
  #end = 0;
  /** Where messages are joined. The window is either in no part of it or ends where its free part begins. */
  #block = EMPTY;
  #blockUsed = 0;
  #chunks: Buffer[] = [];
  /** The first chunk that is not in the window. */
  #next = 0;
  /** Bytes of the chunks that are not in the window. */
  #waiting = 0;
  #copied = 0;

  /** Bytes that are held and not read yet. */
  get length(): number {
    return this.#end - this.start + this.#waiting;
  }

  /** Bytes that were copied so far. */
  get copied(): number {
    return this.#copied;
  }

  push(chunk: Buffer): void {
    if (chunk.length === 0) return;
    if (this.#waiting === 0 && this.#isJoining() && this.#fits(chunk)) {
      this.#join(chunk);
      return;
    }
    this.#chunks.push(chunk);
    this.#waiting += chunk.length;
  }

  /** Makes the next `length` bytes the beginning of the window; false where fewer have come. */
  has(length: number): boolean {
    return this.#end - this.start >= length || this.#gather(length);
  }

  /** Moves on; the caller has asked for these bytes by `has`. */
  skip(length: number): void {
    this.start += length;
  }

  clear(): void {
    this.bytes = this.#block = EMPTY;
    this.#chunks = [];
    this.start = this.#end = this.#blockUsed = this.#next = this.#waiting = 0;
  }

  #gather(length: number): boolean {
    if (this.start === this.#end) this.#useNextChunk();
    while (this.#waiting > 0 && this.#end - this.start < length) this.#joinNextChunk(length);
    return this.#end - this.start >= length;
  }

  /** The window is empty: the next chunk is the window. */
  #useNextChunk(): void {
    if (this.#waiting === 0) {
      this.clear();
      return;
    }
    this.bytes = this.#shift();
    this.start = 0;
    this.#end = this.bytes.length;
    this.#waiting -= this.#end;
  }

  /** The window is what was joined so far, and not read yet. */
  #isJoining(): boolean {
    return this.bytes === this.#block && this.start < this.#end;
  }

  #fits(chunk: Buffer): boolean {
    return chunk.length <= SMALL_CHUNK_BYTES && this.#blockUsed + chunk.length <= this.#block.length;
  }

  #join(bytes: Buffer): void {
    this.#block.set(bytes, this.#blockUsed);
    this.#copied += bytes.length;
    this.#blockUsed += bytes.length;
    this.#end = this.#blockUsed;
  }

  /** Joins the window with the next chunk, or with as much of it as makes `length` bytes. */
  #joinNextChunk(length: number): void {
    const chunk = this.#chunks[this.#next] as Buffer;
    const missing = length - (this.#end - this.start);
    const taken = chunk.length <= SMALL_CHUNK_BYTES ? chunk.length : Math.min(chunk.length, missing);
    this.#makeRoom(length, taken);
    this.#waiting -= taken;
    if (taken === chunk.length) {
      this.#join(this.#shift());
      return;
    }
    this.#join(chunk.subarray(0, taken));
    this.#chunks[this.#next] = chunk.subarray(taken);
  }

  /** The window is in the block afterwards, with room behind it for `more` of the `length` bytes that it will have. */
  #makeRoom(length: number, more: number): void {
    const isJoining = this.#isJoining();
    if (isJoining && this.#blockUsed + more <= this.#block.length) return;
    const window = this.bytes.subarray(this.start, this.#end);
    if (isJoining || this.#blockUsed + Math.max(length, window.length + more) > this.#block.length) {
      const needed = Math.max(window.length + more, Math.min(length, 2 * (window.length + more)));
      const usual = Math.min(BLOCK_BYTES, Math.max(FIRST_BLOCK_BYTES, 2 * this.#block.length));
      this.#block = Buffer.allocUnsafe(Math.max(needed, usual));
      this.#blockUsed = 0;
    }
    this.bytes = this.#block;
    this.start = this.#blockUsed;
    this.#join(window);
  }

  #shift(): Buffer {
    const chunk = this.#chunks[this.#next] as Buffer;
    this.#chunks[this.#next++] = EMPTY;
    if (this.#next === this.#chunks.length) {
      this.#chunks.length = 0;
      this.#next = 0;
    } else if (this.#next === COMPACT_CHUNKS) {
      this.#chunks.splice(0, COMPACT_CHUNKS);
      this.#next = 0;
    }
    return chunk;
  }
}
