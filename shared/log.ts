import type { Clock } from "./clock.ts";

const levels = { debug: 10, info: 20, warn: 30, error: 40 } as const;

export type LogLevel = keyof typeof levels;
export const logLevels = Object.keys(levels) as [LogLevel, ...LogLevel[]];

/** What an event may carry: sizes, durations, ids, codes. Never a body, a token or a key. */
export type LogFields = Readonly<Record<string, string | number | boolean | null | undefined | readonly string[]>>;

/** `event` is `noun.past-tense`: `lease.granted`, `splice.closed`. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

export interface JsonLogOptions {
  process: string;
  level: LogLevel;
  clock: Clock;
  /** Receives one line without its newline. */
  write: (line: string) => void;
}

/** One JSON object a line: `{"time":…,"level":…,"process":…,"event":…,…fields}`. */
export function jsonLog({ process, level, clock, write }: JsonLogOptions): Log {
  const emit =
    (name: LogLevel) =>
    (event: string, fields: LogFields = {}): void => {
      if (levels[name] < levels[level]) return;
      write(JSON.stringify({ time: new Date(clock.now()).toISOString(), level: name, process, event, ...fields }));
    };
  return { debug: emit("debug"), info: emit("info"), warn: emit("warn"), error: emit("error") };
}

export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
