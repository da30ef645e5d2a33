/** Times of orders as Markdown tables. */
import { goalAboveMs, type OrderTime, type OrderTimes } from "../acme-orders.ts";
import type { OrdersInFlight } from "../orders-in-flight.ts";
import { line, median, short } from "./table.ts";

export function formatOrderTimes({ directMs, first, renewal }: OrderTimes): string {
  const direct = median(directMs);
  const judged = (above: number): string =>
    `${short(above)} (goal ${goalAboveMs}: ${above <= goalAboveMs ? "met" : "missed"})`;
  const row = (name: string, times: readonly number[], shown: (above: number) => string): string => {
    const middle = median(times);
    const range = `${short(Math.min(...times))}–${short(Math.max(...times))}`;
    return line([name, `${short(middle)} (${range})`, shown(middle - direct), String(times.length)]);
  };
  const pair = (name: string, times: readonly OrderTime[]): string[] => [
    row(
      `${name}, until the edge has it`,
      times.map(({ edgeMs }) => edgeMs),
      judged,
    ),
    row(
      `${name}, until the node has it`,
      times.map(({ nodeMs }) => nodeMs),
      judged,
    ),
  ];
  return [
    line(["**time of an order, two names**", "ms: median (min–max)", "above the CA's own", "orders"]),
    line(["---", "---", "---", "---"]),
    row("acme-client alone: the CA's own", directMs, () => "–"),
    ...pair("first certificate", first),
    ...pair("renewal", renewal),
  ].join("\n");
}

export function formatOrdersInFlight(found: OrdersInFlight): string {
  const { nodes, seconds, orderMs, edgeCpuSeconds, caCpuSeconds, worldCpuSeconds, caRequests, dnsCalls } = found;
  const head = [
    "**orders at once**",
    "all valid after s",
    "ms an order: median (max)",
    "edge CPU ms an order",
    "CPU s: edge / CA / the rest",
    "CA requests",
    "DNS API calls",
    "node's requests",
    "warnings",
  ];
  const row = [
    String(nodes),
    short(seconds),
    `${short(median(orderMs))} (${short(Math.max(...orderMs))})`,
    short((1000 * edgeCpuSeconds) / nodes),
    [edgeCpuSeconds, caCpuSeconds, worldCpuSeconds].map(short).join(" / "),
    String(caRequests),
    String(dnsCalls),
    String(found.edgeRequests),
    found.complaints.length === 0 ? "none" : [...new Set(found.complaints)].join(", "),
  ];
  return [line(head), line(head.map(() => "---")), line(row)].join("\n");
}
