/** The figures as Markdown tables. */
import { goalKilobytes, type IdleRow } from "../idle-visitors.ts";
import type { Cell, Row } from "./measure.ts";
import type { WayName } from "./ways.ts";

export const labels: Record<WayName, string> = {
  direct: "direct",
  haproxy: "HAProxy",
  pool: "Postern, pool",
  tls: "Postern, pool inside TLS",
  http2: "Postern, HTTP/2",
  ssh: "ssh -R",
  exposed: "Postern, with a node beside the server",
};

export function formatRow({ title, unit, cpuUnit, goals, cells }: Row): string {
  const of = (way: WayName): number => medianOf(cells[way] ?? [], "value");
  const lines = entriesOf(cells).map(([way, ofWay]) => {
    const values = ofWay.map(({ value }) => value);
    const judged = goals
      .filter((goal) => goal.way === way)
      .map(({ over, atLeast }) => `${atLeast} × ${labels[over]}: ${of(way) / of(over) >= atLeast ? "met" : "missed"}`);
    return line([
      labels[way],
      `${short(of(way))} (${short(Math.min(...values))}–${short(Math.max(...values))})`,
      (of(way) / of("haproxy")).toFixed(2),
      (of(way) / of("ssh")).toFixed(2),
      (of(way) / of("direct")).toFixed(2),
      judged.join("; ") || "–",
      way === "direct" ? "–" : short(medianOf(ofWay, "relayCpu")),
      way === "ssh" || way === "exposed" ? short(medianOf(ofWay, "nodeCpu")) : "–",
      short(medianOf(ofWay, "serverCpu")),
      latencyOf(ofWay),
      `${percent(medianOf(ofWay, "clientShare"))} / ${percent(Math.max(...ofWay.map((cell) => cell.otherShare)))}`,
    ]);
  });
  const head = [
    `**${title}**`,
    `${unit}: median (min–max)`,
    "÷ HAProxy",
    "÷ ssh -R",
    "÷ direct",
    "goals",
    `relay ${cpuUnit}`,
    "node",
    "server",
    "p50 / p99 ms",
    "client / others (max)",
  ];
  return [line(head), line(head.map(() => "---")), ...lines].join("\n");
}

export function formatIdle(rows: readonly IdleRow[]): string {
  const head = ["**idle visitors**", "count", "relay RSS MB", "relay kB a visitor", "server kB a visitor"];
  const ways = new Set(rows.map(({ way }) => way));
  const lines = [...ways].map((way) => {
    const ofWay = rows.filter((row) => row.way === way);
    const kilobytes = ofWay.map(({ relayKilobytes }) => relayKilobytes);
    const middle = medianOf(ofWay, "relayKilobytes");
    const judged = way === "pool" ? ` (goal ${goalKilobytes}: ${middle <= goalKilobytes ? "met" : "missed"})` : "";
    return line([
      labels[way],
      String(ofWay[0]?.visitors),
      `${short(medianOf(ofWay, "relayMegabytesBefore"))} → ${short(medianOf(ofWay, "relayMegabytesAfter"))}`,
      `${short(middle)} (${short(Math.min(...kilobytes))}–${short(Math.max(...kilobytes))})${judged}`,
      short(medianOf(ofWay, "serverKilobytes")),
    ]);
  });
  return [line(head), line(head.map(() => "---")), ...lines].join("\n");
}

function entriesOf<K extends string, V>(of: Readonly<Partial<Record<K, V>>>): [K, V][] {
  return Object.entries(of) as [K, V][];
}

function latencyOf(cells: readonly Cell[]): string {
  if (cells[0]?.p50Ms === undefined) return "–";
  return `${short(medianOf(cells, "p50Ms"))} / ${short(medianOf(cells, "p99Ms"))}`;
}

export function medianOf<T>(items: readonly T[], key: keyof T): number {
  return median(items.map((item) => Number(item[key] ?? NaN)));
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export const line = (columns: readonly string[]): string => `| ${columns.join(" | ")} |`;
export const percent = (share: number): string => `${Math.round(100 * share)} %`;
export const short = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
