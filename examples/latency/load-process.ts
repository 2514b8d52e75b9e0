/**
 * The program that keeps a server busy: so many TLS handshakes a second by node:tls, each closed as soon as it is
 * secure. Its parent sends the target; it ends with its parent.
 */
import { connect } from 'node:tls';
import type { EchoTarget } from '../../src/compare/case.js';
import { commandLine } from '../command-line.js';

/** Of connections, every so many ms. */
const BATCH_MS = 10;
/** Where the server cannot keep up, more would only wait. */
const UNDER_WAY_MAX = 500;

const { rate } = commandLine('Makes TLS handshakes for `latency`; is started by it.', {
  rate: { kind: 'number', value: 'N', default: 100, from: 1, to: 10_000, about: 'handshakes a second' },
});

let underWay = 0;

process.on('disconnect', () => process.exit());
if (!process.connected) process.exit(); // the channel may have been closed while this program was loaded
process.once('message', (target: EchoTarget) => {
  const begunAt = performance.now();
  let made = 0;
  setInterval(() => {
    for (const due = ((performance.now() - begunAt) * rate) / 1000; made < due; made++) handshake(target);
  }, BATCH_MS);
});

function handshake({ address, serverName, ca }: EchoTarget): void {
  if (underWay >= UNDER_WAY_MAX) return;
  underWay++;
  const socket = connect({ ...address, servername: serverName, ...(ca !== undefined && { ca }) });
  socket.once('secureConnect', () => socket.destroy());
  socket.on('error', () => {}); // the server may be too busy for it: that is what load is
  socket.once('close', () => underWay--);
}
