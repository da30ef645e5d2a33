/** The figures as Markdown tables. */
import { goalKilobytes, type IdleRow } from "../idle-visitors.ts";
import type { Cell, Row } from "./measure.ts";
import type { WayName } from "./ways.ts";

const labels: Record<WayName, string> = {
  direct: "direct",
  haproxy: "HAProxy",
  twice: "HAProxy behind HAProxy",
  postern: "Postern, TLS passed on",
  terminated: "Postern, TLS ends in the node",
};

export function formatRow({ title, unit, cpuUnit, goal, cells }: Row): string {
  const reference = medianOf(cells.haproxy ?? [], "value");
  const twice = medianOf(cells.twice ?? [], "value");
  const floor = medianOf(cells.direct ?? [], "value");
  const lines = Object.entries(cells).map(([way, ofWay]) => {
    const values = ofWay.map(({ value }) => value);
    const value = medianOf(ofWay, "value");
    const ratio = value / reference;
    const isGoverned = way === "postern";
    return line([
      labels[way as WayName],
      `${short(value)} (${short(Math.min(...values))}–${short(Math.max(...values))})`,
      `${ratio.toFixed(2)}${isGoverned ? ` (goal ${goal}: ${ratio >= goal ? "met" : "missed"})` : ""}`,
      (value / twice).toFixed(2),
      (value / floor).toFixed(2),
      way === "direct" ? "–" : short(medianOf(ofWay, "relayCpu")),
      way === "direct" || way === "haproxy" ? "–" : short(medianOf(ofWay, "nodeCpu")),
      latencyOf(ofWay),
      `${percent(medianOf(ofWay, "clientShare"))} / ${percent(Math.max(...ofWay.map((cell) => cell.otherShare)))}`,
    ]);
  });
  const head = [
    `**${title}**`,
    `${unit}: median (min–max)`,
    "÷ HAProxy",
    "÷ HAProxy twice",
    "÷ direct",
    `relay ${cpuUnit}`,
    `node ${cpuUnit}`,
    "p50 / p99 ms",
    "client / others (max)",
  ];
  return [line(head), line(head.map(() => "---")), ...lines].join("\n");
}

export function formatIdle(rows: readonly IdleRow[]): string {
  const head = ["**idle visitors**", "count", "relay RSS MB", "relay kB a visitor", "node kB a visitor"];
  const ways = new Set(rows.map(({ way }) => way));
  const lines = [...ways].map((way) => {
    const ofWay = rows.filter((row) => row.way === way);
    const kilobytes = ofWay.map(({ relayKilobytes }) => relayKilobytes);
    const middle = medianOf(ofWay, "relayKilobytes");
    const judged = way === "postern" ? ` (goal ${goalKilobytes}: ${middle <= goalKilobytes ? "met" : "missed"})` : "";
    return line([
      labels[way],
      String(ofWay[0]?.visitors),
      `${short(medianOf(ofWay, "relayMegabytesBefore"))} → ${short(medianOf(ofWay, "relayMegabytesAfter"))}`,
      `${short(middle)} (${short(Math.min(...kilobytes))}–${short(Math.max(...kilobytes))})${judged}`,
      way === "haproxy" ? "–" : short(medianOf(ofWay, "nodeKilobytes")),
    ]);
  });
  return [line(head), line(head.map(() => "---")), ...lines].join("\n");
}

function latencyOf(cells: readonly Cell[]): string {
  if (cells[0]?.p50Ms === undefined) return "–";
  return `${short(medianOf(cells, "p50Ms"))} / ${short(medianOf(cells, "p99Ms"))}`;
}

function medianOf<T>(items: readonly T[], key: keyof T): number {
  return median(items.map((item) => Number(item[key] ?? NaN)));
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2;
}

export const line = (columns: readonly string[]): string => `| ${columns.join(" | ")} |`;
const percent = (share: number): string => `${Math.round(100 * share)} %`;
export const short = (value: number): string => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
