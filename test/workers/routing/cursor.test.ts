import { expect, test } from "vitest";
import { decideResume, formatCursor, parseCursor } from "../../../workers/routing/cursor.ts";

const generation = "0123456789abcdef";
const horizon = { generation, version: 20, forgotten: 10 };

test("a cursor reads as it was written", () => {
  expect(parseCursor(formatCursor({ generation, version: 12 }))).toEqual({ generation, version: 12 });
});

test.for(["", ".", generation, `${generation}.`, `${generation}.-1`, `${generation}.1e3`, `${generation}.1.2`, "x.1"])(
  "%j is no cursor",
  (text) => {
    expect(parseCursor(text)).toBeUndefined();
  },
);

test.for<[string | undefined, number | undefined, string]>([
  [`${generation}.10`, 10, "the oldest that is still known"],
  [`${generation}.20`, 20, "the present"],
  [`${generation}.9`, undefined, "one too old"],
  [`${generation}.21`, undefined, "one from the future"],
  ["fedcba9876543210.15", undefined, "one of another generation"],
  ["nonsense", undefined, "no cursor"],
  [undefined, undefined, "nothing"],
])("after %s the hub resumes at %s: %s", ([since, version]) => {
  expect(decideResume(since, horizon)).toBe(version);
});
