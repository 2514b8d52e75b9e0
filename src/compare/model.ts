/** What is measured and how it is told: the shapes that measuring, table, JSON and report share. Plain data, all of it. */

/** What a network does to packets. */
export interface Conditions {
  /** Both ways together, ms. */
  roundTripMs: number;
  /** Added to each packet, evenly from 0 to this, ms. */
  jitterMs: number;
  /** Part of the packets, 0 to 1, each direction for itself; so are the next two. */
  loss: number;
  reorder: number;
  duplicate: number;
  /** Each direction, kbit/s; 0: no bound. */
  rateKbit: number;
  /** Which datagrams do not pass. TCP always does. */
  udp: UdpFilter;
  /** Of what is random. */
  seed: number;
}

export type UdpFilter = 'pass' | 'drop' | 'drop-to-server' | 'drop-to-client';

/** The key and the chain that servers show. */
export type CertificateKind = 'ecdsa' | 'rsa' | 'long-chain';

export type Group = 'echo' | 'postgres' | 'redis' | 'https';

/** When something was reached, in ms from the start of the connection. */
export interface Phase {
  /** `tcp`: connected; `udp`: answered; `secure`: TLS is done; `ready`: logged in. */
  name: 'tcp' | 'udp' | 'secure' | 'ready';
  atMs: number;
}

/** One connection, from the client's first call to the first useful byte. */
export interface Sample {
  ms: number;
  /** In their order; those that the client shows. */
  phases: Phase[];
  /** What carried the first flights, where the client can tell. */
  carrier?: 'udp' | 'tcp' | undefined;
}

/** A packet, as the link between the two hosts saw it. */
export interface Packet {
  from: 'client' | 'server';
  protocol: 'tcp' | 'udp';
  /** ms from the start of the connection: when it entered the link, and when it left it, unless it was lost. */
  sentAtMs: number;
  arrivedAtMs?: number | undefined;
  /** SYN, SYN-ACK, ACK, FIN, RST; or what the bytes begin with, as far as the link can tell. */
  label: string;
  /** Of payload. */
  bytes: number;
}

export interface Failure {
  /** The same message is told once. */
  message: string;
  count: number;
}

export interface CaseResult {
  id: string;
  title: string;
  group: Group;
  /** The case of the same run that ratios compare with; itself for that one. */
  reference: string;
  /** Why it was not measured; the rest is empty then. */
  missing?: string | undefined;
  samples: Sample[];
  failures: Failure[];
  /** What starting its program takes, which is part of `ms` and no part of its round trips; 0 where none is started. */
  startMs: number;
  /** One connection that took about the median, packet by packet. */
  trace?: { sample: Sample; packets: Packet[] } | undefined;
}

/** All cases under the same conditions, by turns. */
export interface Run {
  sweep: Sweep;
  /** What differs from the other runs of its sweep, for people: "5 % loss". */
  label: string;
  /** The same, for an axis: ms, or part of packets. */
  at?: number | undefined;
  /** Of the network, where it is ours. */
  conditions?: Conditions | undefined;
  certificate?: CertificateKind | undefined;
  /** What the network was found to take, ms; undefined where it cannot be told. */
  roundTripMs: number | undefined;
  results: CaseResult[];
}

/** `cases`: all there are, at one round trip. The others vary one thing. */
export type Sweep = 'cases' | 'round-trip' | 'loss' | 'certificate' | 'udp' | 'load';

export interface Machine {
  node: string;
  openssl: string;
  platform: string;
  kernel: string;
  cpu: string;
  cores: number;
}

export interface Report {
  /** Of this shape. */
  version: 1;
  /** What makes it again. */
  command: string;
  /** ISO 8601. */
  date: string;
  machine: Machine;
  /** What kind of network this was, for people. */
  network: string;
  runs: Run[];
  /** What a reader must know of how it was measured. */
  notes: string[];
}
