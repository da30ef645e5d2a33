/** How many small requests a second go over 64 connections that stay open? */
import { measure, type Bench, type Row } from "./support/measure.ts";

const connections = 64;
const bodyBytes = 64;
const seconds = 4;

export function measureRequests(bench: Bench): Promise<Row> {
  return measure(bench, {
    title: `keep-alive requests, ${connections} connections`,
    unit: "requests/s",
    cpuUnit: "CPU µs/request",
    goals: [
      { way: "pool", over: "haproxy", atLeast: 0.92 },
      { way: "pool", over: "ssh", atLeast: 1.5 },
    ],
    load: { bodyBytes, connections, seconds: seconds * bench.scale, connect: "keep" },
    value: (result) => result.exchanges / result.seconds,
    cpu: (cpuSeconds, { exchanges }) => (cpuSeconds * 1e6) / exchanges,
    latency: true,
  });
}
