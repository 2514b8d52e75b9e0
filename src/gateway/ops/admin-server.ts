/** Metrics and health, over HTTP: for Prometheus, for load balancers, for Kubernetes' probes. It changes nothing. */
import { once } from 'node:events';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { HostAddress } from '../../transport.js';
import { GatewayError } from '../errors.js';
import type { Readiness, ReadinessScope } from './readiness.js';

/** Those who ask are few, near and brief: anything else is a mistake or an attack. */
const CONNECTIONS = 64;
const REQUEST_TIMEOUT_MS = 5_000;
const KEEP_ALIVE_MS = 5_000;
const HEADER_BYTES = 8 * 1024;
const HEADERS = 50;

export interface AdminSources {
  /** In Prometheus' text format. */
  metrics: { readonly contentType: string; text(): Promise<string> };
  readiness: (scope: ReadinessScope) => Readiness | Promise<Readiness>;
}

interface Answer {
  status: number;
  type: string;
  body: string;
}

type Page = (sources: AdminSources) => Answer | Promise<Answer>;

const TEXT = 'text/plain; charset=utf-8';

const PAGES: ReadonlyMap<string, Page> = new Map<string, Page>([
  ['/metrics', async ({ metrics }) => ({ status: 200, type: metrics.contentType, body: await metrics.text() })],
  /** The process turns its event loop. */
  ['/healthz', () => ({ status: 200, type: TEXT, body: 'ok\n' })],
  /** It listens, does not drain, and each route has a target that is up. */
  ['/readyz', async ({ readiness }) => readinessAnswer(await readiness('all'))],
  /** The same without the targets: a backend that is down is no reason to take the other routes' port away. */
  ['/readyz/listening', async ({ readiness }) => readinessAnswer(await readiness('listening'))],
]);

export class AdminServer {
  readonly #sources: AdminSources;
  readonly #server: Server;

  constructor(sources: AdminSources) {
    this.#sources = sources;
    this.#server = createServer(
      {
        maxHeaderSize: HEADER_BYTES,
        headersTimeout: REQUEST_TIMEOUT_MS,
        requestTimeout: REQUEST_TIMEOUT_MS,
        keepAliveTimeout: KEEP_ALIVE_MS,
        connectionsCheckingInterval: 1_000,
      },
      (request, response) => void this.#answer(request, response),
    );
    this.#server.maxConnections = CONNECTIONS;
    this.#server.maxHeadersCount = HEADERS;
  }

  /**
   * @returns the address, with the number that port 0 got
   * @throws GatewayError ERR_GATEWAY_LISTEN
   */
  async listen({ host, port }: HostAddress): Promise<HostAddress> {
    try {
      this.#server.listen({ host, port });
      await once(this.#server, 'listening');
    } catch (cause) {
      throw new GatewayError('ERR_GATEWAY_LISTEN', `admin: ${host}:${port}`, { cause });
    }
    // What goes wrong later is one connection's: it is not for the process to end.
    this.#server.on('error', () => {});
    const { address, port: number } = this.#server.address() as AddressInfo;
    return { host: address, port: number };
  }

  /** Ends connections too. */
  async close(): Promise<void> {
    if (!this.#server.listening) return;
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.#server.closeAllConnections();
    await closed;
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { status, type, body } = await this.#answerTo(request);
    response.writeHead(status, {
      'content-type': type,
      'content-length': Buffer.byteLength(body),
      'cache-control': 'no-store',
      'x-content-type-options': 'nosniff',
      // A body that came with the request is not read.
      ...(hasBody(request) ? { connection: 'close' } : {}),
      ...(status === 405 ? { allow: 'GET, HEAD' } : {}),
    });
    response.end(request.method === 'HEAD' ? undefined : body);
  }

  async #answerTo({ method, url = '' }: IncomingMessage): Promise<Answer> {
    const page = PAGES.get(url.split('?')[0] ?? '');
    if (page === undefined) return { status: 404, type: TEXT, body: 'not found\n' };
    if (method !== 'GET' && method !== 'HEAD') return { status: 405, type: TEXT, body: 'method not allowed\n' };
    try {
      return await page(this.#sources);
    } catch {
      return { status: 500, type: TEXT, body: 'internal error\n' };
    }
  }
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers['transfer-encoding'] !== undefined || Number(headers['content-length'] ?? 0) > 0;
}

function readinessAnswer({ ready, lines }: Readiness): Answer {
  return { status: ready ? 200 : 503, type: TEXT, body: `${lines.join('\n')}\n` };
}
