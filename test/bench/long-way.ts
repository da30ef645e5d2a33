/** How much of a line of 100 ms round trip does one visitor get, when the node is at the other end of it? */
import { startDelayLine } from "../support/delay-line.ts";
import { runLoad } from "./support/load.ts";
import type { Bench } from "./support/measure.ts";
import { labels, line, medianOf, short } from "./support/table.ts";

const transports = ["pool", "tls", "http2"] as const;
const bytesPerSecond = 25_000_000;
const roundTripMs = 100;
const seconds = 6;
const goal = 0.8;

interface Sample {
  readonly way: (typeof transports)[number];
  readonly share: number;
}

export async function measureLongWay({ client, ways, repetitions, scale }: Bench): Promise<string> {
  using line = await startDelayLine(ways.all.pool.port, { roundTripMs, bytesPerSecond });
  const names = new Map<Sample["way"], string>();
  for (const transport of transports) names.set(transport, await ways.openTunnel(transport, line.port));
  const samples: Sample[] = [];
  const bodyBytes = Math.ceil(bytesPerSecond * seconds * scale);
  for (let repetition = 0; repetition < repetitions; repetition++)
    for (const [way, serverName] of names) {
      const load = { bodyBytes, connections: 1, exchanges: 1, connect: "keep" } as const;
      const result = await runLoad(client, { port: ways.all.pool.port, serverName }, load);
      samples.push({ way, share: result.bytes / result.seconds / bytesPerSecond });
      console.error(`  ${roundTripMs} ms to the node: ${way} ${samples.at(-1)?.share}`);
    }
  return format(samples);
}

function format(samples: readonly Sample[]): string {
  const megabits = (8 * bytesPerSecond) / 1e6;
  const head = [`**a download over ${roundTripMs} ms and ${megabits} Mbit/s to the node**`, "share of the line"];
  const lines = transports.map((transport) => {
    const share = medianOf(
      samples.filter(({ way }) => way === transport),
      "share",
    );
    return line([labels[transport], `${short(share)} (goal ${goal}: ${share >= goal ? "met" : "missed"})`]);
  });
  return [line(head), line(head.map(() => "---")), ...lines].join("\n");
}
