/** What was counted, in the units of Cloudflare's price list and of those whom the edge asks. */
import type { Counts } from "./metered-edge.ts";

export interface Bill {
  readonly workerRequests: number;
  /** Calls of methods, fetches and alarms. */
  readonly objectRequests: number;
  readonly alarms: number;
  /** Alarms that are set count as rows. */
  readonly rowsWritten: number;
  readonly rowsRead: number;
  /** How long objects worked, each request by itself; without the network that a deployment has between them. */
  readonly objectMs: number;
  readonly dnsCalls: number;
  readonly dohQueries: number;
  readonly caRequests: number;
}

/** Origins of the services that the edge asks. */
export interface Origins {
  readonly dns: readonly string[];
  readonly doh: readonly string[];
  readonly ca: readonly string[];
}

export function billOf(counts: Counts, origins: Origins): Bill {
  const sum = (test: (key: string) => boolean): number =>
    Object.entries(counts).reduce((total, [key, count]) => total + (test(key) ? count : 0), 0);
  const starting = (...kinds: string[]): number => sum((key) => kinds.some((kind) => key.startsWith(`${kind} `)));
  const fetches = (of: readonly string[]): number => sum((key) => of.some((origin) => key === `fetches ${origin}`));
  // "alarms set" begins with "alarms" too.
  const alarms = starting("alarms") - starting("alarms set");
  return {
    workerRequests: counts["worker requests"] ?? 0,
    objectRequests: starting("object requests") + alarms,
    alarms,
    rowsWritten: starting("rows written", "alarms set"),
    rowsRead: starting("rows read"),
    objectMs: starting("object ms"),
    dnsCalls: fetches(origins.dns),
    dohQueries: fetches(origins.doh),
    caRequests: fetches(origins.ca),
  };
}

export const noBill: Bill = {
  workerRequests: 0,
  objectRequests: 0,
  alarms: 0,
  rowsWritten: 0,
  rowsRead: 0,
  objectMs: 0,
  dnsCalls: 0,
  dohQueries: 0,
  caRequests: 0,
};

/** `[bill, how often]`, all together. */
export function sumOf(parts: readonly (readonly [Bill, number])[]): Bill {
  const keys = Object.keys(noBill) as (keyof Bill)[];
  const total = (key: keyof Bill): number => parts.reduce((sum, [bill, times]) => sum + bill[key] * times, 0);
  return Object.fromEntries(keys.map((key) => [key, total(key)])) as unknown as Bill;
}

/** An object counts as 128 MB. */
const gigabyteSecondsPerMs = 0.128 / 1000;

/** In US dollars, beyond what the paid plan of Workers includes; docs/benchmarks.md says from when. */
export const prices = {
  workerRequests: 0.3 / 1e6,
  objectRequests: 0.15 / 1e6,
  rowsWritten: 1 / 1e6,
  rowsRead: 0.001 / 1e6,
  gigabyteSeconds: 12.5 / 1e6,
} as const;

export const gigabyteSecondsOf = ({ objectMs }: Bill): number => objectMs * gigabyteSecondsPerMs;

export function dollarsOf(bill: Bill): number {
  const { gigabyteSeconds, ...ofCounts } = prices;
  const counted = Object.entries(ofCounts) as [keyof typeof ofCounts, number][];
  return counted.reduce((sum, [unit, price]) => sum + bill[unit] * price, gigabyteSecondsOf(bill) * gigabyteSeconds);
}
