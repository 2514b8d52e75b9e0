/** Where it is measured: two hosts and the link between them, or loopback. */
import { onAbort } from '../../src/abort.js';
import type { CaseResult, CertificateKind, Conditions, Sample } from '../../src/compare/model.js';
import { Capture } from './capture.js';
import { Child, here } from './child.js';
import type { ClientMessage, ClientRequest, Order } from './client-messages.js';
import { Link, type LinkKind, packetsOf, type TracedPacket } from './link/index.js';
import type { ServerMessage, ServerRequest } from './server-messages.js';
import type { ServedTargets } from './servers.js';

export interface StageOptions {
  /** Undefined: on loopback. */
  conditions: Conditions | undefined;
  kind?: LinkKind | undefined;
  /** A file for what the client's host sees. */
  pcap?: string | undefined;
  signal: AbortSignal;
  /** Told what is being done. */
  progress: (text: string) => void;
}

/** One part of the measurement: see sweeps.ts. */
export type StageOrder = Pick<Order, 'cases' | 'samples' | 'concurrency'> & {
  conditions: Conditions | undefined;
  certificate: CertificateKind;
  /** RSA handshakes a second that keep the server busy meanwhile. */
  load?: number | undefined;
  /** Whether each case gets a trace of a usual connection. */
  traced: boolean;
};

export interface StageProgress {
  text: string;
  done: number;
  of: number;
}

/** At 20 % loss TCP may lose four SYNs in a row, and each wait doubles. */
const CONNECTION_TIMEOUT_MS = 60_000;
const WARM_UPS = 2;
/** Until the server feels the load, ms. */
const LOAD_SETTLE_MS = 1_000;

const NAMES = { postgres: 'PostgreSQL', redis: 'Redis', https: 'https' } as const;

export class Stage {
  readonly link: Link | undefined;
  readonly served: ServedTargets;
  readonly #client: Child<ClientRequest, ClientMessage>;
  readonly #signal: AbortSignal;
  /** In their order. */
  readonly #closing: (() => Promise<void>)[];

  private constructor(
    parts: Pick<Stage, 'link' | 'served'> & {
      client: Child<ClientRequest, ClientMessage>;
      signal: AbortSignal;
      closing: (() => Promise<void>)[];
    },
  ) {
    this.link = parts.link;
    this.served = parts.served;
    this.#client = parts.client;
    this.#signal = parts.signal;
    this.#closing = parts.closing;
  }

  static async open({ conditions, kind, pcap, signal, progress }: StageOptions): Promise<Stage> {
    const closing: (() => Promise<void>)[] = [];
    try {
      progress('making the link');
      const link = conditions && (await Link.open(conditions, { kind, signal }));
      if (link) closing.unshift(() => link.close());
      const capture = link && pcap !== undefined ? await Capture.start(link, pcap) : undefined;
      if (capture) closing.unshift(() => capture.stop());
      const placeOf = (host: 'client' | 'server') =>
        link ? (command: readonly string[]) => link.command(host, command) : here;
      const server = new Child<ServerRequest, ServerMessage>(placeOf('server'), 'server-process.js', [
        '--address',
        link?.serverAddress ?? '127.0.0.1',
      ]);
      closing.unshift(() => server.stop());
      const served = await orAborted(
        signal,
        server.until((message) => {
          if (message.kind === 'failed') throw new Error(message.message);
          if (message.kind === 'progress') progress(message.text);
          return message.kind === 'ready' ? message.served : undefined;
        }),
      );
      const client = new Child<ClientRequest, ClientMessage>(placeOf('client'), 'client-process.js');
      closing.unshift(() => client.stop());
      return new Stage({ link, served, client, signal, closing });
    } catch (error) {
      for (const close of closing) await close();
      throw error;
    }
  }

  async measure(order: StageOrder, onProgress: (progress: StageProgress) => void): Promise<CaseResult[]> {
    if (order.conditions) await this.link?.set(order.conditions);
    const load = order.load === undefined ? undefined : await this.#startLoad(order.load);
    try {
      return await this.#measure(order, onProgress);
    } finally {
      await load?.stop();
    }
  }

  /** Ends everything, in its order; again is no error. */
  async close(): Promise<void> {
    for (const close of this.#closing.splice(0)) await close();
  }

  #measure(
    { cases, samples, concurrency, certificate, traced }: StageOrder,
    onProgress: (progress: StageProgress) => void,
  ): Promise<CaseResult[]> {
    const { targets, postgres, redis, https, missing } = this.served;
    const echo = targets[certificate];
    const recorder = traced ? this.link?.trace : undefined;
    const traces = new Map<string, Trace[]>();
    const measured = this.#client.until<CaseResult[]>(async (message) => {
      switch (message.kind) {
        case 'progress':
          onProgress(message);
          return undefined;
        case 'recording':
          await recorder?.start();
          this.#client.send({ kind: 'go-on' });
          return undefined;
        case 'recorded': {
          const { id, sample, startedAt } = message;
          const packets = (await recorder?.take()) ?? [];
          this.#client.send({ kind: 'go-on' });
          if (sample) traces.set(id, [...(traces.get(id) ?? []), traceOf(packets, sample, startedAt)]);
          return undefined;
        }
        case 'measured':
          return message.results.map((result) => withTrace(result, traces.get(result.id) ?? []));
        case 'failed':
          throw new Error(message.message);
      }
    });
    this.#client.send({
      kind: 'measure',
      order: {
        cases,
        samples,
        concurrency,
        warmUps: WARM_UPS,
        timeoutMs: CONNECTION_TIMEOUT_MS,
        targets: {
          ...(echo && { echo }),
          ...(postgres && { postgres }),
          ...(redis && { redis }),
          ...(https && { https }),
        },
        missing: {
          echo: missing[`echo (${certificate})`] ?? '',
          postgres: missing[NAMES.postgres] ?? '',
          redis: missing[NAMES.redis] ?? '',
          https: missing[NAMES.https] ?? '',
        },
        recorded: recorder !== undefined,
      },
    });
    return orAborted(this.#signal, measured);
  }

  async #startLoad(rate: number): Promise<Child<object, never>> {
    const target = this.served.targets.rsa;
    if (!target) throw new Error(`no load without a server: ${this.served.missing['echo (rsa)']}`);
    const { link } = this;
    const place = link ? (command: readonly string[]) => link.command('client', command) : here;
    const load = new Child<object, never>(place, 'load-process.js', ['--rate', String(rate)]);
    load.send(target);
    await new Promise((resolve) => setTimeout(resolve, LOAD_SETTLE_MS));
    return load;
  }
}

type Trace = NonNullable<CaseResult['trace']>;

/** Up to the answer, and without what is left of connections before. */
function traceOf(packets: readonly TracedPacket[], sample: Sample, startedAt: number): Trace {
  const flows = new Set(packets.filter(beginsFlow).map(flowOf));
  const own = packets.filter((packet) => flows.has(flowOf(packet)) && packet.sentAt <= startedAt + sample.ms);
  return { sample, packets: packetsOf(own, startedAt) };
}

function beginsFlow({ protocol, from, label }: TracedPacket): boolean {
  return from === 'client' && (protocol === 'udp' || label === 'SYN');
}

function flowOf({ protocol, clientPort }: TracedPacket): string {
  return `${protocol} ${clientPort}`;
}

/** The trace of the connection that took about the median. */
function withTrace(result: CaseResult, traces: readonly Trace[]): CaseResult {
  const sorted = traces.toSorted((one, other) => one.sample.ms - other.sample.ms);
  const trace = sorted[Math.ceil(sorted.length / 2) - 1];
  return trace ? { ...result, trace } : result;
}

async function orAborted<T>(signal: AbortSignal, running: Promise<T>): Promise<T> {
  running.catch(() => {});
  signal.throwIfAborted();
  let stopListening = () => {};
  const aborted = new Promise<never>((_resolve, reject) => {
    stopListening = onAbort(signal, () => reject(signal.reason));
  });
  try {
    return await Promise.race([running, aborted]);
  } finally {
    stopListening();
  }
}
