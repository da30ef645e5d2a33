/** How much memory does a gateway have after a million calls? */
import { line, percent, short } from "../support/table.ts";
import { readPeakBytes, readResidentBytes } from "../support/proc.ts";
import { measureOnce, type GatewayBench } from "./measure.ts";
import { labels } from "./table.ts";

const connections = 64;
const calls = 1_000_000;
/** Portkey would take a quarter of an hour for as many. */
const callsOfPortkey = 100_000;
const restMs = 3_000;
const goalMegabytes = 250;

/** Of processes that have served nobody yet: start others for it. */
export async function measureMemory({ ways, scale }: GatewayBench): Promise<string> {
  const head = ["**gateway, memory**", "calls", "RSS MB before", "after", "most meanwhile", "CPU µs/call", "others"];
  const lines: string[] = [];
  for (const way of ways.all) {
    if (way.pid === undefined) continue;
    const exchanges = Math.ceil((way.name === "portkey" ? callsOfPortkey : calls) * scale);
    const before = readResidentBytes(way.pid) / 1e6;
    const { cpuMicroseconds, otherShare } = await measureOnce(ways, way, { kind: "json", connections, exchanges });
    await new Promise((resolve) => setTimeout(resolve, restMs));
    const after = readResidentBytes(way.pid) / 1e6;
    const judged =
      way.name === "postern" ? ` (goal ${goalMegabytes}: ${after <= goalMegabytes ? "met" : "missed"})` : "";
    console.error(`  gateway, memory: ${way.name} ${before.toFixed(0)} → ${after.toFixed(0)} MB`);
    lines.push(
      line([
        labels[way.name],
        exchanges.toLocaleString("en"),
        short(before),
        `${short(after)}${judged}`,
        short(readPeakBytes(way.pid) / 1e6),
        short(cpuMicroseconds),
        percent(otherShare),
      ]),
    );
  }
  return [line(head), line(head.map(() => "---")), ...lines].join("\n");
}
