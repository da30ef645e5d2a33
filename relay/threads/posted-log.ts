import { logLevels, type Log, type LogFields, type LogLevel } from "../../shared/log.ts";
import type { LogLine } from "./messages.ts";

/** A log whose lines are written by another thread, those of one turn together. */
export function postedLog(level: LogLevel, post: (lines: readonly LogLine[]) => void): Log {
  let lines: LogLine[] = [];
  const emit =
    (name: LogLevel) =>
    (event: string, fields: LogFields = {}): void => {
      if (logLevels.indexOf(name) < logLevels.indexOf(level)) return;
      if (lines.length === 0)
        setImmediate(() => {
          post(lines);
          lines = [];
        });
      lines.push([name, event, fields]);
    };
  return { debug: emit("debug"), info: emit("info"), warn: emit("warn"), error: emit("error") };
}
