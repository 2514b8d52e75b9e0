/**
 * What the tests of adapters share: a TurboTLS port before a real server, once with UDP and once where UDP is dropped.
 *
 *     for (const udp of ['open', 'blocked'] as const) {
 *       describe(`with UDP ${udp}`, () => {
 *         let front: Front;
 *         before(async () => {
 *           front = await withFront({ host: server.host, port: server.tlsPort }, udp);
 *         });
 *         after(() => front?.close());
 *         afterEach(() => front.expectCarrier());
 *
 *         it('…', async () => {
 *           const client = new Client({ host: front.host, port: front.port, …, turbo: front.turbo });
 */
import { createSocket } from 'node:dgram';
import { expect } from 'chai';
import { type ClientTurboOptions, type Network, nodeNetwork, PathMemory } from '../../src/experimental.js';
import { startTurboFront, type TurboFront } from '../support/turbo-front.js';

export type Udp = 'open' | 'blocked';

export interface Front extends TurboFront {
  readonly udp: Udp;
  /** For the client: a memory of its own, and a grace that a busy machine does not outlast. */
  readonly turbo: ClientTurboOptions;
  /** Since the start or the last call: every connection came by the carrier that is due, and there were some. */
  expectCarrier(): void;
}

/** @param backend where TLS begins at once, or with `sslRequest` after PostgreSQL's SSLRequest */
export async function withFront(backend: Parameters<typeof startTurboFront>[0], udp: Udp): Promise<Front> {
  const front = await startTurboFront({ ...backend, ...(udp === 'blocked' && { network: withoutUdp }) });
  const seen = { turbo: 0, tcp: 0 };
  return {
    ...front,
    udp,
    turbo: { memory: new PathMemory(), limits: { graceMinMs: udp === 'open' ? 5_000 : 2 } },
    expectCarrier: () => {
      const { turbo, tcp } = front.carriers;
      const since = { turbo: turbo - seen.turbo, tcp: tcp - seen.tcp };
      Object.assign(seen, { turbo, tcp });
      const [due, other] = udp === 'open' ? (['turbo', 'tcp'] as const) : (['tcp', 'turbo'] as const);
      expect(since[due], `connections over ${due}`).to.be.greaterThan(0);
      expect(since[other], `connections over ${other}`).to.equal(0);
    },
  };
}

/** The kernel's sockets, but no datagram arrives. */
const withoutUdp: Network = {
  ...nodeNetwork,
  createUdpSocket: (options) => {
    const socket = createSocket(options);
    const on = socket.on.bind(socket) as (event: string, listener: () => void) => unknown;
    const hearsNothing = (event: string, listener: () => void) => {
      if (event !== 'message') on(event, listener);
      return socket;
    };
    return Object.assign(socket, { on: hearsNothing as typeof socket.on });
  },
};
