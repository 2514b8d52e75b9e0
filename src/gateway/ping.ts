/**
 * What a server speaks, and how long each step takes:
 *
 *     name ─► TCP ─► PostgreSQL's requests ─► TLS 1.3 ─► TLS 1.2 ─► TurboTLS ─► each ALPN protocol by itself
 *
 * Each step has a connection of its own, and a limit of time. Nothing is sent that a server would act on: no request, no
 * login, no certificate.
 */
import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import type { Network } from '../platform/network.js';
import type { TlsOptions } from '../transport.js';
import {
  outcomeOf,
  type Probed,
  probeAlpn,
  probePostgres,
  probeTcp,
  probeTls,
  probeTurbo,
  type TlsSeen,
} from './ping/probes.js';
import type { AlpnReport, PingReport, PostgresReport } from './ping/report.js';

export type * from './ping/report.js';

export interface PingOptions {
  host: string;
  port: number;
  /** Default: the host, unless it is an IP address. */
  serverName?: string | undefined;
  /** Each is offered alone, all of them to the other steps. Default: h2, http/1.1, postgresql. */
  alpn?: readonly string[] | undefined;
  /** PEM. Default: the authorities that Node trusts. */
  ca?: string | undefined;
  /** For each step, ms. Default 5 s. */
  timeoutMs?: number | undefined;
  /** For TurboTLS. */
  network?: Network | undefined;
}

export const DEFAULT_ALPN: readonly string[] = ['h2', 'http/1.1', 'postgresql'];

const TIMEOUT_MS = 5_000;

/** A server that is silent after PostgreSQL's requests is none: it is not waited for like one that is slow, ms. */
const SILENCE_MS = 1_000;
const SILENCE_ROUND_TRIPS = 4;

const ALPN_POSTGRES = 'postgresql';

const NOT_TRIED = { ok: false, error: 'not tried: TCP does not connect', code: null } as const;
const NO_DIRECT_TLS = { ok: false, error: 'not tried: TLS does not begin with the first byte', code: null } as const;

/** What is known of a server that TCP does not reach. */
const NOTHING: Findings = {
  tlsBegins: null,
  tls: { 'TLSv1.3': NOT_TRIED, 'TLSv1.2': NOT_TRIED },
  certificate: null,
  alpn: [],
  turbo: NOT_TRIED,
  postgres: { spoken: false, sslRequest: 'closed', gssencRequest: 'closed', direct: false },
};

/** Never rejects: what fails is part of the report. */
export async function ping({
  timeoutMs = TIMEOUT_MS,
  alpn = DEFAULT_ALPN,
  ...options
}: PingOptions): Promise<PingReport> {
  const { host, port, ca, network } = options;
  const serverName = options.serverName ?? (isIP(host) ? null : host);
  const startedAt = new Date().toISOString();
  const head = { version: 1, host, port, serverName, startedAt } as const;
  const dns = await outcomeOf(timeoutMs, async (_signal, elapsed) => {
    const { address } = await lookup(host);
    return { address, ms: elapsed() };
  });
  const tls: TlsOptions = {
    ALPNProtocols: [...alpn],
    // Also where there is no SNI: it is what the certificate is checked against.
    host: serverName ?? host,
    ...(serverName !== null && { servername: serverName }),
    ...(ca !== undefined && { ca }),
  };
  const probed: Probed = { address: { host: dns.ok ? dns.address : host, port }, tls, timeoutMs, network };
  const tcp = dns.ok ? await probeTcp(probed) : { ...NOT_TRIED, error: 'not tried: the host has no address' };
  return { ...head, dns, tcp, ...(tcp.ok ? await probeAll(probed, alpn, tcp.ms) : NOTHING) };
}

type Findings = Omit<PingReport, 'version' | 'host' | 'port' | 'serverName' | 'startedAt' | 'dns' | 'tcp'>;

async function probeAll(probed: Probed, alpn: readonly string[], tcpMs: number): Promise<Findings> {
  const silenceMs = Math.min(probed.timeoutMs, Math.max(SILENCE_MS, SILENCE_ROUND_TRIPS * tcpMs));
  const asked = { ...probed, timeoutMs: silenceMs };
  const [sslRequest, gssencRequest] = await Promise.all([
    probePostgres(asked, 'SSLRequest'),
    probePostgres(asked, 'GSSENCRequest'),
  ]);
  const { begins, newest, older } = await probeVersions(probed, sslRequest === 'S');
  const turbo = begins === 'direct' ? await probeTurbo(probed) : NO_DIRECT_TLS;
  const answers = begins === null ? [] : await probeProtocols(probed, alpn, begins);
  const direct =
    begins === 'direct' && answers.some((each) => each.protocol === ALPN_POSTGRES && each.answer === 'agreed');
  const postgres: PostgresReport = {
    spoken: direct || isAnswer(sslRequest) || isAnswer(gssencRequest),
    sslRequest,
    gssencRequest,
    direct,
  };
  return {
    tlsBegins: begins,
    tls: { 'TLSv1.3': newest.probe, 'TLSv1.2': older.probe },
    certificate: newest.certificate ?? older.certificate,
    alpn: answers,
    turbo,
    postgres,
  };
}

interface Versions {
  begins: 'direct' | 'ssl-request' | null;
  newest: TlsSeen;
  older: TlsSeen;
}

/** With the first byte, if a server takes that; else behind the request that it has agreed to. */
async function probeVersions(probed: Probed, afterRequest: boolean): Promise<Versions> {
  const direct = await probeBoth(probed, 'direct');
  return direct.begins === null && afterRequest ? probeBoth(probed, 'ssl-request') : direct;
}

async function probeBoth(probed: Probed, begins: 'direct' | 'ssl-request'): Promise<Versions> {
  const newest = await probeTls(probed, 'TLSv1.3', begins);
  const older = await probeTls(probed, 'TLSv1.2', begins);
  return { begins: newest.probe.ok || older.probe.ok ? begins : null, newest, older };
}

function probeProtocols(
  probed: Probed,
  alpn: readonly string[],
  begins: 'direct' | 'ssl-request',
): Promise<AlpnReport[]> {
  return Promise.all(alpn.map(async (protocol) => ({ protocol, answer: await probeAlpn(probed, protocol, begins) })));
}

function isAnswer(answer: PostgresReport['sslRequest']): boolean {
  return answer === 'S' || answer === 'N' || answer === 'G';
}
