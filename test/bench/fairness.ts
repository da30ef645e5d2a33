/** How long does a token of one visitor take while others download at full speed, or have stopped reading? */
import { runTokens, startBulk, stallConnections, type Door } from "./support/load.ts";
import type { Bench } from "./support/measure.ts";
import { labels, line, medianOf, short } from "./support/table.ts";
import type { WayName } from "./support/ways.ts";

const names = ["direct", "haproxy", "pool", "tls", "http2", "ssh"] as const satisfies WayName[];
const streams = 4;
const seconds = 5;
/** For the others to be at full speed, or to have filled every buffer. */
const settleMs = 700;
const goals = { movedMs: 10, timesHaproxy: 2 };

/** Who else is there. */
const companies = {
  alone: { bulk: 0, stalled: 0 },
  "1 bulk": { bulk: 1, stalled: 0 },
  "1 bulk, 1 stalled": { bulk: 1, stalled: 1 },
  "8 bulk": { bulk: 8, stalled: 0 },
} as const;
type Company = keyof typeof companies;
const companyNames = Object.keys(companies) as Company[];

interface Sample {
  readonly way: WayName;
  readonly company: Company;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

export async function measureFairness({ client, ways, repetitions, scale }: Bench): Promise<string> {
  const samples: Sample[] = [];
  for (let repetition = 0; repetition < repetitions; repetition++)
    for (const company of companyNames)
      for (const way of names) {
        const { p50Ms, p99Ms } = await measureOnce(client, ways.all[way], company, seconds * scale);
        samples.push({ way, company, p50Ms, p99Ms });
        console.error(`  tokens, ${company}: ${way} ${p50Ms} / ${p99Ms} ms`);
      }
  return format(samples);
}

async function measureOnce(client: string, door: Door, company: Company, ofSeconds: number) {
  const { bulk, stalled } = companies[company];
  const held = stalled > 0 ? await stallConnections(client, door, stalled) : undefined;
  await using _ = bulk > 0 ? startBulk(client, door, bulk) : undefined;
  await new Promise((resolve) => setTimeout(resolve, settleMs));
  const result = await runTokens(client, door, { streams, seconds: ofSeconds });
  await held?.release();
  return result;
}

function format(samples: readonly Sample[]): string {
  const of = (way: WayName, company: Company, key: "p50Ms" | "p99Ms"): number =>
    medianOf(
      samples.filter((sample) => sample.way === way && sample.company === company),
      key,
    );
  const p99 = (way: WayName, company: Company): number => of(way, company, "p99Ms");
  const judge = (company: Company): string => {
    const moved = p99("pool", company) - p99("pool", "alone");
    if (company === "1 bulk, 1 stalled")
      return ` (goal +${goals.movedMs}: ${moved <= goals.movedMs ? "met" : "missed"})`;
    const times = p99("pool", company) / p99("haproxy", company);
    if (company === "8 bulk")
      return ` (goal ${goals.timesHaproxy} × HAProxy: ${times <= goals.timesHaproxy ? "met" : "missed"})`;
    return "";
  };
  const head = ["**a token of 64 bytes, p50 / p99 ms**", ...companyNames];
  const lines = names.map((way) =>
    line([
      labels[way],
      ...companyNames.map(
        (company) =>
          `${short(of(way, company, "p50Ms"))} / ${short(p99(way, company))}${way === "pool" ? judge(company) : ""}`,
      ),
    ]),
  );
  return [line(head), line(head.map(() => "---")), ...lines].join("\n");
}
