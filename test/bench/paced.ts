/** What does the way through a relay add to a request when nobody hurries? 1,000 requests a second over 64 connections. */
import { runLoad } from "./support/load.ts";
import type { Bench } from "./support/measure.ts";
import { labels, line, medianOf, short } from "./support/table.ts";
import { wayNames, type WayName } from "./support/ways.ts";

const load = { bodyBytes: 64, connections: 64, exchanges: 1_000, connect: "paced" } as const;
const seconds = 4;
const settleMs = 300;
const goals = { p50Ms: 0.3, p99Ms: 2 };

interface Sample {
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export async function measurePaced({ client, ways, repetitions, scale }: Bench): Promise<string> {
  const samples = new Map<WayName, Sample[]>(wayNames.map((name) => [name, []]));
  for (let repetition = 0; repetition < repetitions; repetition++)
    for (const name of wayNames) {
      await new Promise((resolve) => setTimeout(resolve, settleMs));
      const result = await runLoad(client, ways.all[name], { ...load, seconds: seconds * scale });
      samples.get(name)?.push(result);
      console.error(`  paced requests: ${name} ${result.p50Ms} / ${result.p99Ms} ms`);
    }
  return format(samples);
}

function format(samples: ReadonlyMap<WayName, readonly Sample[]>): string {
  const of = (way: WayName, key: keyof Sample): number => medianOf(samples.get(way) ?? [], key);
  const head = [
    `**${load.exchanges.toLocaleString("en")} requests a second, paced**`,
    "p50 ms",
    "p99 ms",
    "added p50",
    "added p99",
  ];
  const lines = [...samples.keys()].map((way) => {
    const added = (key: keyof Sample): string => {
      const more = of(way, key) - of("direct", key);
      const judged = way === "pool" ? ` (goal ${goals[key]}: ${more <= goals[key] ? "met" : "missed"})` : "";
      return way === "direct" ? "–" : `${more.toFixed(3)}${judged}`;
    };
    return line([labels[way], short(of(way, "p50Ms")), short(of(way, "p99Ms")), added("p50Ms"), added("p99Ms")]);
  });
  return [line(head), line(head.map(() => "---")), ...lines].join("\n");
}
