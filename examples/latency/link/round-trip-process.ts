/** Prints what round trips take from here to the address that is its first argument, a JSON list of ms. */
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { beInTime } from './be-in-time.js';

/** Where nobody listens: the kernel refuses at once, which takes one round trip and no server. */
const REFUSING_PORT = 1;
const COUNT = 24;
/** Of the first ones, in which the program warms up. */
const WARM_UPS = 4;
/** Between the starts, so that each is alone on its way out and on its way back. */
const INTERVAL_MS = 3;

const [address] = process.argv.slice(2) as [string];
beInTime();
const roundTrips: Promise<number>[] = [];
for (let index = 0; index < WARM_UPS + COUNT; index++) {
  roundTrips.push(roundTrip());
  await sleep(INTERVAL_MS);
}
console.log(JSON.stringify((await Promise.all(roundTrips)).slice(WARM_UPS)));

function roundTrip(): Promise<number> {
  return new Promise((resolve, reject) => {
    const start = performance.now();
    const socket = connect({ host: address, port: REFUSING_PORT });
    const end = () => {
      resolve(performance.now() - start);
      socket.destroy();
    };
    socket
      .on('connect', end)
      .on('error', (error: NodeJS.ErrnoException) => (error.code === 'ECONNREFUSED' ? end() : reject(error)));
  });
}
