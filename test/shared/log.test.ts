import { describe, expect, it } from "vitest";
import { jsonLog, logLevels, silentLog, type LogLevel } from "../../shared/log.ts";

function record(level: LogLevel): { lines: string[]; log: ReturnType<typeof jsonLog> } {
  const lines: string[] = [];
  const clock = { now: () => Date.UTC(2026, 0, 2), sleep: () => Promise.resolve() };
  return { lines, log: jsonLog({ process: "relay", level, clock, write: (line) => lines.push(line) }) };
}

describe("jsonLog", () => {
  it("writes one JSON object a line, the event first and its fields after it", () => {
    const { lines, log } = record("info");
    log.info("splice.closed", { bytes: 12, reason: "idle\nlong", names: ["a", "b"], node: undefined });
    expect(lines).toEqual([
      '{"time":"2026-01-02T00:00:00.000Z","level":"info","process":"relay","event":"splice.closed","bytes":12,"reason":"idle\\nlong","names":["a","b"]}',
    ]);
  });

  it.each([
    ["debug", ["debug", "info", "warn", "error"]],
    ["info", ["info", "warn", "error"]],
    ["warn", ["warn", "error"]],
    ["error", ["error"]],
  ] as const)("at level %s writes %j", (level, expected) => {
    const { lines, log } = record(level);
    for (const name of logLevels) log[name]("thing.happened");
    expect(lines.map((line) => (JSON.parse(line) as { level: string }).level)).toEqual(expected);
  });
});

describe("silentLog", () => {
  it("takes every event", () => {
    expect(() => logLevels.forEach((level) => silentLog[level]("thing.happened"))).not.toThrow();
  });
});
