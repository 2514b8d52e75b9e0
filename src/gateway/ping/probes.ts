/** The steps of a ping, each with a connection of its own. */
import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import { turbotls } from '#proto/turbotls.js';
import { onAbort } from '../../abort.js';
import { connect, type TurboSocket } from '../../client/connect.js';
import { PathMemory } from '../../client/path-memory.js';
import { FrontendEncoder } from '../../codec/pg/encoder.js';
import { groupAskedFor } from '../../key-share.js';
import { type Network, nodeNetwork } from '../../platform/network.js';
import { type HostAddress, startTls, type TlsOptions, tcpTransport, untilEvent } from '../../transport.js';
import { requestTls } from '../backend/negotiate.js';
import { messageOf } from '../message-of.js';
import type { CertificateReport, Outcome, PostgresAnswer, TlsProbe, TlsVersion, TurboProbe } from './report.js';

const { HandshakeState } = turbotls.v1;

/** What the probes are told. */
export interface Probed {
  /** With the host as an address, so that every step goes to the same machine. */
  address: HostAddress;
  /** SNI, authorities; nothing about verifying. */
  tls: TlsOptions;
  /** A step, ms. */
  timeoutMs: number;
  network?: Network | undefined;
}

const dialTcp = tcpTransport();

/** What `step` finds, with the time since it began; never longer than the limit. */
export async function outcomeOf<T extends object>(
  timeoutMs: number,
  step: (signal: AbortSignal, elapsed: () => number) => Promise<T>,
): Promise<Outcome<T>> {
  const startedAt = performance.now();
  const abort = new AbortController();
  const timer = setTimeout(() => abort.abort(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
  try {
    return { ok: true, ...(await step(abort.signal, () => performance.now() - startedAt)) };
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    return { ok: false, error: messageOf(error), code: typeof code === 'string' ? code : null };
  } finally {
    clearTimeout(timer);
  }
}

export function probeTcp({ address, timeoutMs }: Probed): Promise<Outcome<{ ms: number }>> {
  return outcomeOf(timeoutMs, async (signal, elapsed) => {
    const socket = await dialTcp(address, { signal });
    const ms = elapsed();
    leave(socket);
    return { ms };
  });
}

/** What a TLS probe saw, beside its report. */
export interface TlsSeen {
  probe: Outcome<TlsProbe>;
  certificate: CertificateReport | null;
}

/** @param begins with the first byte, or behind PostgreSQL's SSLRequest */
export async function probeTls(
  probed: Probed,
  version: TlsVersion,
  begins: 'direct' | 'ssl-request',
): Promise<TlsSeen> {
  const seen: { certificate: CertificateReport | null } = { certificate: null };
  const probe = await outcomeOf(probed.timeoutMs, async (signal, elapsed) => {
    const tcp = await dialTcp(probed.address, { signal });
    const tcpMs = elapsed();
    const tls = { ...probed.tls, minVersion: version, maxVersion: version };
    const socket = await secure(tcp as Socket, tls, begins, signal);
    const totalMs = elapsed();
    seen.certificate = certificateOf(socket);
    const probe = { tcpMs, totalMs, ...agreedBy(socket) };
    leave(socket);
    return probe;
  });
  return { probe, ...seen };
}

/** One protocol alone; undefined where the connection ended for another reason than ALPN. */
export async function probeAlpn(
  probed: Probed,
  protocol: string,
  begins: 'direct' | 'ssl-request',
): Promise<'agreed' | 'ignored' | 'refused'> {
  const outcome = await outcomeOf(probed.timeoutMs, async (signal) => {
    const tcp = await dialTcp(probed.address, { signal });
    const socket = await secure(tcp as Socket, { ...probed.tls, ALPNProtocols: [protocol] }, begins, signal);
    const agreed = socket.alpnProtocol === protocol;
    leave(socket);
    return { agreed };
  });
  if (!outcome.ok) return 'refused';
  return outcome.agreed ? 'agreed' : 'ignored';
}

/** UDP is waited for longer than clients do: that it answers is what is asked, and when it did stands in the timeline. */
const GRACE_MS = 1_000;

export function probeTurbo({ address, tls, timeoutMs, network }: Probed): Promise<Outcome<TurboProbe>> {
  return outcomeOf(timeoutMs, async (signal, elapsed) => {
    const limits = { graceMinMs: Math.min(GRACE_MS, timeoutMs) };
    const turbo = { memory: new PathMemory(), network: network ?? nodeNetwork, limits };
    const socket = await untilEvent('secureConnect', signal, () =>
      connect({ ...tls, ...address, rejectUnauthorized: false, turbo }),
    );
    const totalMs = elapsed();
    // In `fast` the handshake is done before the Reply: whether the server has the session shows with it.
    if (socket.turbo?.carrier === 'udp') await bound(socket, signal);
    const carrier = socket.turbo?.carrier ?? 'tcp';
    const timeline = { ...socket.turbo?.timeline };
    leave(socket);
    return { carrier, totalMs, timeline };
  });
}

const REQUESTS = {
  SSLRequest: new FrontendEncoder().write({ name: 'SSLRequest' }).take(),
  GSSENCRequest: new FrontendEncoder().write({ name: 'GSSENCRequest' }).take(),
};

export async function probePostgres(probed: Probed, request: keyof typeof REQUESTS): Promise<PostgresAnswer> {
  const outcome = await outcomeOf(probed.timeoutMs, async (signal): Promise<{ answer: PostgresAnswer }> => {
    const socket = await dialTcp(probed.address, { signal });
    socket.on('error', ignore);
    socket.write(REQUESTS[request]);
    const answered = once(socket, 'data', { signal });
    const ended = once(socket, 'close').then(() => [Buffer.alloc(0)]);
    try {
      const [bytes] = (await Promise.race([answered, ended])) as [Buffer];
      return { answer: answerOf(bytes) };
    } finally {
      answered.catch(ignore);
      ended.catch(ignore);
      socket.destroy();
    }
  });
  return outcome.ok ? outcome.answer : outcome.code === 'ABORT_ERR' ? 'silent' : 'closed';
}

/** Waits for the Reply. Rejects where the server does not have the session that its UDP answer promised. */
function bound(socket: TurboSocket, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once('error', reject);
    onAbort(signal, () => reject(signal.reason));
    socket.turbo?.state$.subscribe((state) => {
      if (state !== HandshakeState.CLAIMING) resolve();
    });
  });
}

/** One byte, but for an ErrorResponse. */
function answerOf(bytes: Buffer): PostgresAnswer {
  if (bytes.length === 0) return 'closed';
  const letter = String.fromCharCode(bytes[0] as number);
  if (letter === 'E' && bytes.length > 5) return 'E';
  if (bytes.length === 1 && (letter === 'S' || letter === 'N' || letter === 'G')) return letter;
  return 'other';
}

async function secure(
  tcp: Socket,
  tls: TlsOptions,
  begins: 'direct' | 'ssl-request',
  signal: AbortSignal,
): Promise<TLSSocket> {
  try {
    tcp.on('error', ignore);
    if (begins === 'ssl-request') await requestTls(tcp, signal);
    return await startTls(tcp, { ...tls, rejectUnauthorized: false }, signal);
  } catch (error) {
    tcp.destroy();
    throw error;
  }
}

function agreedBy(socket: TLSSocket): Pick<TlsProbe, 'cipher' | 'group' | 'helloRetry'> {
  const info = socket.getEphemeralKeyInfo();
  const group = info && 'name' in info && typeof info.name === 'string' ? info.name : null;
  return { cipher: socket.getCipher().standardName, group, helloRetry: groupAskedFor(socket) !== undefined };
}

const DAY_MS = 86_400_000;

function certificateOf(socket: TLSSocket): CertificateReport | null {
  // First: in Node 20 it is empty once the other one was called.
  const chain = chainOf(socket.getPeerCertificate(true));
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return null;
  const validTo = new Date(certificate.validTo);
  return {
    subject: oneLine(certificate.subject),
    issuer: oneLine(certificate.issuer),
    names: namesOf(certificate.subjectAltName),
    validFrom: new Date(certificate.validFrom).toISOString(),
    validTo: validTo.toISOString(),
    daysLeft: Math.floor((validTo.getTime() - Date.now()) / DAY_MS),
    chain,
    trusted: socket.authorized,
    reason: socket.authorized ? null : String(socket.authorizationError),
  };
}

/** Node gives one attribute a line. */
function oneLine(name: string | undefined): string {
  return (name ?? '').replaceAll('\n', ', ');
}

/** 'DNS:example.com, IP Address:192.0.2.1', without the kinds that TLS clients do not look at. */
function namesOf(subjectAltName: string | undefined): string[] {
  return [...(subjectAltName ?? '').matchAll(/(?:DNS|IP Address):([^,]+)/g)].map(([, name = '']) => name);
}

function chainOf(leaf: DetailedPeerCertificate): string[] {
  const chain: string[] = [];
  const seen = new Set<string>();
  for (let next = leaf; next?.fingerprint256 && !seen.has(next.fingerprint256); next = next.issuerCertificate) {
    seen.add(next.fingerprint256);
    chain.push(
      Object.entries(next.subject)
        .map((attribute) => attribute.join('='))
        .join(', '),
    );
  }
  return chain;
}

/** Says goodbye, and waits for nobody. */
function leave(socket: Duplex): void {
  socket.on('error', ignore);
  socket.end(() => socket.destroy());
}

function ignore(): void {}
