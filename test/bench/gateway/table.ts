/** What the tables of the gateway have in common. */
import { line, median, medianOf, percent, short } from "../support/table.ts";
import type { Sample, Samples } from "./measure.ts";
import { wayNames, type WayName } from "./ways.ts";

export const labels: Record<WayName, string> = {
  direct: "direct",
  raw: "raw `node:http` proxy",
  portkey: "Portkey",
  postern: "Postern",
};

/** A column with times: how much more they are than without anything in between. */
export interface Added {
  readonly title: string;
  readonly key: "p50Ms" | "p99Ms" | "firstP50Ms" | "firstP99Ms" | "eventP50Ms" | "eventP99Ms";
  /** The most that we may add, in ms. */
  readonly goalMs?: number;
}

/** A table of what each way adds. */
export function formatAdded(title: string, columns: readonly Added[], perCall: string, samples: Samples): string {
  const head = [
    `**${title}**`,
    ...columns.map((column) => column.title),
    `CPU µs/${perCall}`,
    "proxy / load / others (max)",
  ];
  const direct = samples.get("direct") ?? [];
  const lines = wayNames.flatMap((way) => {
    const ofWay = samples.get(way);
    if (!ofWay) return [];
    const cells = columns.map(({ key, goalMs }) => {
      if (way === "direct") return `${medianOf(ofWay, key).toFixed(3)} in all`;
      const added = medianOf(ofWay, key) - medianOf(direct, key);
      if (way !== "postern" || goalMs === undefined) return added.toFixed(3);
      return `${added.toFixed(3)} (goal ${goalMs}: ${added <= goalMs ? "met" : "missed"})`;
    });
    return line([labels[way], ...cells, way === "direct" ? "–" : rangeOf(ofWay, "cpuMicroseconds"), noiseOf(ofWay)]);
  });
  return [line(head), line(head.map(() => "---")), ...lines].join("\n");
}

/** `median (min–max)`. */
export function rangeOf(samples: readonly Sample[], key: keyof Sample): string {
  const values = samples.map((sample) => sample[key]);
  return `${short(median(values))} (${short(Math.min(...values))}–${short(Math.max(...values))})`;
}

/** How busy the two cores were, and what others took of the machine. */
export function noiseOf(samples: readonly Sample[]): string {
  const others = Math.max(...samples.map(({ otherShare }) => otherShare));
  return [medianOf(samples, "proxyShare"), medianOf(samples, "loadShare"), others].map(percent).join(" / ");
}
