/** How many calls a second go through 64 connections, and what CPU does one take? As JSON, and as a stream sent at once. */
import { line, medianOf, short } from "../support/table.ts";
import { burstEvents } from "./answers.ts";
import { measure, type GatewayBench, type Samples } from "./measure.ts";
import { labels, noiseOf, rangeOf } from "./table.ts";
import { wayNames, type WayName } from "./ways.ts";

interface Question {
  readonly title: string;
  readonly kind: "json" | "burst";
  /** The least ratio of our calls a second to those of others. */
  readonly atLeast: Readonly<Partial<Record<WayName, number>>>;
  readonly cpuMicroseconds?: number;
}

const connections = 64;
const seconds = 4;

export function measureJson(bench: GatewayBench): Promise<string> {
  const title = `gateway, JSON, ${connections} connections`;
  return answer(bench, { title, kind: "json", atLeast: { raw: 1, portkey: 8 }, cpuMicroseconds: 60 });
}

export function measureBurst(bench: GatewayBench): Promise<string> {
  const title = `gateway, streams of ${burstEvents} events at once, ${connections} connections`;
  return answer(bench, { title, kind: "burst", atLeast: { raw: 1.8, portkey: 8 } });
}

async function answer(bench: GatewayBench, question: Question): Promise<string> {
  const { title, kind } = question;
  return format(question, await measure(bench, title, { kind, connections, seconds: seconds * bench.scale }));
}

function format(question: Question, samples: Samples): string {
  const of = (way: WayName, key: "perSecond" | "cpuMicroseconds"): number => medianOf(samples.get(way) ?? [], key);
  const ratio = (way: WayName, other: WayName): string => {
    const times = of(way, "perSecond") / of(other, "perSecond");
    const goal = way === "postern" ? question.atLeast[other] : undefined;
    if (!samples.has(other)) return "–";
    return goal === undefined
      ? times.toFixed(2)
      : `${times.toFixed(2)} (goal ${goal}: ${times >= goal ? "met" : "missed"})`;
  };
  const cpu = (way: WayName): string => {
    const range = rangeOf(samples.get(way) ?? [], "cpuMicroseconds");
    const goal = way === "postern" ? question.cpuMicroseconds : undefined;
    if (way === "direct") return "–";
    return goal === undefined
      ? range
      : `${range} (goal ${goal}: ${of(way, "cpuMicroseconds") <= goal ? "met" : "missed"})`;
  };
  const head = [
    `**${question.title}**`,
    "calls/s: median (min–max)",
    "÷ raw",
    "÷ Portkey",
    "÷ direct",
    "CPU µs/call",
    "raw's CPU ÷",
    "p50 / p99 ms",
    "proxy / load / others (max)",
  ];
  const lines = wayNames.flatMap((way) => {
    const ofWay = samples.get(way);
    if (!ofWay) return [];
    return line([
      labels[way],
      rangeOf(ofWay, "perSecond"),
      ratio(way, "raw"),
      ratio(way, "portkey"),
      ratio(way, "direct"),
      cpu(way),
      way === "direct" ? "–" : (of("raw", "cpuMicroseconds") / of(way, "cpuMicroseconds")).toFixed(2),
      `${short(medianOf(ofWay, "p50Ms"))} / ${short(medianOf(ofWay, "p99Ms"))}`,
      noiseOf(ofWay),
    ]);
  });
  return [line(head), line(head.map(() => "---")), ...lines].join("\n");
}
