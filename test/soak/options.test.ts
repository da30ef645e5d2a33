import { expect, it } from "vitest";
import { incidentIn } from "./member.ts";
import { parseSoakOptions } from "./options.ts";
import { decideGapMs } from "./pace.ts";

it("a soak takes an hour, half of the machine and a seed of its own unless told otherwise", () => {
  expect(parseSoakOptions([], 42)).toMatchObject({ minutes: 60, cpu: 0.5, seed: 42, everyMs: [15_000, 45_000] });
  expect(parseSoakOptions(["--minutes", "1.5", "--seed", "7", "--every", "5,8", "--cruel"], 42)).toMatchObject({
    minutes: 1.5,
    seed: 7,
    everyMs: [5_000, 8_000],
    cruel: true,
  });
});

it.each([["--minutes", "x"], ["--minutes", ""], ["--cpu", "2"], ["--every", "8,5"], ["--every", "5"], ["--what"]])(
  "a soak refuses %s %s",
  (...args) => {
    expect(() => parseSoakOptions(args, 1)).toThrow();
  },
);

it("a soak's visitors come more slowly above the limit, and faster below it, within bounds", () => {
  expect(decideGapMs(50, 0.8, 0.5)).toBeGreaterThan(50);
  expect(decideGapMs(50, 0.2, 0.5)).toBeLessThan(50);
  let gapMs = 50;
  for (let at = 0; at < 100; at++) gapMs = decideGapMs(gapMs, 1, 0.1);
  expect(gapMs).toBeLessThanOrEqual(1_000);
});

it("an incident is a log line of level error, or what is no log line", () => {
  expect(incidentIn('{"level":"error","event":"visitor.failed"}')).toContain("visitor.failed");
  expect(incidentIn("    at Socket.emit (node:events:519:28)")).toContain("Socket");
  expect(incidentIn('{"level":"warn","event":"heartbeat.failed"}')).toBeUndefined();
  expect(incidentIn("")).toBeUndefined();
});
