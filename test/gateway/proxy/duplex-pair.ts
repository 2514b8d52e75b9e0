/** Two ends of a connection that is in memory (stream.duplexPair came with Node 22.6). */
import { Duplex } from 'node:stream';

export interface Ends {
  here: Duplex;
  there: Duplex;
}

export function duplexPair(): Ends {
  const here: Duplex = end(() => there);
  const there: Duplex = end(() => here);
  return { here, there };
}

function end(other: () => Duplex): Duplex {
  return new Duplex({
    read() {},
    write: (chunk: Buffer, _encoding, callback) => {
      other().push(chunk);
      setImmediate(callback);
    },
    final: (callback) => {
      other().push(null);
      callback();
    },
  });
}
