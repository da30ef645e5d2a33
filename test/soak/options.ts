/** The flags of `npm run soak`. */
import { parseArgs } from "node:util";

export interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  /** Least and most time between two faults. */
  readonly everyMs: readonly [number, number];
  /** Of all cores; more visitors come only below it. */
  readonly cpu: number;
  readonly visitors: number;
  /** Worker threads of each relay. */
  readonly workers: readonly number[];
  readonly cruel: boolean;
  /** Where the report goes as JSON. */
  readonly json: string | undefined;
  /** State and logs stay here; else they are gone at the end. */
  readonly keep: string | undefined;
}

export const usage = `npm run soak -- [flags]

  --minutes N       how long (60)
  --seed N          repeats the faults of an earlier run (random)
  --every A,B       seconds between two faults (15,45)
  --cpu SHARE       of all cores, at most (0.5)
  --visitors N      at once (24)
  --workers A,B,C   worker threads of the three relays (1,2,2)
  --cruel           two relays at once, too
  --json FILE       the report as JSON
  --keep DIRECTORY  state and logs, to look at afterwards
`;

const maxMinutes = 7 * 24 * 60;

/** Throws with what is wrong; undefined when help was asked for. */
export function parseSoakOptions(args: readonly string[], randomSeed: number): SoakOptions | undefined {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: "string", default: "60" },
      seed: { type: "string", default: String(randomSeed) },
      every: { type: "string", default: "15,45" },
      cpu: { type: "string", default: "0.5" },
      visitors: { type: "string", default: "24" },
      workers: { type: "string", default: "1,2,2" },
      cruel: { type: "boolean", default: false },
      json: { type: "string" },
      keep: { type: "string" },
      help: { type: "boolean", default: false },
    },
  });
  if (values.help) return undefined;
  const every = list("every", values.every, 0.1, 3_600);
  if (every.length !== 2 || (every[0] ?? 0) > (every[1] ?? 0))
    throw new Error("--every is the least and the most, A,B.");
  return {
    minutes: number("minutes", values.minutes, 0.1, maxMinutes),
    seed: number("seed", values.seed, 0, 2 ** 32 - 1),
    everyMs: [(every[0] ?? 0) * 1_000, (every[1] ?? 0) * 1_000],
    cpu: number("cpu", values.cpu, 0.01, 1),
    visitors: number("visitors", values.visitors, 1, 1_000),
    workers: list("workers", values.workers, 1, 64),
    cruel: values.cruel,
    json: values.json,
    keep: values.keep,
  };
}

function list(flag: string, text: string, min: number, max: number): number[] {
  return text.split(",").map((part) => number(flag, part, min, max));
}

function number(flag: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (text.trim() === "" || !(value >= min && value <= max)) throw new Error(`--${flag} is from ${min} to ${max}.`);
  return value;
}
