import type { Clock } from "../shared/clock.ts";
import { jsonLog, type Log, type LogLevel } from "../shared/log.ts";

/** Workers have no other output than the console: one line per event. */
export function edgeLog(level: LogLevel, clock: Clock): Log {
  // oxlint-disable-next-line no-console
  return jsonLog({ process: "edge", level, clock, write: (line) => console.log(line) });
}
