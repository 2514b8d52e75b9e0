/**
 * A report as text: for each contender what each carrier did when, on a common scale.
 *
 *   turbo, first contact        107 ms   2.14 round trips   0.69 of node:tls
 *     UDP ########## TLS #########
 *     TCP ---------- TCP ---------=========== echo ==========
 */
import type { Report, Result } from './results.js';
import { total } from './results.js';

export interface Style {
  /** Columns. */
  width: number;
  colour: boolean;
  /** Block characters; ASCII otherwise. */
  unicode: boolean;
}

type Phase = 'tcp' | 'wait' | 'tls' | 'answer';

interface Segment {
  phase: Phase;
  from: number;
  to: number;
}

interface Lane {
  carrier: 'UDP' | 'TCP';
  segments: Segment[];
  /** What stands behind the last segment. */
  note?: string;
}

const LABELS = { tcp: 'TCP', wait: '', tls: 'TLS', answer: 'answer' } as const;
const ASCII = { tcp: '-', wait: '.', tls: '#', answer: '=' } as const;
const BLOCKS = { tcp: '─', wait: '·', tls: '█', answer: '▒' } as const;
/** Escape codes (ECMA-48, SGR): blue, yellow, green, cyan. */
const COLOURS = { tcp: 34, wait: 33, tls: 32, answer: 36 } as const;
const BOLD = 1;

/** In front of a lane: its carrier. */
const INDENT = 6;
/** Behind a lane: its note. */
const MARGIN = 12;
const MIN_BAR = 24;
const MAX_BAR = 120;
/** More marks than these make the ruler unreadable: then it counts milliseconds. */
const MAX_MARKS = 8;

export function picture(report: Report, style: Style): string {
  const barWidth = Math.max(MIN_BAR, Math.min(style.width - INDENT - MARGIN, MAX_BAR));
  const longest = Math.max(...report.results.map(total));
  const columnsPerMs = barWidth / longest;
  const lines = [
    paint(style, BOLD, 'From connect() to the first byte of the answer'),
    `${report.link.title}; median of ${report.runs} ${report.runs === 1 ? 'run' : 'runs'}, Node ${report.node}`,
    '',
    ...ruler(report.link.roundTripMs, longest, columnsPerMs),
  ];
  for (const result of report.results) lines.push('', ...block(result, columnsPerMs, style));
  return [...lines, '', ...conclusions(report), ''].join('\n');
}

function block(result: Result, columnsPerMs: number, style: Style): string[] {
  const lanes = lanesOf(result).map(({ carrier, segments, note }) => {
    const bar = segments.map((segment) => paintSegment(segment, columnsPerMs, style)).join('');
    return `  ${carrier} ${bar}${note ? ` ${note}` : ''}`;
  });
  return [`${paint(style, BOLD, nameOf(result))}  ${figures(result)}`, ...lanes, `      ${moments(result)}`];
}

function lanesOf({ tcpConnected = 0, udpSent, udpAnswered, carrierChosen, secure, ...result }: Result): Lane[] {
  const chosen = carrierChosen ?? tcpConnected;
  const segments: Segment[] = [
    { phase: 'tcp', from: 0, to: tcpConnected },
    { phase: 'wait', from: tcpConnected, to: chosen },
    { phase: 'tls', from: chosen, to: secure },
  ];
  if (result.firstByte !== undefined) segments.push({ phase: 'answer', from: secure, to: result.firstByte });
  const tcp: Lane = { carrier: 'TCP', segments };
  if (udpSent === undefined) return [tcp];
  const answered = result.carrier === 'udp' && udpAnswered !== undefined;
  const udp: Lane = { carrier: 'UDP', segments: [{ phase: 'tls', from: 0, to: answered ? udpAnswered : chosen }] };
  if (!answered) udp.note = udpAnswered === undefined ? 'no answer' : 'too late';
  return [udp, tcp];
}

function paintSegment({ phase, from, to }: Segment, columnsPerMs: number, style: Style): string {
  const length = Math.max(0, Math.round(to * columnsPerMs) - Math.round(from * columnsPerMs));
  const glyph = (style.unicode ? BLOCKS : ASCII)[phase];
  const label = ` ${LABELS[phase]} `;
  if (label.length + 4 > length || LABELS[phase] === '') return paint(style, COLOURS[phase], glyph.repeat(length));
  const before = Math.floor((length - label.length) / 2);
  const after = length - label.length - before;
  return paint(style, COLOURS[phase], glyph.repeat(before)) + label + paint(style, COLOURS[phase], glyph.repeat(after));
}

function nameOf({ name, detail }: Result): string {
  return detail ? `${name}, ${detail}` : name;
}

function figures(result: Result): string {
  const parts = [`${Math.round(total(result))} ms`];
  if (result.roundTrips !== undefined) parts.push(`${result.roundTrips.toFixed(2)} round trips`);
  if (result.name !== 'node:tls') parts.push(`${result.ratio.toFixed(2)} of node:tls`);
  return parts.join('   ');
}

/** What happened when, in one line. */
function moments({ tcpConnected, udpSent, udpAnswered, secure, firstByte, carrier, carriers }: Result): string {
  const at = (what: string, ms: number | undefined) =>
    ms === undefined ? `no ${what}` : `${what} at ${ms.toFixed(ms < 10 ? 1 : 0)}`;
  const parts = [at('TCP', tcpConnected), at('secure', secure), at('first byte', firstByte)];
  if (udpSent !== undefined) parts.splice(1, 0, at('UDP answer', udpAnswered));
  const alike = carriers.filter((other) => other === carrier).length;
  const share = alike < carriers.length ? ` (${alike} of ${carriers.length})` : '';
  return `${parts.join(', ')} ms; won: ${carrier.toUpperCase()}${share}`;
}

function ruler(roundTripMs: number | undefined, longest: number, columnsPerMs: number): string[] {
  const byRoundTrip = roundTripMs && longest / roundTripMs <= MAX_MARKS;
  const step = byRoundTrip ? roundTripMs : niceStep(longest);
  let labels = '';
  let marks = '';
  for (let mark = 0; mark * step <= longest; mark++) {
    const column = INDENT + Math.round(mark * step * columnsPerMs);
    labels = labels.padEnd(column) + (byRoundTrip ? mark : Number((mark * step).toPrecision(6)));
    marks = `${marks.padEnd(column)}|`;
  }
  return [`${labels} ${byRoundTrip ? 'round trips' : 'ms'}`, marks];
}

/** 1, 2 or 5 times a power of ten, for at most `MAX_MARKS` marks. */
function niceStep(longest: number): number {
  const least = longest / MAX_MARKS;
  const power = 10 ** Math.floor(Math.log10(least));
  return power * ([1, 2, 5].find((factor) => factor * power >= least) ?? 10);
}

function conclusions({ link, results }: Report): string[] {
  const [tls, ...turbos] = results as [Result, ...Result[]];
  const lines: string[] = [];
  const won = turbos.find(({ carrier }) => carrier === 'udp');
  if (link.kind === 'loopback') {
    lines.push('On loopback there is no round trip to save: this shows that it works, not what it is worth.');
  } else if (link.roundTripMs === undefined) {
    lines.push('This server is too near for a round trip to matter.');
  } else if (won) {
    const saved = total(tls) - total(won);
    lines.push(`turbo ${saved >= 0 ? 'saved' : 'lost'} ${Math.abs(Math.round(saved))} ms against node:tls.`);
  }
  if (link.kind === 'remote' && !won) {
    const late = turbos.some(({ udpAnswered }) => udpAnswered !== undefined);
    lines.push(
      late
        ? 'The answer over UDP came too late, so turbo went on as plain TLS over TCP.'
        : 'Nothing answered over UDP (no TurboTLS there, or UDP is blocked), so turbo went on as plain TLS over TCP.',
    );
  }
  if (turbos.every(({ firstByte }) => firstByte === undefined)) {
    lines.push('The server said nothing to the request: times are those to the end of the handshake.');
  }
  return lines;
}

function paint({ colour }: Style, code: number, text: string): string {
  return colour && text ? `\x1b[${code}m${text}\x1b[0m` : text;
}
