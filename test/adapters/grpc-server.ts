/** A gRPC server of @grpc/grpc-js with a TurboTLS port of its own, and no .proto: what it is sent it sends back. */

import type { Duplex } from 'node:stream';
import {
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  type ServiceDefinition,
  type sendUnaryData,
} from '@grpc/grpc-js';
import { TurboListener } from '../../src/experimental.js';
import type { Certificate } from '../support/certificates.js';

const bytes = (value: Buffer) => value;

function unary(path: string) {
  return {
    path,
    requestStream: false,
    responseStream: false,
    requestSerialize: bytes,
    requestDeserialize: bytes,
    responseSerialize: bytes,
    responseDeserialize: bytes,
  };
}

export const service = {
  echo: unary('/test.Test/Echo'),
  /** Waits until so many wait, a number in decimal. */
  meet: unary('/test.Test/Meet'),
  never: unary('/test.Test/Never'),
  /** gRPC's own health service: SERVING. */
  check: unary('/grpc.health.v1.Health/Check'),
} satisfies ServiceDefinition;

type Call = ServerUnaryCall<Buffer, Buffer>;
type Answer = sendUnaryData<Buffer>;

export class GrpcServer {
  readonly #certificate: Certificate;
  #server = new Server();
  #listener: TurboListener | undefined;
  #meeting: Answer[] = [];
  /** How its connections came. */
  readonly carriers = { turbo: 0, tcp: 0 };
  /** Calls of `never` that came, and those of them that the client ended. */
  asked = 0;
  cancelled = 0;
  host = '127.0.0.1';
  port = 0;

  constructor(certificate: Certificate) {
    this.#certificate = certificate;
  }

  /** On a free port; from the second time on, on the same one. */
  async start(): Promise<this> {
    const { key, cert } = this.#certificate;
    const pair = { private_key: Buffer.from(key), cert_chain: Buffer.from(cert) };
    const server = new Server({ 'grpc.max_receive_message_length': -1 });
    server.addService(service, {
      echo: ({ request }: Call, answer: Answer) => answer(null, request),
      check: (_call: Call, answer: Answer) => answer(null, Buffer.of(8, 1)),
      meet: ({ request }: Call, answer: Answer) => {
        this.#meeting.push(answer);
        if (this.#meeting.length < Number(request)) return;
        for (const waiting of this.#meeting.splice(0)) waiting(null, Buffer.from('met'));
      },
      never: (call: Call) => {
        this.asked++;
        call.on('cancelled', () => this.cancelled++);
      },
    });
    const injector = server.createConnectionInjector(ServerCredentials.createSsl(null, [pair]));
    const listener = new TurboListener();
    this.port = (await listener.listen({ host: this.host, port: this.port })).port;
    this.#server = server;
    this.#listener = listener;
    void this.#serve(listener, (stream) => injector.injectConnection(stream));
    return this;
  }

  async stop(): Promise<void> {
    this.#server.forceShutdown();
    await this.#listener?.close({ deadlineMs: 0 });
  }

  async #serve(listener: TurboListener, begin: (stream: Duplex) => void): Promise<void> {
    for await (const { stream, carrier } of listener) {
      this.carriers[carrier]++;
      stream.on('error', () => {});
      begin(stream);
    }
  }
}
