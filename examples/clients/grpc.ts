/**
 * @grpc/grpc-js over TurboTLS. It makes its TCP connections itself, and so is sent through a local proxy, here one of its
 * own process; TLS stays between it and the server.
 *
 *   node dist/examples/clients/grpc.js --url https://api.example --ca ca.pem
 */
import { Client, credentials } from '@grpc/grpc-js';
import type { HostAddress } from 'turbotls';
import { LocalProxy } from 'turbotls/gateway';
import { commandLine, fail } from '../command-line.js';

const { url, ca } = commandLine("Asks a gRPC server's health service whether it is serving, by @grpc/grpc-js.", {
  url: { kind: 'text', value: 'URL', required: true, about: 'of the server: https://HOST or https://HOST:PORT' },
  ca: { kind: 'file', value: 'FILE', about: 'authority to trust, PEM; default: those that Node trusts' },
});

/** HealthCheckResponse with status SERVING: field 1, value 1. */
const SERVING = Buffer.of(8, 1);

async function run(): Promise<void> {
  const { host, hostname, port } = new URL(url);
  const proxy = new LocalProxy({
    listen: [{ host: '127.0.0.1', port: 0 }],
    to: { host: hostname, port: Number(port || 443) },
    backups: [],
    mode: { kind: 'transparent' },
  });
  const [local] = (await proxy.start()) as [HostAddress];
  const client = new Client(`127.0.0.1:${local.port}`, credentials.createSsl(ca ?? null), {
    'grpc.ssl_target_name_override': hostname,
    'grpc.default_authority': host,
  });
  const bytes = (value: Buffer) => value;
  client.makeUnaryRequest('/grpc.health.v1.Health/Check', bytes, bytes, Buffer.alloc(0), (error, answer) => {
    if (error) fail(error);
    else console.log(answer?.equals(SERVING) ? 'serving' : 'not serving');
    client.close();
    void proxy.close();
  });
}

run().catch(fail);
