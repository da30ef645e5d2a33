import { afterEach, describe, expect, it, vi } from "vitest";
import { failed, pass } from "../../../../shared/attestation/check.ts";
import type { ModelReport } from "../../../../tee-bot/attestation/near/model-report.ts";
import { reverifyMs } from "../../../../tee-bot/attestation/near/model-standing.ts";
import { ModelWatch } from "../../../../tee-bot/attestation/near/model-watch.ts";
import { recordingLog } from "../../support/log.ts";
import { ManualClock } from "../../support/manual-clock.ts";

let running: ModelWatch | undefined;
let answer: (() => void) | undefined;
afterEach(async () => {
  answer?.();
  await running?.[Symbol.asyncDispose]();
});

const good = (model: string, at: number): ModelReport => ({
  model,
  at,
  verdict: "verified",
  checks: [pass("model-quote", "Good.")],
  keys: [],
  measured: [],
  gatewayKey: undefined,
  evidence: new Uint8Array(),
});

function start(verify: (model: string, now: number) => ModelReport | Promise<ModelReport>) {
  const clock = new ManualClock(1_000_000);
  const log = recordingLog();
  const looked: string[] = [];
  const changes: string[] = [];
  const watch = new ModelWatch({
    provider: "near",
    verify: async (model) => {
      looked.push(model);
      return verify(model, clock.now());
    },
    clock,
    random: () => 0.5,
    log,
    onChange: (model, { state }) => void changes.push(`${model} ${state}`),
  });
  running = watch;
  return { clock, log, looked, changes, watch };
}

/** Lets the loop go on until it sleeps for long. */
async function settle(clock: ManualClock, isDone: () => boolean): Promise<void> {
  await vi.waitFor(() => {
    if (!isDone()) clock.advance(250);
    expect(isDone()).toBe(true);
  });
}

describe("the watch over models", () => {
  it("looks at each, one after the other, and again after half an hour", async () => {
    let underWay = 0;
    let most = 0;
    const { clock, looked, changes, watch } = start(async (model, now) => {
      most = Math.max(most, ++underWay);
      await Promise.resolve();
      underWay--;
      return good(model, now);
    });
    watch.follow(["a", "b", "c"]);
    await settle(clock, () => changes.length === 3);
    expect(looked).toEqual(["a", "b", "c"]);
    expect(most).toBe(1);
    expect(watch.standingOf("b")?.state).toBe("verified");
    clock.advance(reverifyMs);
    await settle(clock, () => looked.length === 6);
  });

  it("forgets models that are not listed any more, and does not look at them", async () => {
    const { clock, looked, watch } = start(good);
    watch.follow(["a", "b"]);
    await settle(clock, () => looked.length === 2);
    watch.follow(["b"]);
    expect(watch.standingOf("a")).toBeUndefined();
    clock.advance(reverifyMs);
    await settle(clock, () => looked.length === 3);
    expect(looked.at(-1)).toBe("b");
  });

  it("tells once what has changed, with the reason, and goes on when a look throws", async () => {
    let isBad = false;
    const { clock, log, looked, changes, watch } = start((model, now) => {
      if (model === "lost") throw new Error("no answer");
      const refused = { ...good(model, now), verdict: "refused" as const, checks: [failed("model-key", "Other.")] };
      return isBad ? refused : good(model, now);
    });
    watch.follow(["lost", "a"]);
    await settle(clock, () => changes.includes("a verified"));
    isBad = true;
    clock.advance(reverifyMs);
    await settle(clock, () => changes.includes("a refused"));
    const told = log.events
      .filter(({ fields }) => fields["model"] === "a")
      .map(({ event, fields }) => [event, fields["reason"]]);
    expect(told).toEqual([
      ["model.verified", undefined],
      ["model.distrusted", "model-key: Other."],
    ]);
    expect(watch.standingOf("lost")).toMatchObject({ state: "claimed", reason: "no answer" });
    expect(looked.filter((model) => model === "lost").length).toBeGreaterThan(0);
  });

  it("looks once when several answers ask for a newer look", async () => {
    const { clock, looked, watch } = start(good);
    watch.follow(["a"]);
    await settle(clock, () => looked.length === 1);
    const renewed = Promise.all([watch.renew("a"), watch.renew("a"), watch.renew("a")]);
    await clock.untilSleeping((ms) => ms <= 5_000 && ms > 250);
    clock.advance(5_000);
    expect((await renewed).map((standing) => standing?.state)).toEqual(["verified", "verified", "verified"]);
    expect(looked).toEqual(["a", "a"]);
  });

  it("takes a model out at once when one of its answers is wrong", async () => {
    const { clock, looked, changes, watch } = start(good);
    watch.follow(["a"]);
    await settle(clock, () => looked.length === 1 && changes.length === 1);
    watch.distrust("a", "answer-signature: Other bytes.");
    expect(watch.standingOf("a")?.state).toBe("refused");
    expect(changes).toEqual(["a verified", "a refused"]);
    watch.distrust("unknown", "nobody");
    expect(watch.standingOf("unknown")).toBeUndefined();
  });

  it("does not forget a wrong answer because the model was not listed for a while", async () => {
    const { clock, changes, watch } = start(good);
    watch.follow(["a"]);
    await settle(clock, () => changes.length === 1);
    watch.distrust("a", "answer-signature: Other bytes.");
    watch.follow([]);
    watch.follow(["a"]);
    expect(watch.standingOf("a")?.state).toBe("refused");
  });

  it("ends with the node, also in the midst of a look", async () => {
    const { looked, watch } = start(
      (model, now) => new Promise((resolve) => (answer = () => resolve(good(model, now)))),
    );
    watch.follow(["a"]);
    await vi.waitFor(() => expect(looked).toEqual(["a"]));
    answer?.();
    await watch[Symbol.asyncDispose]();
    expect(watch.standingOf("a")?.state).toBe("claimed");
  });
});
