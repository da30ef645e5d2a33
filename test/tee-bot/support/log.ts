import type { Log, LogFields } from "../../../shared/log.ts";

export interface RecordedEvent {
  readonly level: keyof Log;
  readonly event: string;
  readonly fields: LogFields;
}

/** A log whose events the test looks at. */
export function recordingLog(): Log & { readonly events: RecordedEvent[] } {
  const events: RecordedEvent[] = [];
  const record =
    (level: keyof Log) =>
    (event: string, fields: LogFields = {}): void =>
      void events.push({ level, event, fields });
  return { events, debug: record("debug"), info: record("info"), warn: record("warn"), error: record("error") };
}
