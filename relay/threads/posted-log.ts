import { logLevels, type Log, type LogFields, type LogLevel } from "../../shared/log.ts";
import type { LogLine } from "./messages.ts";

/** How long a line may wait for others: to wake the other thread for each would cost more than the line. */
const maxWaitMs = 50;
const maxHeld = 256;

export interface PostedLog {
  readonly log: Log;
  /** Posts what is held; to be called before the thread ends. */
  readonly flush: () => void;
}

/** A log whose lines are written by another thread, some at a time. */
export function postedLog(level: LogLevel, post: (lines: readonly LogLine[]) => void): PostedLog {
  let lines: LogLine[] = [];
  let timer: NodeJS.Timeout | undefined;
  const flush = (): void => {
    clearTimeout(timer);
    timer = undefined;
    if (lines.length > 0) post(lines);
    lines = [];
  };
  const emit =
    (name: LogLevel) =>
    (event: string, fields: LogFields = {}): void => {
      if (logLevels.indexOf(name) < logLevels.indexOf(level)) return;
      lines.push([name, event, fields]);
      if (lines.length >= maxHeld) flush();
      else timer ??= setTimeout(flush, maxWaitMs);
    };
  return { log: { debug: emit("debug"), info: emit("info"), warn: emit("warn"), error: emit("error") }, flush };
}
