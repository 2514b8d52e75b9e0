/** The option `onread` of tls.connect, which node:tls ignores for a TLSSocket over a Duplex. */
import type { OnReadOpts } from 'node:net';
import type { TLSSocket } from 'node:tls';

/** Puts what arrives into the caller's buffer, piece by piece; a callback that returns false pauses the socket. */
export function readInto(socket: TLSSocket, { buffer, callback }: OnReadOpts): void {
  socket.on('data', (chunk: Buffer) => {
    let rest = chunk;
    while (rest.length > 0) {
      const into = typeof buffer === 'function' ? buffer() : buffer;
      const piece = rest.subarray(0, into.length);
      into.set(piece);
      rest = rest.subarray(piece.length);
      if (callback(piece.length, into) === false || piece.length === 0) {
        socket.pause();
        if (rest.length > 0) socket.unshift(rest);
        return;
      }
    }
  });
}
