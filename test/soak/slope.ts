/**
 * Whether something grows. A line is laid through samples by least squares; it grows when even the lower end of what its
 * slope may be lies above the limit, so that noise and short series prove nothing.
 */

export interface Sample {
  readonly at: number;
  readonly value: number;
}

export interface Series {
  /** Such as `relay-a (pid 712) resident memory`. */
  readonly name: string;
  readonly unit: string;
  /** More than this an hour is a leak. */
  readonly limitPerHour: number;
  readonly samples: readonly Sample[];
}

export interface Growth {
  readonly grows: boolean;
  /** Undefined when there are too few samples. */
  readonly perHour: number | undefined;
  readonly words: string;
}

export interface Slope {
  readonly perMs: number;
  /** The standard error of the slope. */
  readonly error: number;
}

const minSamples = 6;
/** Below the slope found; the true one lies above that in more than 99 of 100 series, even with six samples. */
const errorsBelow = 3.5;
const hourMs = 3_600_000;

export function decideGrowth({ name, unit, limitPerHour, samples }: Series): Growth {
  const slope = samples.length < minSamples ? undefined : slopeOf(samples);
  if (!slope) return { grows: false, perHour: undefined, words: `${name}: ${samples.length} samples, too few` };
  const perHour = slope.perMs * hourMs;
  const error = slope.error * hourMs;
  const values = samples.map(({ value }) => value);
  const words =
    `${name}: ${round(values[0])} → ${round(values.at(-1))} ${unit}, ${signed(perHour)} ± ${round(error)} an hour ` +
    `in ${samples.length} samples`;
  return { grows: perHour - errorsBelow * error > limitPerHour, perHour, words };
}

/** The line through the samples by least squares; undefined for fewer than three, or all at one time. */
export function slopeOf(samples: readonly Sample[]): Slope | undefined {
  const count = samples.length;
  if (count < 3) return undefined;
  const mean = (of: (sample: Sample) => number): number => samples.reduce((sum, one) => sum + of(one), 0) / count;
  const meanAt = mean(({ at }) => at);
  const meanValue = mean(({ value }) => value);
  const spread = mean(({ at }) => (at - meanAt) ** 2) * count;
  if (spread === 0) return undefined;
  const perMs = (mean(({ at, value }) => (at - meanAt) * (value - meanValue)) * count) / spread;
  const residuals = mean(({ at, value }) => (value - meanValue - perMs * (at - meanAt)) ** 2) * count;
  return { perMs, error: Math.sqrt(residuals / (count - 2) / spread) };
}

function signed(value: number): string {
  return `${value < 0 ? "−" : "+"}${round(Math.abs(value))}`;
}

function round(value = 0): string {
  return value.toFixed(value !== 0 && Math.abs(value) < 10 ? 1 : 0);
}
