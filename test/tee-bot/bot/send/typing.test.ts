import { describe, expect, it } from "vitest";
import { noCounts } from "../../../../tee-bot/bot/send/send-counts.ts";
import { lingerMs, Typing } from "../../../../tee-bot/bot/send/typing.ts";
import type { CallOptions } from "../../../../tee-bot/bot/send/signal-api.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { directChat } from "./support/memory-outbox.ts";

const account = "+15550000001";
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Calls are answered at once, or wait for their turn until `release`. */
function world({ isHeld = false } = {}) {
  const clock = new ManualClock(1_000_000);
  const told: string[] = [];
  const counts = noCounts();
  const state = { isPaused: false, fails: false };
  const held: (() => void)[] = [];
  const api = {
    typing: async (_: string, recipient: string, isOn: boolean, { isStale, onTurn }: CallOptions = {}) => {
      if (isHeld) await new Promise<void>((resolve) => held.push(resolve));
      if (isStale?.()) throw new Error("It is stale.");
      onTurn?.();
      told.push(`${recipient} ${isOn ? "on" : "off"}`);
      if (state.fails) throw new Error("It failed.");
    },
  };
  const typing = new Typing({ api, isPaused: () => state.isPaused, counts, clock });
  const pass = async (ms: number): Promise<void> => {
    await turn();
    clock.advance(ms);
    await turn();
  };
  return { clock, told, counts, state, typing, pass, release: () => held.splice(0).forEach((go) => go()) };
}

describe("the sign that the bot is writing", () => {
  it("is shown at once, again every eight seconds, and taken away at the end", async () => {
    const { typing, told, pass, clock } = world();
    const shown = typing.show(account, directChat("a"));
    await turn();
    expect(told).toEqual(["a on"]);
    await pass(7_999);
    expect(told).toHaveLength(1);
    await pass(1);
    await pass(8_000);
    expect(told).toEqual(["a on", "a on", "a on"]);
    shown[Symbol.dispose]();
    shown[Symbol.dispose]();
    await pass(lingerMs - 1);
    expect(told).toHaveLength(3); // the reply goes first
    await pass(1);
    expect(told.slice(3)).toEqual(["a off"]);
    expect(clock.sleeping).toEqual([]);
  });

  it("is one for a chat, however many write there, until the last has ended", async () => {
    const { typing, told, pass } = world();
    const shown = [typing.show(account, directChat("a")), typing.show(account, directChat("a"))];
    typing.show(account, directChat("b"))[Symbol.dispose]();
    await pass(8_000);
    shown[0]![Symbol.dispose]();
    await pass(8_000);
    expect(told.filter((one) => one === "a on")).toHaveLength(3);
    expect(told).not.toContain("a off");
    shown[1]![Symbol.dispose]();
    await pass(lingerMs);
    expect(told.at(-1)).toBe("a off");
  });

  it("is not taken away by an earlier end when it is shown anew", async () => {
    const { typing, told, release } = world({ isHeld: true });
    const first = typing.show(account, directChat("a"));
    release();
    await turn();
    first[Symbol.dispose]();
    await turn(); // the end waits for its turn
    using _ = typing.show(account, directChat("a"));
    release();
    await turn();
    expect(told).toEqual(["a on", "a on"]);
  });

  it("is given up for a minute after three failures", async () => {
    const { typing, told, pass, state, counts } = world();
    state.fails = true;
    using _ = typing.show(account, directChat("a"));
    for (let count = 0; count < 8; count++) await pass(8_000);
    expect([told.length, counts.typingFailed]).toEqual([3, 3]);
    state.fails = false;
    for (let count = 0; count < 3; count++) await pass(8_000);
    expect(counts.typingSent).toBeGreaterThan(0);
  });

  it("is not shown while nothing can be sent, and not taken away where it was never shown", async () => {
    const { typing, told, pass, state } = world();
    state.isPaused = true;
    const shown = typing.show(account, directChat("a"));
    await pass(8_000);
    state.isPaused = false;
    shown[Symbol.dispose]();
    await turn();
    expect(told).toEqual([]);
  });

  it("is left out when its turn comes too late, or after the end", async () => {
    const { typing, told, clock, counts, release } = world({ isHeld: true });
    const shown = typing.show(account, directChat("a"));
    clock.advance(4_001);
    release();
    await turn();
    const ended = typing.show(account, directChat("b"));
    ended[Symbol.dispose]();
    release();
    await turn();
    shown[Symbol.dispose]();
    await turn();
    expect([told, counts.typingFailed]).toEqual([[], 0]);
  });
});
