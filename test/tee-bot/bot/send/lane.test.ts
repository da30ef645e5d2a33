import { describe, expect, it } from "vitest";
import { Lane } from "../../../../tee-bot/bot/send/lane.ts";

/** Work that the test ends. */
function work(): { run: () => Promise<void>; end: () => void; fail: () => void } {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  return { run: () => promise, end: resolve, fail: () => reject(new Error("It failed.")) };
}

/** Work that is done at once. */
const at = (what: () => void) => (): Promise<void> => Promise.resolve().then(what);
const giving = (text: string) => (): Promise<string> => Promise.resolve(text);

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("a lane", () => {
  it("does one thing at a time, also after one that failed", async () => {
    const lane = new Lane();
    const first = work();
    const begun: string[] = [];
    const failed = lane.run({ priority: "call", run: first.run });
    const second = lane.run({ priority: "call", run: at(() => void begun.push("second")) });
    await turn();
    expect([begun, lane.state]).toEqual([[], { waiting: 1, isBusy: true, dropped: 0 }]);
    first.fail();
    await expect(failed).rejects.toThrow("It failed.");
    await second;
    expect([begun, lane.state]).toEqual([["second"], { waiting: 0, isBusy: false, dropped: 0 }]);
  });

  it("lets go first what people wait for, each kind in its order", async () => {
    const lane = new Lane();
    const begun: string[] = [];
    const say = (text: string) => at(() => void begun.push(text));
    const first = work();
    const all = [
      lane.run({ priority: "typing", run: first.run }),
      lane.run({ priority: "typing", run: say("typing") }),
      lane.run({ priority: "receipt", run: say("receipt") }),
      lane.run({ priority: "call", run: say("reply 1") }),
      lane.run({ priority: "call", run: say("reply 2") }),
    ];
    first.end();
    await Promise.all(all);
    expect(begun).toEqual(["reply 1", "reply 2", "receipt", "typing"]);
  });

  it("leaves out what nobody wants any more by its turn", async () => {
    const lane = new Lane();
    const first = work();
    const begun: string[] = [];
    const busy = lane.run({ priority: "call", run: first.run });
    let isStale = false;
    const stale = lane.run({ priority: "typing", run: at(() => void begun.push("stale")), isStale: () => isStale });
    const fresh = lane.run({ priority: "typing", run: at(() => void begun.push("fresh")) });
    isStale = true;
    first.end();
    await expect(stale).rejects.toMatchObject({ kind: "dropped" });
    await Promise.all([busy, fresh]);
    expect([begun, lane.state.dropped]).toEqual([["fresh"], 1]);
  });

  it("takes no more than it has room for, and has room again later", async () => {
    const lane = new Lane();
    const first = work();
    const busy = lane.run({ priority: "typing", run: first.run });
    const waiting = Array.from({ length: 1_000 }, () => lane.run({ priority: "typing", run: at(() => {}) }));
    await expect(lane.run({ priority: "typing", run: at(() => {}) })).rejects.toMatchObject({ code: "overloaded" });
    const reply = lane.run({ priority: "call", run: giving("sent") });
    first.end();
    await Promise.all([busy, ...waiting]);
    expect(await reply).toBe("sent");
    expect(await lane.run({ priority: "typing", run: giving("shown") })).toBe("shown");
  });
});
