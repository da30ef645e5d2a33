/**
 * A process that makes garbage of which some survives, for some seconds, and prints how large its young generation is then.
 * Argument: `bound`, for one that keeps it small.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { getHeapSpaceStatistics } from "node:v8";
import { boundYoungGeneration } from "../../tee-bot/cli/young-generation.ts";

const forMs = 3_000;
const pauseMs = 10;
const survivors = 30_000;
const made = 100_000;

if (process.argv[2] === "bound") boundYoungGeneration();
const until = performance.now() + forMs;
let kept: object[] = [];
while (performance.now() < until) {
  for (let count = 0; count < made; count++) {
    kept.push({ count, more: [count] });
    if (kept.length > survivors) kept = [];
  }
  await sleep(pauseMs);
}
console.log(getHeapSpaceStatistics().find(({ space_name }) => space_name === "new_space")?.space_size);
