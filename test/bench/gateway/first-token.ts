/** How much later do tokens come through a gateway? About 64 streams at a time, each of 50 events, one every 20 ms. */
import { pacedEvents, pacedEveryMs } from "./answers.ts";
import { measure, type GatewayBench } from "./measure.ts";
import { formatAdded } from "./table.ts";

const streams = 64;
/** Each stream lasts a little under a second, so that this many a second begin evenly and as many are under way. */
const rate = (streams * 1_000) / (pacedEvents * pacedEveryMs);
const connections = 2 * streams;
const seconds = 6;
/** Streams that have begun have to end as well. */
const leastSeconds = 3;

export async function measureFirstToken(bench: GatewayBench): Promise<string> {
  const title = `gateway, ${streams} streams of ${pacedEvents} events, one every ${pacedEveryMs} ms`;
  const load = { kind: "paced", connections, rate, seconds: Math.max(leastSeconds, seconds * bench.scale) } as const;
  const columns = [
    { title: "added to the first token, p50 ms", key: "firstP50Ms", goalMs: 1 },
    { title: "p99 ms", key: "firstP99Ms" },
    { title: "added to each event, p50 ms", key: "eventP50Ms" },
    { title: "p99 ms", key: "eventP99Ms" },
  ] as const;
  return formatAdded(title, columns, "event", await measure(bench, title, load));
}
