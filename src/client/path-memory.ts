/**
 * What earlier connections taught about an endpoint, as seen from this network: whether UDP works, how long its answer
 * takes, how long the server's flight is, whether sessions get lost, and the key-share group that the server asked for.
 *
 * It learns from completed handshakes only, but for one thing: a lost session makes the path careful at once, which
 * can cost a round trip and nothing else.
 */
import { networkInterfaces } from 'node:os';
import { LRUCache } from 'lru-cache';
import { type Limits, limitsWith } from '../limits.js';
import { type Clock, systemClock } from '../platform/clock.js';

/**
 * When TLS gets the server's bytes from UDP: `fast`, as soon as TCP is connected; `careful`, when the server has
 * accepted the tombstone.
 */
export type FirstContact = 'fast' | 'careful';

/** How to go about the next connection. */
export interface PathPlan {
  /** Whether to use UDP at all. */
  udp: boolean;
  contact: FirstContact;
  /** Datagrams to send in all. */
  datagrams: number;
  /** The grace once TCP has connected within `connectMs`, ms. */
  graceMs(connectMs: number): number;
  /** The longest the grace may become by being renewed, ms. */
  graceMaxMs(connectMs: number): number;
  /** The TLS group that this server asked for last time, by its OpenSSL name. */
  group: string | undefined;
}

/** What a completed handshake that ran over UDP has shown. */
export interface PathObservation {
  /** From TCP connected to the whole flight; 0 where the flight was there first. */
  lagMs: number;
  /** Datagrams of the server's flight. */
  flightDatagrams: number;
}

interface Path {
  lagMs?: number;
  flightDatagrams?: number;
  /** A tombstone was accepted here. */
  accepted?: boolean;
  /** A session was lost here. */
  carefulUntil?: number;
  /** Offered first until `until`, on the clock. */
  group?: { name: string; until: number };
  /** Completed handshakes in a row without an answer over UDP. */
  silences: number;
  /** Completed handshakes in a row with a rejected tombstone: UDP works, and leads elsewhere than TCP. */
  rejections: number;
  /** On the clock; UDP stays unused until then. */
  brokenUntil?: number;
}

export interface PathMemoryOptions {
  limits?: Partial<Limits>;
  clock?: Clock;
  /** Names the network that this machine is on; what was learnt on another one does not count. */
  localNetwork?: () => string;
}

/**
 * Completed handshakes in a row until they are the path's way. A silent one may be lost datagrams, which on a bad path
 * happens often, and once a path is suspected costs nothing but the datagrams; one rejection may be a server restarted.
 */
const FAILURES_UNTIL_BROKEN = { silent: 4, rejected: 2 };
/** Reading the interfaces takes about 0.1 ms; they change seldom. */
const LOCAL_NETWORK_AGE_MS = 5_000;

export class PathMemory {
  readonly #limits: Readonly<Limits>;
  readonly #clock: Clock;
  readonly #localNetwork: () => string;
  readonly #paths: LRUCache<string, Path>;

  /** @throws TurboError ERR_TURBO_BAD_OPTION for limits that are none */
  constructor({ limits, clock = systemClock, localNetwork }: PathMemoryOptions = {}) {
    this.#limits = limitsWith(limits);
    this.#clock = clock;
    this.#localNetwork = localNetwork ?? interfaceAddresses(clock);
    this.#paths = new LRUCache({
      max: this.#limits.pathEntries,
      ttl: Math.ceil(this.#limits.pathAgeMs), // whole, as lru-cache has it
      ttlResolution: 0,
      perf: { now: () => clock.now() + 1 }, // lru-cache takes a start time of 0 for "no time limit"
    });
  }

  /**
   * The plan for the next connection to `endpoint` ("host:port" as the caller named it).
   * @param changes limits of this one connection, over the memory's
   */
  plan(endpoint: string, firstContact: FirstContact = 'fast', changes: Partial<Limits> = {}): PathPlan {
    const given = Object.entries(changes).filter(([, value]) => value !== undefined);
    const limits: Limits = { ...this.#limits, ...Object.fromEntries(given) };
    const path = this.#paths.get(this.#key(endpoint));
    const known = path?.flightDatagrams;
    const suspected =
      (path?.silences ?? 0) >= (path?.accepted ? SILENCES_UNTIL_SUSPECTED.proven : SILENCES_UNTIL_SUSPECTED.unproven);
    return {
      udp: path?.brokenUntil === undefined || path.brokenUntil <= this.#clock.now(),
      contact: (path?.carefulUntil ?? 0) > this.#clock.now() ? 'careful' : path?.accepted ? 'fast' : firstContact,
      datagrams: known === undefined ? limits.clientDatagramsUnknown : datagramsFor(known, limits),
      graceMs: (connectMs) => {
        if (suspected) return 0;
        // A machine that is busy for a moment is no reason to give up a path that works.
        const wanted = Math.max(connectMs * limits.graceConnectRatio, (path?.lagMs ?? 0) * limits.graceLagFactor);
        return Math.max(limits.graceMinMs, Math.min(wanted, connectMs * limits.graceMaxRatio));
      },
      graceMaxMs: (connectMs) => (suspected ? 0 : Math.max(limits.graceMinMs, connectMs * limits.graceMaxRatio)),
      group: path?.group && path.group.until > this.#clock.now() ? path.group.name : undefined,
    };
  }

  /** A handshake completed, begun over UDP. */
  answered(endpoint: string, { lagMs, flightDatagrams }: PathObservation): void {
    const path = this.#path(endpoint);
    path.accepted = true;
    path.lagMs = lagMs;
    path.flightDatagrams = flightDatagrams;
    path.silences = 0;
    path.rejections = 0;
    delete path.brokenUntil;
  }

  /** A handshake completed over TCP; UDP answered, too late by `lagMs` after TCP connected. */
  late(endpoint: string, lagMs: number): void {
    const path = this.#path(endpoint);
    path.lagMs = lagMs;
    path.silences = 0;
  }

  /** A handshake completed over TCP although UDP was tried: it was silent, or the tombstone was rejected. */
  failed(endpoint: string, how: 'silent' | 'rejected' = 'silent'): void {
    const path = this.#path(endpoint);
    // Connections that were under way together are one failure, not a row of them.
    if (path.brokenUntil !== undefined && path.brokenUntil > this.#clock.now()) return;
    const inRow = how === 'silent' ? ++path.silences : ++path.rejections;
    const excess = inRow - FAILURES_UNTIL_BROKEN[how];
    if (excess < 0) return;
    const { pathAgeMs, pathBrokenMs, pathBrokenMaxMs } = this.#limits;
    const brokenMs = Math.min(pathBrokenMs * 2 ** excess, pathBrokenMaxMs);
    path.brokenUntil = this.#clock.now() + brokenMs;
    // What doubles next time must be known next time.
    this.#paths.set(this.#key(endpoint), path, { ttl: pathAgeMs + brokenMs });
  }

  /** The server had no session behind its UDP answer, or its Reply did not come in time. */
  lost(endpoint: string): void {
    this.#path(endpoint).carefulUntil = this.#clock.now() + this.#limits.carefulMs;
  }

  /** A handshake completed in which the server chose the group `name` although another was offered first. */
  choseGroup(endpoint: string, name: string): void {
    this.#path(endpoint).group = { name, until: this.#clock.now() + this.#limits.groupAgeMs };
  }

  /** Forgets everything. */
  clear(): void {
    this.#paths.clear();
  }

  #key(endpoint: string): string {
    return `${this.#localNetwork()} ${endpoint}`;
  }

  /** The path's entry, made where it is missing; its age counts from now. */
  #path(endpoint: string): Path {
    const key = this.#key(endpoint);
    const path = this.#paths.get(key) ?? { silences: 0, rejections: 0 };
    this.#paths.set(key, path);
    return path;
  }
}

/** Completed handshakes in a row until UDP is asked, and not waited for: on a path that worked before it may be loss. */
const SILENCES_UNTIL_SUSPECTED = { unproven: 1, proven: 2 };
/** One of them may be lost, and the flight is still sent twice. */
const DATAGRAMS_MIN = 3;

/** For a flight of `known` datagrams: enough to get it twice where that may be, else an eighth more than it takes. */
function datagramsFor(known: number, { clientDatagramsMax }: Limits): number {
  const twice = Math.max(DATAGRAMS_MIN, 2 * known);
  return twice <= clientDatagramsMax ? twice : Math.min(known + Math.ceil(known / 8), clientDatagramsMax);
}

function interfaceAddresses(clock: Clock): () => string {
  let known = '';
  let readAt = Number.NEGATIVE_INFINITY;
  return () => {
    const now = clock.now();
    if (now - readAt > LOCAL_NETWORK_AGE_MS) {
      readAt = now;
      known = Object.values(networkInterfaces())
        .flatMap((addresses) => addresses ?? [])
        .filter((address) => !address.internal)
        .map((address) => address.cidr ?? address.address)
        .sort()
        .join(' ');
    }
    return known;
  };
}
