import { describe, expect, it } from "vitest";
import { Attempts } from "../../../../tee-bot/gateway/providers/attempts.ts";
import type { Member } from "../../../../tee-bot/gateway/providers/member.ts";
import { retire } from "../../../../tee-bot/gateway/providers/retire.ts";
import { ManualClock } from "../../support/manual-clock.ts";

function create() {
  const clock = new ManualClock();
  const attempts = new Attempts({ clock, random: () => 1, isAway: () => false, onBreaker: () => {} });
  const done: string[] = [];
  const provider = {
    async [Symbol.asyncDispose]() {
      done.push("provider");
      await Promise.resolve();
    },
  };
  const member = { attempts, provider, close: () => done.push("looks") } as unknown as Member;
  return { clock, attempts, done, member };
}

describe("a provider that is let go", () => {
  it("is looked at no more, but open for calls that were led there, and those under way", async () => {
    const { clock, attempts, done, member } = create();
    const retired = retire(member, clock, new AbortController().signal);
    expect(done).toEqual(["looks"]);
    const permit = attempts.admit(); // a call that waited for its turn
    clock.advance(await clock.untilSleeping(() => true));
    for (let second = 0; second < 3; second++) clock.advance(await clock.untilSleeping((ms) => ms === 1_000));
    const restMs = await clock.untilSleeping(() => true);
    expect(done).toEqual(["looks"]);
    permit?.[Symbol.dispose]();
    clock.advance(restMs);
    await retired;
    expect(done).toEqual(["looks", "provider"]);
  });

  it("is open for a minute at least, and no longer than the node runs", async () => {
    const { clock, done, member } = create();
    const stop = new AbortController();
    const retired = retire(member, clock, stop.signal);
    clock.advance(59_000);
    await new Promise((resolve) => setImmediate(resolve));
    expect(done).toEqual(["looks"]);
    stop.abort();
    await retired;
    expect(done).toEqual(["looks", "provider"]);
  });
});
