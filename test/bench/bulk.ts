/** How many bytes a second does one visitor get, and how many do sixteen get together? */
import { measure, type Bench, type Row } from "./support/measure.ts";

const mebibyte = 2 ** 20;
const gibibyte = 2 ** 30;
const totalBytes = 2 * gibibyte;

export function measureBulk(bench: Bench, visitors: 1 | 16): Promise<Row> {
  const bodyBytes = Math.ceil((totalBytes * bench.scale) / visitors);
  return measure(bench, {
    title: visitors === 1 ? "bulk, one visitor" : `bulk, ${visitors} visitors`,
    unit: "MiB/s",
    cpuUnit: "CPU s/GiB",
    goals: [
      { way: "pool", over: "haproxy", atLeast: visitors === 1 ? 0.8 : 0.9 },
      { way: "pool", over: "ssh", atLeast: 2.5 },
      { way: "tls", over: "haproxy", atLeast: 0.5 },
      { way: "http2", over: "haproxy", atLeast: 0.35 },
    ],
    load: { bodyBytes, connections: visitors, exchanges: visitors, connect: "keep" },
    value: ({ bytes, seconds }) => bytes / mebibyte / seconds,
    cpu: (seconds, { bytes }) => seconds / (bytes / gibibyte),
  });
}
