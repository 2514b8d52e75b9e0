/**
 * A ping as text: what took how long on a common scale, then what was found.
 *
 *   db.example.com:443 (203.0.113.5)
 *
 *                0         20        40        60 ms
 *     TCP        ----------                           20.1 ms
 *     TLS 1.3    ----------##########                 41.0 ms   TLS_AES_256_GCM_SHA384, X25519
 *     TurboTLS   ##########                           21.7 ms   over UDP
 */
import type { CertificateReport, Outcome, PingReport, PostgresAnswer, TlsProbe, TurboProbe } from '../gateway/ping.js';

export interface Style {
  /** Columns. */
  width: number;
  colour: boolean;
  /** Block characters; ASCII otherwise. */
  unicode: boolean;
}

type Phase = 'tcp' | 'tls' | 'turbo';

interface Row {
  name: string;
  /** Phases in order, each until so many ms; none where it failed. */
  bar: readonly (readonly [Phase, number])[];
  text: string;
}

const ASCII = { tcp: '-', tls: '#', turbo: '=' } as const;
const BLOCKS = { tcp: '─', tls: '█', turbo: '▒' } as const;
/** Escape codes (ECMA-48, SGR): blue, green, cyan. */
const COLOURS = { tcp: 34, tls: 32, turbo: 36 } as const;
const BOLD = 1;
const RED = 31;

const NAME_WIDTH = 12;
const MIN_BAR = 16;
const MAX_BAR = 60;
/** Behind the bars. */
const TEXT_WIDTH = 44;
const MARKS = 4;

export function pingPicture(report: PingReport, style: Style): string {
  const { host, port, dns, serverName } = report;
  const place = dns.ok && dns.address !== host ? ` (${dns.address})` : '';
  const title = `${host.includes(':') ? `[${host}]` : host}:${port}${place}${serverName === null || serverName === host ? '' : ` as ${serverName}`}`;
  const lines = [paint(style, BOLD, title), '', ...chart(rowsOf(report), style)];
  const findings = findingsOf(report).map(([name, text]) => `  ${name.padEnd(NAME_WIDTH)} ${printable(text)}`);
  const hints = hintsOf(report);
  return [...lines, '', ...findings, ...(hints.length > 0 ? ['', ...hints] : [])].join('\n');
}

function rowsOf({ dns, tcp, tls, turbo, tlsBegins }: PingReport): Row[] {
  if (!dns.ok) return [failedRow('name', dns.error)];
  const rows: Row[] = [
    tcp.ok ? { name: 'TCP', bar: [['tcp', tcp.ms]], text: ms(tcp.ms) } : failedRow('TCP', tcp.error),
  ];
  if (!tcp.ok) return rows;
  rows.push(tlsRow('TLS 1.3', tls['TLSv1.3']), tlsRow('TLS 1.2', tls['TLSv1.2']));
  if (tlsBegins === 'direct') rows.push(turboRow(turbo));
  return rows;
}

function failedRow(name: string, error: string): Row {
  return { name, bar: [], text: `no: ${error}` };
}

function tlsRow(name: string, probe: Outcome<TlsProbe>): Row {
  if (!probe.ok) return failedRow(name, probe.error);
  const { tcpMs, totalMs, cipher, group, helloRetry } = probe;
  const agreed = [cipher, group, helloRetry ? 'after a HelloRetryRequest' : null].filter((each) => each !== null);
  return {
    name,
    bar: [
      ['tcp', tcpMs],
      ['tls', totalMs],
    ],
    text: `${ms(totalMs)}   ${agreed.join(', ')}`,
  };
}

function turboRow(turbo: Outcome<TurboProbe>): Row {
  if (!turbo.ok) return failedRow('TurboTLS', turbo.error);
  const { carrier, totalMs, timeline } = turbo;
  if (carrier === 'udp') return { name: 'TurboTLS', bar: [['turbo', totalMs]], text: `${ms(totalMs)}   over UDP` };
  const why = timeline.udpAnswered === undefined ? 'nothing answers over UDP' : 'the answer over UDP came too late';
  return { name: 'TurboTLS', bar: [], text: `no: ${why}` };
}

function chart(rows: readonly Row[], style: Style): string[] {
  const longest = Math.max(0, ...rows.flatMap(({ bar }) => bar.map(([, until]) => until)));
  const width = Math.max(MIN_BAR, Math.min(style.width - NAME_WIDTH - TEXT_WIDTH, MAX_BAR));
  const columns = (until: number) => Math.round((until / longest) * width);
  const drawn = rows.map(({ name, bar, ...row }) => {
    const text = printable(row.text);
    if (bar.length === 0) return `  ${name.padEnd(NAME_WIDTH)} ${paint(style, RED, text)}`;
    const parts = bar.map(([phase, until], index) => {
      const length = columns(until) - columns(bar[index - 1]?.[1] ?? 0);
      return paint(style, COLOURS[phase], (style.unicode ? BLOCKS : ASCII)[phase].repeat(length));
    });
    const rest = ' '.repeat(width - columns(bar.at(-1)?.[1] ?? 0));
    return `  ${name.padEnd(NAME_WIDTH)} ${parts.join('')}${rest}  ${text}`;
  });
  return longest > 0 ? [ruler(longest, columns), ...drawn] : drawn;
}

function ruler(longest: number, columns: (until: number) => number): string {
  const step = niceStep(longest);
  let line = ' '.repeat(NAME_WIDTH + 3);
  for (let mark = 0; mark <= longest; mark += step) {
    line = line.padEnd(NAME_WIDTH + 3 + columns(mark)) + Number(mark.toPrecision(6));
  }
  return `${line} ms`;
}

/** 1, 2 or 5 times a power of ten. */
function niceStep(longest: number): number {
  const least = longest / MARKS;
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((factor) => factor * power >= least) ?? 10);
}

function findingsOf({ tcp, certificate, alpn, postgres }: PingReport): [string, string][] {
  if (!tcp.ok) return [];
  const findings: [string, string][] = [];
  if (certificate) findings.push(...certificateFindings(certificate));
  if (alpn.length > 0) {
    findings.push(['ALPN', alpn.map(({ protocol, answer }) => `${protocol} ${ALPN_WORDS[answer]}`).join(', ')]);
  }
  const { spoken, sslRequest, gssencRequest, direct } = postgres;
  findings.push([
    'PostgreSQL',
    spoken
      ? `SSLRequest ${POSTGRES_WORDS[sslRequest]}, direct TLS ${direct ? 'yes' : 'no'}, GSSENCRequest ${POSTGRES_WORDS[gssencRequest]}`
      : 'no',
  ]);
  return findings;
}

const ALPN_WORDS = { agreed: 'yes', ignored: 'ignored', refused: 'no' } as const;

const POSTGRES_WORDS: Readonly<Record<PostgresAnswer, string>> = {
  S: 'yes',
  G: 'yes',
  N: 'no',
  E: 'an error',
  other: 'something else',
  closed: 'closed',
  silent: 'silence',
};

function certificateFindings(certificate: CertificateReport): [string, string][] {
  const { subject, issuer, names, validTo, daysLeft, chain, trusted, reason } = certificate;
  const end = validTo.slice(0, 10);
  return [
    ['Certificate', subject || '(no subject)'],
    ['  for', names.join(', ') || '(no names)'],
    ['  issuer', `${issuer}; ${chain.length} in the chain`],
    ['  until', daysLeft < 0 ? `${end}: it has expired` : `${end}, ${daysLeft} days`],
    ['  trusted', trusted ? 'yes' : `no: ${reason}`],
  ];
}

/** What could be better, and how. */
function hintsOf({ tcp, tls, turbo, tlsBegins, postgres }: PingReport): string[] {
  if (!tcp.ok) return [];
  const hints: string[] = [];
  const newest = tls['TLSv1.3'];
  if (turbo.ok && turbo.carrier === 'udp' && newest.ok && newest.totalMs > turbo.totalMs) {
    hints.push(`TurboTLS saved ${ms(newest.totalMs - turbo.totalMs)}.`);
  }
  if (newest.ok && newest.helloRetry) {
    const how = postgres.spoken ? ' (ssl_ecdh_curve, PostgreSQL 18)' : '';
    hints.push(`The server asks for ${newest.group}, which clients do not offer first: one round trip more${how}.`);
  }
  if (tlsBegins === 'ssl-request') {
    hints.push(
      'TLS begins behind SSLRequest, one round trip later: PostgreSQL 17, or turbotls gateway, can do without.',
    );
  }
  return hints;
}

function ms(value: number): string {
  return `${value.toFixed(value < 10 ? 1 : 0)} ms`;
}

function paint({ colour }: Style, code: number, text: string): string {
  return colour && text ? `\x1b[${code}m${text}\x1b[0m` : text;
}

/** What a server has chosen must not reach the terminal as a command. */
function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}]/gu, '?');
}
