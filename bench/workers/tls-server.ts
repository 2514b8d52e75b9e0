/** The TLS server of each process that does TLS: it sends back what it gets, by certificates of both kinds. */
import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import { createSecureContext, createServer, type Server } from 'node:tls';
import { type Delay, ECDSA_NAME, type ServerSettings, WHO } from './protocol.js';

const WHO_BYTES = Buffer.from(WHO);

export class Echo {
  readonly server: Server;
  #connections = 0;
  /** Handshakes since `watch`. */
  #made = 0;
  #histogram: IntervalHistogram | undefined;
  #cpu: NodeJS.CpuUsage | undefined;

  constructor({ certificates, ticketKeys }: ServerSettings) {
    // The other way round, Node would keep the ECDSA certificate beside that of the name, and OpenSSL would prefer it.
    const ecdsa = createSecureContext(certificates.ecdsa);
    const options = { ...certificates.rsa, ticketKeys: Buffer.from(ticketKeys, 'hex'), noDelay: true };
    const server = createServer({
      ...options,
      SNICallback: (name, callback) => callback(null, name === ECDSA_NAME ? ecdsa : undefined),
    });
    this.server = server;
    server.on('secureConnection', (socket) => {
      this.#connections++;
      this.#made++;
      socket.on('close', () => this.#connections--);
      socket.on('error', () => {});
      // Streams of a TurboListener are half-open.
      socket.on('end', () => socket.end());
      socket.on('data', (chunk) => socket.write(chunk.equals(WHO_BYTES) ? String(process.pid) : chunk));
    });
    server.on('tlsClientError', (_error, socket) => socket.destroy());
  }

  watch(): void {
    this.#made = 0;
    this.#histogram?.disable();
    this.#histogram = monitorEventLoopDelay({ resolution: 1 });
    this.#histogram.enable();
    this.#cpu = process.cpuUsage();
  }

  get delay(): Delay {
    const ms = (percentile: number) => (this.#histogram?.percentile(percentile) ?? 0) / 1e6;
    const { user, system } = process.cpuUsage(this.#cpu);
    const connections = this.#connections;
    return { p50: ms(50), p99: ms(99), p999: ms(99.9), connections, made: this.#made, cpuMs: (user + system) / 1000 };
  }
}
