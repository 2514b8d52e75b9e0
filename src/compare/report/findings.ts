/** What a report comes to: for each group TurboTLS, or the fastest, against its reference. */
import type { Group, Report, Run } from '../model.js';
import { groupsOf, msText, type Row, shortRoundTrips } from '../words.js';

export interface Finding {
  group: Group;
  run: Run;
  best: Row;
  reference: Row;
}

/** Nearer to 1 than this, nothing was gained. */
const NOTICEABLE = 0.02;

export function findingsOf({ runs }: Report): Finding[] {
  const run = runs.find(({ sweep }) => sweep === 'cases') ?? runs[0];
  if (run === undefined) return [];
  return [...groupsOf(run)].flatMap(([group, rows]) => {
    const measured = rows.filter(({ summary }) => summary.median !== undefined);
    const others = measured.filter(
      ({ result, summary }) => result.reference !== result.id && summary.ratio !== undefined,
    );
    const best =
      others.find(({ summary: { carriers } }) => carriers.udp > carriers.tcp) ??
      others.toSorted((one, other) => (one.summary.ratio ?? 0) - (other.summary.ratio ?? 0))[0];
    const reference = measured.find(({ result }) => result.id === best?.result.reference);
    return best && reference ? [{ group, run, best, reference }] : [];
  });
}

export function headlineOf(findings: readonly Finding[]): string {
  const [first] = findings;
  if (first === undefined) return 'Ways to connect, compared';
  const { amount, instead, unit } = figuresOf(first);
  const { ratio = 1 } = first.best.summary;
  if (Math.abs(1 - ratio) < NOTICEABLE) return `Nothing gained here: first byte after ${amount} ${unit} either way`;
  return `First byte after ${amount} ${unit} instead of ${instead}`;
}

export function figuresOf({ best, reference }: Finding): { amount: string; instead: string; unit: string } {
  const [own, other] = [best.summary, reference.summary];
  if (own.roundTrips !== undefined && other.roundTrips !== undefined) {
    return {
      amount: shortRoundTrips(own.roundTrips),
      instead: shortRoundTrips(other.roundTrips),
      unit: 'round trips',
    };
  }
  return { amount: msText(own.median ?? 0), instead: msText(other.median ?? 0), unit: 'ms' };
}
