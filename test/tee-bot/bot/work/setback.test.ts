import { describe, expect, it } from "vitest";
import { AppError } from "../../../../shared/errors.ts";
import { ModelError } from "../../../../tee-bot/bot/model/model-error.ts";
import { decideSetback, modelRetriesMs } from "../../../../tee-bot/bot/work/setback.ts";

const facts = { ending: undefined, attempts: 0, maxAttempts: 8, storeAwayMs: 0 };

describe("a setback", () => {
  it("of a model that is away is tried again a few times, and then told", () => {
    for (const [attempts, delayMs] of modelRetriesMs.entries())
      expect(decideSetback(new ModelError("outage"), { ...facts, attempts })).toEqual({
        kind: "postpone",
        reason: "model-outage",
        delayMs,
        isCounted: true,
      });
    const last = decideSetback(new ModelError("outage"), { ...facts, attempts: modelRetriesMs.length });
    expect(last).toMatchObject({ kind: "say", sentence: expect.stringContaining("cannot be reached") });
  });

  it("is told at the last attempt that the mailbox allows, so that each message has an answer", () => {
    expect(decideSetback(new ModelError("outage"), { ...facts, maxAttempts: 1 }).kind).toBe("say");
    expect(decideSetback(new Error("a fault"), { ...facts, maxAttempts: 1 }).kind).toBe("say");
  });

  it("waits for as long as a busy model asks, and not for minutes", () => {
    const busy = (retryAfterMs: number) => decideSetback(new ModelError("rate-limited", { retryAfterMs }), facts);
    expect(busy(20_000)).toMatchObject({ kind: "postpone", delayMs: 20_000 });
    expect(busy(10)).toMatchObject({ kind: "postpone", delayMs: modelRetriesMs[0] });
    expect(busy(120_000)).toMatchObject({ kind: "say", sentence: expect.stringContaining("2 minutes") });
  });

  it.each(["auth", "privacy", "no-model", "too-long", "refused", "timeout"] as const)(
    "that is the same each time (%s) is told at once, in a sentence of its own",
    (trouble) => {
      const setback = decideSetback(new ModelError(trouble, { requestId: "req_1" }), facts);
      expect(setback).toEqual({
        kind: "say",
        reason: `model-${trouble}`,
        sentence: new ModelError(trouble).sentence,
        requestId: "req_1",
      });
    },
  );

  it("of a store that is away counts for no mail, and is looked at less often the longer it lasts", () => {
    const away = (storeAwayMs: number) =>
      decideSetback(new AppError("upstream-unavailable", "Redis is away."), { ...facts, attempts: 7, storeAwayMs });
    expect(away(1)).toMatchObject({ kind: "postpone", isCounted: false, delayMs: 500 });
    expect(away(10_000)).toMatchObject({ kind: "postpone", isCounted: false, delayMs: 5_000 });
    expect(away(3_600_000)).toMatchObject({ kind: "postpone", isCounted: false, delayMs: 15_000 });
  });

  it("says nothing of what a fault of ours carries", () => {
    const setback = decideSetback(new Error("secret text"), { ...facts, attempts: 5 });
    expect(JSON.stringify(setback)).not.toContain("secret");
    expect(setback).toMatchObject({ kind: "say", reason: "internal" });
  });

  it("is none where its author wants no answer any more, and comes later where the bot stops", () => {
    expect(decideSetback(new Error("aborted"), { ...facts, ending: "stopped" })).toEqual({ kind: "drop" });
    expect(decideSetback(new Error("aborted"), { ...facts, ending: "withdrawn" })).toEqual({ kind: "drop" });
    expect(decideSetback(new Error("aborted"), { ...facts, ending: "stopping", attempts: 7 })).toEqual({
      kind: "postpone",
      reason: "stopping",
      delayMs: 0,
      isCounted: false,
    });
  });
});
