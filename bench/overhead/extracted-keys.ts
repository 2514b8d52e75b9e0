/**
 * The handshake by node:tls, then its keys taken out and the records made by hand: a benchmark, never to be used.
 * Keys come from the event 'keylog', the bytes from a Duplex of our own, which holds the socket.
 */
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { Bridge } from './bridge.js';
import type { Connection } from './connection.js';
import { Opener, RECORD_BYTES, Sealer, type Suite, trafficKey } from './records.js';

/** RFC 8446, section 5.1: what is encrypted says that it is application data. */
const ENCRYPTED = 23;
const HEADER_BYTES = 5;
/** What can be sealed here. */
const SUITES = 'TLS_AES_256_GCM_SHA384:TLS_AES_128_GCM_SHA256';

/** Without client certificates the client's Finished is the only encrypted record of its handshake: after it, TLS stops. */
class HandshakeBridge extends Bridge {
  #tellFinished: () => void = () => {};
  readonly finished = new Promise<void>((resolve) => {
    this.#tellFinished = resolve;
  });
  #released = false;

  /** From here on the socket is somebody else's. */
  release(): void {
    this.#released = true;
    this.detach();
  }

  override _write(chunk: Buffer, encoding: BufferEncoding, callback: () => void): void {
    super._write(chunk, encoding, callback);
    this.#lookForFinished(chunk);
  }

  override _writev(chunks: { chunk: Buffer }[], callback: () => void): void {
    super._writev(chunks, callback);
    this.#lookForFinished(Buffer.concat(chunks.map(({ chunk }) => chunk)));
  }

  #lookForFinished(records: Buffer): void {
    for (let at = 0; at < records.length; at += HEADER_BYTES + records.readUInt16BE(at + 3)) {
      if (records[at] === ENCRYPTED) this.#tellFinished();
    }
  }

  override _destroy(error: Error | null, callback: (error: Error | null) => void): void {
    if (this.#released) callback(error);
    else super._destroy(error, callback);
  }
}

export class RecordConnection implements Connection {
  readonly #socket: Socket;
  readonly #sealer: Sealer;
  readonly opener: Opener;
  onBytes: (bytes: Buffer) => void = () => {};
  onError: (error: Error) => void = (error) => {
    throw error;
  };

  constructor(socket: Socket, sealer: Sealer, opener: Opener) {
    this.#socket = socket;
    this.#sealer = sealer;
    this.opener = opener;
    socket.on('data', (chunk) => this.#take(chunk));
    socket.on('error', (error) => this.#fail(error));
    socket.resume();
  }

  write(bytes: Buffer): boolean {
    if (bytes.length <= RECORD_BYTES) return this.#socket.write(this.#sealer.seal(bytes));
    let room = true;
    this.#socket.cork();
    for (let at = 0; at < bytes.length; at += RECORD_BYTES) {
      room = this.#socket.write(this.#sealer.seal(bytes.subarray(at, at + RECORD_BYTES)));
    }
    this.#socket.uncork();
    return room;
  }

  async drained(): Promise<void> {
    await once(this.#socket, 'drain');
  }

  destroy(): void {
    this.#socket.destroy();
  }

  #take(chunk: Buffer): void {
    try {
      for (const bytes of this.opener.open(chunk)) this.onBytes(bytes);
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  #fail(error: Error): void {
    this.#socket.destroy();
    this.onError(error);
  }
}

/** TLS 1.3 with AES-GCM and no client certificate. */
export async function connectByKeys(options: ConnectionOptions): Promise<RecordConnection> {
  const { port = 0, host = 'localhost', ...tlsOptions } = options;
  const socket = connectTcp({ host, port, noDelay: true });
  const bridge = new HandshakeBridge(socket);
  const tls = connectTls({ ciphers: SUITES, ...tlsOptions, minVersion: 'TLSv1.3', socket: bridge });
  const secrets = new Map<string, Buffer>();
  tls.on('keylog', (line: Buffer) => {
    const [label = '', , secret = ''] = line.toString().trim().split(' ');
    secrets.set(label, Buffer.from(secret, 'hex'));
  });
  // Both come with the same bytes from the server, which says nothing more before it has the client's Finished: TLS
  // never sees a record that is ours.
  await Promise.all([once(tls, 'secureConnect'), bridge.finished]);
  const suite = tls.getCipher().standardName as Suite;
  const key = (label: string) => trafficKey(suite, secrets.get(label) as Buffer);
  bridge.release();
  tls.on('error', () => {});
  tls.destroy();
  const sealer = new Sealer(key('CLIENT_TRAFFIC_SECRET_0'));
  return new RecordConnection(socket, sealer, new Opener(key('SERVER_TRAFFIC_SECRET_0')));
}
