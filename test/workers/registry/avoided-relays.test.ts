import { expect, test } from "vitest";
import { decideAvoidMs } from "../../../workers/registry/avoided-relays.ts";

test("a relay is avoided for a minute, then for twice as long each time, and never for more than half an hour", () => {
  expect([1, 2, 3, 4, 5, 6, 1_000].map((times) => decideAvoidMs(times) / 60_000)).toEqual([1, 2, 4, 8, 16, 30, 30]);
});
