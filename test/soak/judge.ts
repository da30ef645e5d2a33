/** What a soak must have been like to pass. Rules only. */
import type { Disturbance, Exchange } from "./exchange.ts";
import { decideGrowth, type Growth, type Series } from "./slope.ts";

export interface Observations {
  /** Exchanges by kind and outcome. */
  readonly counts: ReadonlyMap<string, Readonly<Record<Exchange["outcome"], number>>>;
  /** Exchanges that went wrong and that nothing excuses. */
  readonly unexcused: readonly Exchange[];
  /** Names that did not answer in time after a fault, each in words. */
  readonly stuck: readonly string[];
  /** Visitors that a relay still had when there were none, in words. */
  readonly lingering: readonly string[];
  /** Crashes and log lines that should not be. */
  readonly incidents: readonly string[];
  readonly series: readonly Series[];
}

export interface Verdict {
  readonly ok: boolean;
  /** What was wrong, each in a line. */
  readonly findings: readonly string[];
  readonly growths: readonly Growth[];
}

export function judge(observations: Observations): Verdict {
  const { counts, unexcused, stuck, lingering, incidents, series } = observations;
  const growths = series.map(decideGrowth);
  const done = [...counts.values()].reduce((sum, { done: number }) => sum + number, 0);
  const findings = [
    ...(done === 0 ? ["nothing was exchanged"] : []),
    ...unexcused.map((exchange) => `${exchange.outcome}: ${describeExchange(exchange)}`),
    ...stuck.map((words) => `stuck: ${words}`),
    ...lingering.map((words) => `lingering: ${words}`),
    ...incidents.map((words) => `incident: ${words}`),
    ...growths.filter(({ grows }) => grows).map(({ words }) => `growth: ${words}`),
  ];
  return { ok: findings.length === 0, findings, growths };
}

/**
 * Whether a fault accounts for what a visitor met. Wrong bytes are never excused, and an end that looked like the whole
 * answer only where the visitor's own relay was killed.
 */
export function isExcused(exchange: Exchange, disturbances: readonly Disturbance[]): boolean {
  const { outcome, startedAt, endedAt, relay, node, forwarded } = exchange;
  if (outcome === "done") return true;
  if (outcome === "corrupt") return false;
  const touches = (labels: readonly string[]): boolean => labels.includes(relay) || (forwarded && labels.length > 0);
  return disturbances.some(
    ({ from, until, relays, nodes, endsCleanly }) =>
      from <= endedAt &&
      startedAt <= (until ?? Number.POSITIVE_INFINITY) &&
      (outcome === "short" ? endsCleanly && relays.includes(relay) : touches(relays) || nodes.includes(node)),
  );
}

export function describeExchange({ kind, node, relay, forwarded, startedAt, endedAt, detail }: Exchange): string {
  const through = forwarded ? `${relay} and another relay` : relay;
  return `${kind} of ${node} through ${through}, ${Math.round(endedAt - startedAt)} ms: ${detail}`;
}
