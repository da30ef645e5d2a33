/** What does a gateway add to a call when nobody hurries? 500 calls a second, each timed from when it was due. */
import { measure, type GatewayBench } from "./measure.ts";
import { formatAdded } from "./table.ts";

const connections = 64;
const rate = 500;
const seconds = 6;

export async function measureAdded(bench: GatewayBench): Promise<string> {
  const title = `gateway, JSON, ${rate} calls a second`;
  const samples = await measure(bench, title, { kind: "json", connections, rate, seconds: seconds * bench.scale });
  const columns = [
    { title: "added p50 ms", key: "p50Ms", goalMs: 0.5 },
    { title: "added p99 ms", key: "p99Ms", goalMs: 2 },
  ] as const;
  return formatAdded(title, columns, "call", samples);
}
