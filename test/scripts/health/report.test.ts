import { describe, expect, it } from "vitest";
import { exitCodeOf, formatReport, type PartHealth } from "../../../scripts/health/report.ts";

const part = (state: PartHealth["state"], words = "x"): PartHealth => ({ part: "node", state, words });

describe("the report of a health check", () => {
  it("has an exit code by its worst part", () => {
    expect(exitCodeOf([])).toBe(0);
    expect(exitCodeOf([part("well"), part("well")])).toBe(0);
    expect(exitCodeOf([part("well"), part("attention")])).toBe(1);
    expect(exitCodeOf([part("attention"), part("down")])).toBe(2);
  });

  it("has one line for each part, whatever others have said", () => {
    expect(formatReport([part("well", "fine"), part("down", "a\nb\u001b[2J")])).toBe(
      "ok   node     fine\nFAIL node     a b [2J\n",
    );
  });
});
