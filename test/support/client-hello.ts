/** What node:tls says first. */
import { Duplex } from 'node:stream';
import { type ConnectionOptions, connect } from 'node:tls';

/** The ClientHello that `tls.connect` writes with these options, whole. */
export function clientHello(options: ConnectionOptions = {}): Buffer {
  const chunks: Buffer[] = [];
  const socket = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, callback) {
      chunks.push(chunk);
      callback();
    },
  });
  const client = connect({ ...options, socket });
  client.on('error', () => {});
  client.destroy();
  return Buffer.concat(chunks);
}
