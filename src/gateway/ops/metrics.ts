/**
 * Prometheus metrics of a gateway, made of what it reports and of readings of its state.
 *
 * Labels are routes, carriers, protocols and reasons: known beforehand, none of them chosen by a client. Server names and
 * addresses are in the log.
 */
import { collectDefaultMetrics, Gauge, Registry } from 'prom-client';
import type { EngineEvent } from '../../engine/events.js';
import type { Carrier, ConnectionTimings, GatewayEvent } from '../events.js';
import type { GatewayState } from '../gateway.js';
import { type MetricSet, metricSet, PREFIX } from './metric-set.js';
import { addStateGauges } from './state-gauges.js';

type EventOf<Type extends GatewayEvent['type']> = Extract<GatewayEvent, { type: Type }>;

export interface MetricsOptions {
  /**
   * Also those of the process: CPU, memory, descriptors, event loop, garbage collection. They are measured until the
   * process ends, so ask for them once. Default false.
   */
  process?: boolean;
}

export class Metrics {
  readonly #registry = new Registry();
  readonly #readState: () => GatewayState;
  readonly #set: MetricSet = metricSet(this.#registry);
  /** By route and file: when the certificate ends, ms since 1970. */
  readonly #expiries = new Map<string, Map<string, number>>();

  constructor(readState: () => GatewayState, { process = false }: MetricsOptions = {}) {
    this.#readState = readState;
    addStateGauges(this.#registry, readState);
    this.#addExpiryGauge();
    if (process) collectDefaultMetrics({ register: this.#registry });
  }

  /** Of `text()`. */
  get contentType(): string {
    return this.#registry.contentType;
  }

  /** All of it, in Prometheus' text format. */
  async text(): Promise<string> {
    await this.#forgetRemovedRoutes();
    return this.#registry.metrics();
  }

  /** All of it, as JSON, for another process that adds those of several: see WorkerMetrics. */
  async report(): Promise<string> {
    await this.#forgetRemovedRoutes();
    return JSON.stringify(await this.#registry.getMetricsAsJSON());
  }

  /** A configuration was not put in force, since it cannot be used. Those that were are in the gateway's events. */
  countFailedReload(): void {
    this.#set.reloads.inc({ outcome: 'failed' });
  }

  readonly onEvent = (event: GatewayEvent): void => {
    switch (event.type) {
      case 'connection-start':
        this.#start(event);
        break;
      case 'connection-end':
        this.#end(event);
        break;
      case 'refused':
        this.#set.refused.inc({ carrier: event.carrier, reason: event.reason });
        break;
      case 'cancel':
        this.#set.cancels.inc({ key: event.known ? 'known' : 'unknown' });
        break;
      case 'backend':
        this.#set.targetChanges.inc({ route: event.route, health: event.healthy ? 'up' : 'down' });
        break;
      case 'reload':
        this.#set.reloads.inc({ outcome: 'applied' });
        break;
      case 'certificate':
        this.#certificate(event);
        break;
      case 'engine':
        this.#engine(event.event);
        break;
      case 'listening':
      case 'unlistening':
      case 'drain':
      case 'key-lost':
        // In the readings of the state.
        break;
    }
  };

  #start({ route, carrier, protocol }: EventOf<'connection-start'>): void {
    this.#set.started.inc({ route, carrier, protocol });
  }

  #end({ route, carrier, reason, up, down, timings }: EventOf<'connection-end'>): void {
    this.#set.ended.inc({ route, carrier, reason });
    this.#set.bytes.inc({ route, direction: 'up' }, up);
    this.#set.bytes.inc({ route, direction: 'down' }, down);
    this.#observe({ route, carrier }, timings);
  }

  #observe(labels: { route: string; carrier: Carrier }, timings: ConnectionTimings): void {
    const { helloMs, handshakeMs, backendMs, firstByteMs, totalMs } = timings;
    const { route } = labels;
    this.#set.hello.observe(labels, seconds(helloMs));
    if (handshakeMs !== undefined) this.#set.handshake.observe(labels, seconds(handshakeMs));
    if (backendMs !== undefined) this.#set.backend.observe({ route }, seconds(backendMs));
    if (firstByteMs !== undefined) this.#set.firstByte.observe(labels, seconds(firstByteMs));
    this.#set.duration.observe({ route }, seconds(totalMs));
  }

  #certificate({ route, file, expiresAt, error }: EventOf<'certificate'>): void {
    this.#set.certificates.inc({ route, outcome: error === undefined ? 'used' : 'failed' });
    if (expiresAt === undefined) return;
    const files = this.#expiries.get(route) ?? new Map<string, number>();
    this.#expiries.set(route, files.set(file, expiresAt));
  }

  #engine(event: Exclude<EngineEvent, { type: 'refused' }>): void {
    const { sessions, claim, dropped, rejected, plain, socketErrors } = this.#set;
    switch (event.type) {
      case 'session':
        sessions.inc({ event: 'opened' });
        break;
      case 'bound':
        sessions.inc({ event: 'bound' });
        claim.observe(seconds(event.waitedMs));
        break;
      case 'expired':
        sessions.inc({ event: 'expired' });
        break;
      case 'rejected':
        rejected.inc({ reason: event.reason });
        break;
      case 'dropped':
        dropped.inc({ reason: event.reason });
        break;
      case 'plain':
        plain.inc();
        break;
      case 'udp-error':
        socketErrors.inc({ transport: 'udp' });
        break;
      case 'tcp-error':
        socketErrors.inc({ transport: 'tcp' });
        break;
    }
  }

  /** The first of a route's certificates to end is the one that somebody must know of. */
  #addExpiryGauge(): void {
    const expiries = this.#expiries;
    new Gauge({
      name: `${PREFIX}certificate_expiry_timestamp_seconds`,
      help: 'When the first of the certificates of a route ends, in seconds since 1970.',
      labelNames: ['route'],
      aggregator: 'min',
      registers: [this.#registry],
      collect() {
        this.reset();
        for (const [route, files] of expiries) this.set({ route }, Math.min(...files.values()) / 1000);
      },
    });
  }

  /** A configuration that changes for years must not leave the series of every route that there ever was. */
  async #forgetRemovedRoutes(): Promise<void> {
    const routes = new Set(this.#readState().routes.map(({ name }) => name));
    for (const route of this.#expiries.keys()) if (!routes.has(route)) this.#expiries.delete(route);
    for (const metric of Object.values(this.#set)) {
      const { values } = await metric.get();
      for (const labels of distinctLabels(values)) {
        if (labels.route !== undefined && !routes.has(labels.route)) metric.remove(labels);
      }
    }
  }
}

type Labels = Record<string, string>;

/** A histogram has many values for one set of labels. */
function distinctLabels(values: readonly { labels: Partial<Record<string, string | number>> }[]): Labels[] {
  const distinct = new Map<string, Labels>();
  for (const { labels } of values) {
    const { le: _, ...own } = labels;
    distinct.set(JSON.stringify(own), own as Labels);
  }
  return [...distinct.values()];
}

function seconds(ms: number): number {
  return ms / 1000;
}
