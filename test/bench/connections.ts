/** How many visitors a second can come, each with a full TLS handshake and one request, sixteen at a time? */
import { measure, type Bench, type Row } from "./support/measure.ts";

const concurrent = 16;
const bodyBytes = 64;
const seconds = 4;

export function measureConnections(bench: Bench): Promise<Row> {
  return measure(bench, {
    title: `new TLS connections, ${concurrent} at a time`,
    unit: "connections/s",
    cpuUnit: "CPU ms/connection",
    goals: [
      { way: "pool", over: "haproxy", atLeast: 0.95 },
      { way: "pool", over: "ssh", atLeast: 1.5 },
    ],
    load: { bodyBytes, connections: concurrent, seconds: seconds * bench.scale, connect: "new" },
    value: (result) => result.exchanges / result.seconds,
    cpu: (cpuSeconds, { exchanges }) => (cpuSeconds * 1000) / exchanges,
    latency: true,
  });
}
