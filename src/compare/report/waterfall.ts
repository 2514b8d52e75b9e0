/**
 * One connection as its packets made it: time to the right, the client above, the server below, an arrow for each packet.
 * Below that what had been reached when; where no packets were seen, that alone.
 */
import type { CaseResult, Packet, Phase, Sample } from '../model.js';
import { msText, roundTripsText } from '../words.js';
import { type Chart, type Drawing, type LegendEntry, LINE_HEIGHT, legend, TEXT_SIZE } from './chart.js';
import { type Label, levelsOf, type PlacedLabel, placedLabels } from './labels.js';
import { type Markup, markup } from './markup.js';
import { linearScale, niceTicks, type Scale, tickText } from './scale.js';
import { textWidth } from './text-width.js';

export interface Waterfall {
  result: CaseResult;
  sample: Sample;
  packets: readonly Packet[];
  /** When its first packet was sent, or its program had started: the left end, in ms of the sample. */
  startsAtMs: number;
}

/** What all waterfalls of a group have in common, so that lengths compare. */
export interface TimeAxis {
  /** ms; undefined: the axis is in ms itself. */
  roundTripMs: number | undefined;
  /** To the right end. */
  lengthMs: number;
}

const LEFT = 48;
const RIGHT = 14;
/** Between the line of the client and that of the server. */
const LADDER_HEIGHT = 96;
const MAX_LEVELS = 7;
const LEVEL_HEIGHT = 15;
const PHASE_BAR = 10;
const MAX_TICKS = 9;
/** Packets alike that leave within this part of the axis share their label. */
const TOGETHER = 0.02;
/** How far a lost packet is drawn. */
const LOST_AT = 0.62;
const CROSS = 4;
const HEAD_LENGTH = 7;
const HEAD_WIDTH = 2.6;
/** Of an acknowledgement without data. */
const FAINT = 'faint';
const HANDSHAKE = new Set(['SYN', 'SYN-ACK']);
const UNLABELLED = new Set(['ACK']);

const PHASE_NAMES: Readonly<Record<Phase['name'], string>> = {
  tcp: 'TCP',
  udp: 'UDP answer',
  secure: 'secure',
  ready: 'ready',
};

/** Undefined where neither packets nor phases are known. */
export function waterfallOf(result: CaseResult, median: Sample | undefined): Waterfall | undefined {
  if (result.missing !== undefined) return undefined;
  const sample = result.trace?.sample ?? median;
  if (sample === undefined) return undefined;
  const packets = (result.trace?.packets ?? []).filter(({ sentAtMs }) => sentAtMs <= sample.ms);
  if (packets.length === 0 && sample.phases.length === 0) return undefined;
  const firstPacket = packets.reduce((first, { sentAtMs }) => Math.min(first, sentAtMs), sample.ms);
  const startsAtMs = result.startMs === 0 ? 0 : packets.length > 0 ? firstPacket : result.startMs;
  return { result, sample, packets, startsAtMs };
}

export function timeAxisOf(waterfalls: readonly Waterfall[], roundTripMs: number | undefined): TimeAxis {
  const longest = Math.max(0, ...waterfalls.map(({ sample, startsAtMs }) => sample.ms - startsAtMs));
  return { roundTripMs, lengthMs: longest * 1.02 };
}

/** @param withLegend where it stands alone; on a page one legend serves all */
export function waterfallChart(waterfall: Waterfall, axis: TimeAxis, withLegend: boolean): Chart {
  const { result, packets, startsAtMs } = waterfall;
  const time = (atMs: number) => timeText(atMs - startsAtMs, axis);
  const reached = marksOf(waterfall).map(({ name, atMs }) => `${name} at ${time(atMs)}`);
  const counts = countsOf(packets);
  return {
    name: `waterfall-${result.id}`,
    title: result.title,
    description: `One connection, in ${unitOf(axis)}. ${reached.join(', ')}. ${counts}`,
    draw: (width) => {
      const drawing = draw(waterfall, axis, width);
      if (!withLegend || packets.length === 0) return drawing;
      const { height, body } = waterfallLegend(width);
      return {
        height: height + drawing.height,
        body: markup`<g>${body}</g><g transform="translate(0 ${height})">${drawing.body}</g>`,
      };
    },
  };
}

export function unitOf({ roundTripMs }: TimeAxis): 'round trips' | 'ms' {
  return roundTripMs === undefined ? 'ms' : 'round trips';
}

function countsOf(packets: readonly Packet[]): string {
  if (packets.length === 0) return 'Its packets were not seen.';
  const lost = packets.filter(({ arrivedAtMs }) => arrivedAtMs === undefined).length;
  const count = (protocol: Packet['protocol']) => packets.filter((packet) => packet.protocol === protocol).length;
  return `${count('udp')} packets over UDP, ${count('tcp')} over TCP, ${lost} lost.`;
}

export function timeText(ms: number, { roundTripMs }: TimeAxis): string {
  return roundTripMs === undefined ? msText(ms) : roundTripsText(ms / roundTripMs);
}

/** The phases in order, and the end. */
export function marksOf({ sample }: Waterfall): { name: string; atMs: number }[] {
  const phases = sample.phases.toSorted((one, other) => one.atMs - other.atMs);
  return [
    ...phases.map(({ name, atMs }) => ({ name: PHASE_NAMES[name], atMs })),
    { name: 'first byte', atMs: sample.ms },
  ];
}

function draw(waterfall: Waterfall, axis: TimeAxis, width: number): Drawing {
  const { packets, startsAtMs } = waterfall;
  const { at } = linearScale(startsAtMs, startsAtMs + axis.lengthMs, LEFT, width - RIGHT, []);
  const ladder = packets.length === 0 ? undefined : drawLadder(waterfall, axis, at, width);
  const top = ladder === undefined ? 6 : ladder.height + 14;
  const marks = marksOf(waterfall);
  const labels = placedLabels(
    marks.map(({ name, atMs }) => ({ x: at(atMs), text: `${name} ${timeText(atMs - startsAtMs, axis)}` })),
    width,
    MAX_LEVELS,
  );
  const below = top + PHASE_BAR;
  const height = below + 8 + levelsOf(labels) * LEVEL_HEIGHT;
  const ticks = drawTicks(axis, startsAtMs, at, height, width);
  return {
    height: height + 14 + LINE_HEIGHT,
    body: markup`${ticks}${ladder?.body}<text class="muted" x="0" y="${top + PHASE_BAR - 1}">Phases</text>${drawPhases(marks, startsAtMs, at, top)}${drawStems(labels, below, 1)}${drawTexts(labels, below + 13, 1)}`,
  };
}

function drawLadder(
  { packets, startsAtMs }: Waterfall,
  { roundTripMs, lengthMs }: TimeAxis,
  at: Scale['at'],
  width: number,
): Drawing {
  const of = (from: Packet['from']) => placedLabels(labelsOf(packets, from, lengthMs, at), width, MAX_LEVELS);
  const [client, server] = [of('client'), of('server')];
  const clientY = levelsOf(client) * LEVEL_HEIGHT + 8;
  const serverY = clientY + LADDER_HEIGHT;
  const transitMs = transitOf(packets) ?? (roundTripMs ?? lengthMs / 4) / 2;
  const end = at(startsAtMs + lengthMs);
  const arrows = packets.map((packet) => drawArrow(packet, transitMs, at, clientY, serverY, end));
  const hosts = (
    [
      ['Client', clientY],
      ['Server', serverY],
    ] as const
  ).map(
    ([name, y]) =>
      markup`<path class="axis" d="M${LEFT} ${y}H${end}"/><text class="muted" x="0" y="${y + 4}">${name}</text>`,
  );
  return {
    height: serverY + 8 + levelsOf(server) * LEVEL_HEIGHT,
    body: markup`${hosts}${drawStems(client, clientY, -1)}${drawStems(server, serverY, 1)}${arrows}${drawTexts(client, clientY - 7, -1)}${drawTexts(server, serverY + 16, 1)}`,
  };
}

/** One for all packets alike that one side sent together. */
function labelsOf(packets: readonly Packet[], from: Packet['from'], lengthMs: number, at: Scale['at']): Label[] {
  const groups: { label: string; first: Packet; last: Packet; count: number; lost: number }[] = [];
  for (const packet of packets) {
    if (packet.from !== from || UNLABELLED.has(packet.label)) continue;
    const lost = packet.arrivedAtMs === undefined ? 1 : 0;
    const group = groups.findLast(
      ({ label, last, first }) =>
        label === packet.label &&
        first.protocol === packet.protocol &&
        packet.sentAtMs - last.sentAtMs <= lengthMs * TOGETHER,
    );
    if (group === undefined) {
      groups.push({ label: packet.label, first: packet, last: packet, count: 1, lost });
      continue;
    }
    group.last = packet;
    group.count++;
    group.lost += lost;
  }
  return groups.map(({ label, first, count, lost }) => {
    const times = count > 1 ? ` × ${count}` : '';
    const losses = lost === 0 ? '' : count === 1 ? ', lost' : lost === count ? ', all lost' : `, ${lost} lost`;
    return { x: at(first.sentAtMs), text: `${shortLabel(label)}${times}${losses}` };
  });
}

const LABEL_MAX = 20;

function shortLabel(label: string): string {
  const characters = [...label];
  return characters.length <= LABEL_MAX ? label : `${characters.slice(0, LABEL_MAX - 1).join('')}…`;
}

/** How long packets usually take, for those that never arrived. */
function transitOf(packets: readonly Packet[]): number | undefined {
  const taken = packets.flatMap(({ sentAtMs, arrivedAtMs }) =>
    arrivedAtMs === undefined ? [] : [arrivedAtMs - sentAtMs],
  );
  return taken.sort((one, other) => one - other)[Math.floor(taken.length / 2)];
}

function drawArrow(
  packet: Packet,
  transitMs: number,
  at: Scale['at'],
  clientY: number,
  serverY: number,
  end: number,
): Markup {
  const { from, sentAtMs, arrivedAtMs, label } = packet;
  const kind = kindOf(packet);
  const lost = arrivedAtMs === undefined;
  const [startY, targetY] = from === 'client' ? [clientY, serverY] : [serverY, clientY];
  const startX = at(sentAtMs);
  const targetX = at(arrivedAtMs ?? sentAtMs + transitMs);
  // What is still under way at the end is drawn until there.
  const part = Math.min(lost ? LOST_AT : 1, targetX > end ? (end - startX) / (targetX - startX) : 1);
  const x = startX + (targetX - startX) * part;
  const y = startY + (targetY - startY) * part;
  const line = markup`<path class="${kind} arrow ${UNLABELLED.has(label) ? FAINT : ''}" d="M${startX} ${startY}L${x} ${y}"/>`;
  if (lost && part === LOST_AT) {
    return markup`${line}<path class="${kind}" stroke-width="2" d="M${x - CROSS} ${y - CROSS}l${2 * CROSS} ${2 * CROSS}m0 ${-2 * CROSS}l${-2 * CROSS} ${2 * CROSS}"/>`;
  }
  return part < 1 ? line : markup`${line}${drawHead(kind, startX, startY, x, y)}`;
}

function drawHead(kind: string, fromX: number, fromY: number, x: number, y: number): Markup {
  const length = Math.hypot(x - fromX, y - fromY) || 1;
  const [alongX, alongY] = [(x - fromX) / length, (y - fromY) / length];
  const [backX, backY] = [x - alongX * HEAD_LENGTH, y - alongY * HEAD_LENGTH];
  const [acrossX, acrossY] = [-alongY * HEAD_WIDTH, alongX * HEAD_WIDTH];
  return markup`<path class="${kind}-head" d="M${x} ${y}L${backX + acrossX} ${backY + acrossY}L${backX - acrossX} ${backY - acrossY}z"/>`;
}

function kindOf({ protocol, label, bytes }: Packet): 'udp' | 'handshake' | 'data' {
  if (protocol === 'udp') return 'udp';
  return HANDSHAKE.has(label) && bytes === 0 ? 'handshake' : 'data';
}

function drawPhases(marks: readonly { atMs: number }[], startsAtMs: number, at: Scale['at'], y: number): Markup[] {
  return marks.map(({ atMs }, index) => {
    const from = at(marks[index - 1]?.atMs ?? startsAtMs);
    const colour = index % 2 === 0 ? 'other' : 'reference';
    return markup`<rect class="${colour}" x="${from}" y="${y}" width="${Math.max(0, at(atMs) - from - 1)}" height="${PHASE_BAR}"/>`;
  });
}

/** From a place on the line to the far end of its label, or to the near one where the label had to move across. */
function drawStems(labels: readonly PlacedLabel[], y: number, direction: 1 | -1): Markup[] {
  return labels.map(({ x, textX, level }) => {
    const length = level * LEVEL_HEIGHT + (textX < x ? 3 : 16);
    return markup`<path class="axis" d="M${x} ${y}v${direction * length}"/>`;
  });
}

function drawTexts(labels: readonly PlacedLabel[], y: number, direction: 1 | -1): Markup[] {
  return labels.map(
    ({ textX, level, text }) =>
      markup`<text class="halo" x="${textX}" y="${y + direction * level * LEVEL_HEIGHT}">${text}</text>`,
  );
}

function drawTicks(axis: TimeAxis, startsAtMs: number, at: Scale['at'], bottom: number, width: number): Markup {
  const unitMs = axis.roundTripMs ?? 1;
  const unit = unitOf(axis);
  const values = niceTicks(axis.lengthMs / unitMs, MAX_TICKS, unit === 'ms' ? 0 : 1);
  const shown = values.filter((value) => value * unitMs <= axis.lengthMs);
  const apart = shown.length > 1 ? at(unitMs * (shown[1] ?? 0)) - at(0) : 0;
  const drawn = shown.map((value, index) => {
    const x = at(startsAtMs + value * unitMs);
    const named = `${tickText(value)} ${unit === 'ms' ? 'ms' : value === 1 ? 'round trip' : 'round trips'}`;
    const fits = x + textWidth(named, TEXT_SIZE) / 2 <= width && textWidth(named, TEXT_SIZE) / 2 + 14 <= apart;
    return markup`<path class="rule" d="M${x} 0V${bottom + 6}"/><text class="muted middle" x="${x}" y="${bottom + 20}">${index === 1 && fits ? named : tickText(value)}</text>`;
  });
  return markup`${drawn}`;
}

export function waterfallLegend(width: number): Drawing {
  return legend(
    [
      { text: 'UDP', sample: arrowSample('udp') },
      { text: 'TCP handshake', sample: arrowSample('handshake') },
      { text: 'TCP', sample: arrowSample('data') },
      { text: 'lost', sample: markup`<path class="data" stroke-width="2" d="M6 2l8 8m0 -8l-8 8"/>` },
    ] satisfies LegendEntry[],
    width,
  );
}

function arrowSample(kind: string): Markup {
  return markup`<path class="${kind} arrow" d="M0 6H16"/><path class="${kind}-head" d="M20 6l-7 -3v6z"/>`;
}
