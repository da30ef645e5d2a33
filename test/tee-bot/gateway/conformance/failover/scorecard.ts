/** `node test/tee-bot/gateway/conformance/failover/scorecard.ts`: plays every scenario and prints the table of docs/gateway.md. */
import { judge, type Judgement } from "./judge.ts";
import { play, type Delivery } from "./play.ts";
import { scenarios } from "./scenarios.ts";

export const deliveries = ["stream", "whole"] as const satisfies readonly Delivery[];

export interface Row {
  readonly id: string;
  readonly title: string;
  readonly stream: Judgement;
  readonly whole: Judgement;
}

export function formatScorecard(rows: readonly Row[]): string {
  const lines = rows.map(
    ({ id, title, stream, whole }) => `| ${id} | ${title} | ${stream.verdict} | ${whole.verdict} |`,
  );
  const passed = (delivery: Delivery): number => rows.filter((row) => row[delivery].verdict === "pass").length;
  return [
    "| | the provider | streaming | `whole` |",
    "|---|---|---|---|",
    ...lines,
    `| | passed of ${rows.length} | ${passed("stream")} | ${passed("whole")} |`,
  ].join("\n");
}

async function printScorecard(): Promise<void> {
  const rows: Row[] = [];
  for (const scenario of scenarios) {
    const [stream, whole] = await Promise.all(
      deliveries.map(async (one) => judge(scenario, await play(scenario, one))),
    );
    if (stream && whole) rows.push({ id: scenario.id, title: scenario.title, stream, whole });
  }
  console.log(formatScorecard(rows));
  for (const { id, stream, whole } of rows) console.log(`${id}: ${stream.why} | ${whole.why}`);
}

if (import.meta.main) await printScorecard();
