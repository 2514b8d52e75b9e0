/** @grpc/grpc-js, which makes its TCP connections itself, through a local proxy to a server with a TurboTLS port. */
import {
  type ChannelOptions,
  credentials,
  makeGenericClientConstructor,
  type ServiceError,
  status,
} from '@grpc/grpc-js';
import { expect } from 'chai';
import type { RemoteOptions } from '../../src/gateway/proxy/remote.js';
import { bytes } from '../compliance/bytes.js';
import { closeRigs, startProxy } from '../gateway/proxy-rig.js';
import { makeAuthority, makeCertificate } from '../support/certificates.js';
import { until } from '../support/engine-rig.js';
import { CountingNetwork, FlightCounter } from '../support/flights.js';
import { LossyNetwork } from '../support/lossy-network.js';
import { GrpcServer, service } from './grpc-server.js';

const CALLS = 1_000;
const AT_A_TIME = 20;
const LARGE_BYTES = 8 * 2 ** 20;
const TestClient = makeGenericClientConstructor(service, 'Test');

interface Call {
  cancel(): void;
  readonly answered: Promise<Buffer>;
}

describe('adapters: gRPC through a local proxy', function () {
  this.timeout(30_000);
  let server: GrpcServer;
  let ca: string;
  const clients = new Set<InstanceType<typeof TestClient>>();

  before(async () => {
    const certificate = await makeCertificate({ names: ['grpc.test'] });
    ({ ca } = certificate);
    server = await new GrpcServer(certificate).start();
  });
  after(() => server?.stop());
  afterEach(async () => {
    for (const client of clients) client.close();
    clients.clear();
    await closeRigs();
  });

  for (const [udp, carrier, other, turbo] of [
    ['open', 'turbo', 'tcp', {}],
    ['blocked', 'tcp', 'turbo', { network: new LossyNetwork({ loss: 1, seed: 1 }), limits: {} }],
  ] as [string, 'turbo' | 'tcp', 'turbo' | 'tcp', RemoteOptions][]) {
    describe(`with UDP ${udp}`, () => {
      let seen: { turbo: number; tcp: number };

      beforeEach(() => {
        seen = { ...server.carriers };
      });
      afterEach(() => {
        expect(server.carriers[carrier], `connections over ${carrier}`).to.be.greaterThan(seen[carrier]);
        expect(server.carriers[other], `connections over ${other}`).to.equal(seen[other]);
      });

      async function open(
        { trust = ca, name = 'grpc.test', ...options }: ChannelOptions & { trust?: string; name?: string } = {},
        changes: Partial<RemoteOptions> = {},
      ) {
        const { port } = await startProxy({ to: server }, { ...turbo, ...changes });
        const client = new TestClient(`127.0.0.1:${port}`, credentials.createSsl(Buffer.from(trust)), {
          'grpc.ssl_target_name_override': name,
          'grpc.default_authority': name,
          'grpc.max_receive_message_length': -1,
          'grpc.initial_reconnect_backoff_ms': 100,
          'grpc.use_local_subchannel_pool': 1,
          ...options,
        });
        clients.add(client);
        return client;
      }

      function call(
        client: InstanceType<typeof TestClient>,
        method: keyof typeof service,
        body: Buffer,
        timeoutMs = 20_000,
      ): Call {
        const { path, requestSerialize } = service[method];
        let cancel = () => {};
        const answered = new Promise<Buffer>((resolve, reject) => {
          const options = { deadline: Date.now() + timeoutMs };
          const made = client.makeUnaryRequest(
            path,
            requestSerialize,
            requestSerialize,
            body,
            options,
            (error, answer) => (error ? reject(error) : resolve(answer as Buffer)),
          );
          cancel = () => made.cancel();
        });
        return { answered, cancel: () => cancel() };
      }

      function refused(answered: Promise<unknown>): Promise<ServiceError> {
        return answered.then(
          () => expect.fail('it was answered'),
          (error: ServiceError) => error,
        );
      }

      it('1,000 calls', async () => {
        const client = await open();
        const left = Array.from({ length: CALLS }, (_, index) => `call ${index}`);
        const ask = async () => {
          for (let body = left.pop(); body !== undefined; body = left.pop()) {
            expect(String(await call(client, 'echo', Buffer.from(body)).answered)).to.equal(body);
          }
        };
        await Promise.all(Array.from({ length: AT_A_TIME }, ask));
      });

      it('eight megabytes up and down', async () => {
        const sent = bytes('large', LARGE_BYTES);
        const answer = await call(await open(), 'echo', sent).answered;
        expect(answer.equals(sent), `${answer.length} bytes came back`).to.equal(true);
      });

      it('fifty calls at a time', async () => {
        const client = await open();
        const calls = Array.from({ length: 50 }, () => call(client, 'meet', Buffer.from('50')).answered);
        expect((await Promise.all(calls)).map(String)).to.deep.equal(Array(50).fill('met'));
      });

      it('goes on after the server was restarted', async () => {
        const client = await open();
        await call(client, 'echo', Buffer.from('before')).answered;
        await server.stop();
        await server.start();
        const again = () => call(client, 'echo', Buffer.from('after')).answered;
        // It may not have heard yet that its connection is gone.
        expect(String(await again().catch(again))).to.equal('after');
      });

      it('a call that is cancelled ends, at the server too; one past its deadline ends', async () => {
        const client = await open();
        await call(client, 'echo', Buffer.from('first')).answered;
        const { asked, cancelled } = server;
        const never = call(client, 'never', Buffer.alloc(0));
        await until(() => server.asked > asked);
        never.cancel();
        expect(await refused(never.answered)).to.have.property('code', status.CANCELLED);
        await until(() => server.cancelled > cancelled);
        const late = call(client, 'never', Buffer.alloc(0), 50);
        expect(await refused(late.answered)).to.have.property('code', status.DEADLINE_EXCEEDED);
      });

      it('refuses a certificate of another authority, and one for another name', async () => {
        const { cert } = await makeAuthority({ name: 'Another Authority' });
        for (const [options, why] of [
          [{ trust: cert }, /unable to (verify the first certificate|get local issuer certificate)/],
          [{ name: 'other.test' }, /does not match certificate's altnames/],
        ] as const) {
          const error = await refused(call(await open(options), 'echo', Buffer.from('x')).answered);
          expect(error.code).to.equal(status.UNAVAILABLE);
          expect(error.details).to.match(why);
        }
      });

      it(`the first answer takes ${udp === 'open' ? 'three' : 'four'} round trips`, async () => {
        const counter = new FlightCounter();
        const client = await open({}, { network: new CountingNetwork(counter, turbo.network) });
        await call(client, 'echo', Buffer.from('x')).answered;
        // One of them for the server's SETTINGS, which it waits for before its first call.
        expect(counter.roundTrips).to.equal(udp === 'open' ? 3 : 4);
      });
    });
  }
});
