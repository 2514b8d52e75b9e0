/** What tcpdump has seen of connections, read with tcpdump itself: a measure that shares no code with the harness. */
import { spawnSync } from 'node:child_process';

export interface CapturedConnection {
  /** What the client said first, or together with its SYN. */
  carrier: 'udp' | 'tcp';
  /** From the SYN to the server's last bytes before the client leaves, ms. */
  ms: number;
  /** How often the client waited for the server, a round trip each. */
  roundTrips: number;
}

interface Line {
  at: number;
  fromClient: boolean;
  protocol: 'udp' | 'tcp';
  port: string;
  flags: string;
  bytes: number;
}

const CLIENT = '10.88.0.1';
/** Of tcpdump -tt: time, addresses, and what follows. */
const LINE = /^(\d+\.\d+) IP (\S+)\.(\d+) > \S+\.(\d+): (.*)$/;

export function flightsOf(pcap: string, roundTripMs: number): CapturedConnection[] {
  const lines = linesOf(pcap);
  const opened = lines.filter(({ flags, fromClient }) => fromClient && flags === 'S');
  return opened.flatMap(({ port, at: begunAt }) => {
    const own = lines.filter((line) => line.protocol === 'tcp' && line.port === port && line.at >= begunAt);
    const leftAt =
      own.find(({ fromClient, flags }) => fromClient && /[FR]/.test(flags))?.at ?? Number.POSITIVE_INFINITY;
    const heard = own.filter(({ fromClient, at }) => !fromClient && at < leftAt);
    const answer = heard.findLast(({ bytes }) => bytes > 0);
    if (!answer) return []; // the link's own check of its round trip
    // On this host nothing comes between: one connection is under way at a time.
    const isTurbo = lines.some(
      ({ protocol, fromClient, at }) =>
        protocol === 'udp' && fromClient && at >= begunAt && at < begunAt + roundTripMs / 2,
    );
    return [
      {
        carrier: isTurbo ? 'udp' : 'tcp',
        ms: answer.at - begunAt,
        roundTrips: waitsOf(
          heard.filter(({ at }) => at <= answer.at),
          begunAt,
          roundTripMs,
        ),
      },
    ];
  });
}

/** What comes within half a round trip belongs to the same flight of the server. */
function waitsOf(heard: readonly Line[], begunAt: number, roundTripMs: number): number {
  let waits = 0;
  let flightAt = begunAt;
  for (const { at } of heard) {
    if (at - flightAt < roundTripMs / 2) continue;
    waits++;
    flightAt = at;
  }
  return waits;
}

function linesOf(pcap: string): Line[] {
  const { stdout, stderr, status } = spawnSync('tcpdump', ['-tt', '-n', '-r', pcap], { encoding: 'utf8' });
  if (status !== 0) throw new Error(`tcpdump cannot read ${pcap}: ${stderr}`);
  return stdout.split('\n').flatMap((text) => {
    const [, time, from, fromPort, toPort, rest = ''] = LINE.exec(text) ?? [];
    if (time === undefined || fromPort === undefined || toPort === undefined) return [];
    const fromClient = from === CLIENT;
    const flags = /Flags \[([^\]]*)\]/.exec(rest)?.[1];
    return [
      {
        at: Number(time) * 1000,
        fromClient,
        protocol: flags === undefined ? ('udp' as const) : ('tcp' as const),
        port: fromClient ? fromPort : toPort,
        flags: flags ?? '',
        bytes: Number(/length (\d+)/.exec(rest)?.[1] ?? 0),
      },
    ];
  });
}
