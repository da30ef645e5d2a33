/** The node of `postern start` for which long waits are short: what it does every ten minutes, it does every few seconds. */
import { systemClock, type Clock } from "../../shared/clock.ts";
import { jsonLog } from "../../shared/log.ts";
import { onTermination } from "../../shared/nodejs/termination.ts";
import { readConfig } from "../../tee-bot/config.ts";
import { runNode } from "../../tee-bot/node.ts";

const minuteMs = 60_000;

const clock: Clock = {
  ...systemClock,
  sleep: (ms, signal) => systemClock.sleep(ms > minuteMs ? ms / 100 : ms > minuteMs / 3 ? ms / 10 : ms, signal),
};
const write = (line: string): void => void process.stderr.write(`${line}\n`);
const log = jsonLog({ process: "node", level: "info", clock, write });
process.once("disconnect", () => process.exit());
await runNode(
  { config: readConfig(process.env), clock, log, onStatus: (status) => process.send?.({ status }) },
  onTermination(),
);
