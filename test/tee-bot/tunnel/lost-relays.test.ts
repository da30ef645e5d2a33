import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { NodeId } from "../../../shared/registry/node-id.ts";
import { decideUnreachable, LostRelays, type TunnelFacts } from "../../../tee-bot/tunnel/lost-relays.ts";
import { ManualClock } from "../support/manual-clock.ts";

const [one, two] = ["a1".repeat(32) as NodeId, "b2".repeat(32) as NodeId];
const up = (relay: NodeId): TunnelFacts => ({ relay, state: "up", downSince: undefined });
const down = (relay: NodeId, downSince: number): TunnelFacts => ({ relay, state: "connecting", downSince });
const draining = (relay: NodeId): TunnelFacts => ({ relay, state: "draining", downSince: undefined });

describe("a relay is told to be unreachable", () => {
  test("when its tunnel has been down for longer than a restart takes, while another is up", () => {
    expect(decideUnreachable([up(one), down(two, 0)], undefined, 4_999)).toEqual([]);
    expect(decideUnreachable([up(one), down(two, 0)], undefined, 5_000)).toEqual([two]);
  });

  test("not while it may be the node that is cut off: with no tunnel up and no word from the edge for a while", () => {
    const tunnels = [down(one, 0), down(two, 0)];
    expect(decideUnreachable(tunnels, undefined, 3_600_000)).toEqual([]);
    expect(decideUnreachable(tunnels, 3_590_000, 3_600_000)).toEqual([]);
    expect(decideUnreachable(tunnels, 3_580_000, 3_600_000)).toEqual([one, two]);
  });
});

describe("lost relays", () => {
  let clock: ManualClock;
  let tunnels: TunnelFacts[];
  let asked: number;
  let lost: LostRelays;
  beforeEach(() => {
    clock = new ManualClock(0);
    tunnels = [up(one), up(two)];
    asked = 0;
    lost = new LostRelays({ tunnels: () => tunnels, onLost: () => asked++, clock, random: () => 0.5 });
    lost.check();
  });
  afterEach(() => lost[Symbol.dispose]());

  async function become(...facts: TunnelFacts[]): Promise<void> {
    tunnels = facts;
    lost.check();
    await new Promise(setImmediate);
  }
  async function pass(ms: number): Promise<void> {
    clock.advance(ms);
    await new Promise(setImmediate);
  }

  test("make the node ask once, at a random moment after the grace", async () => {
    await become(up(one), down(two, 0));
    await become(up(one), down(two, 0));
    await pass(14_999);
    expect(asked).toBe(0);
    await pass(1);
    expect(asked).toBe(1);
    expect(lost.troubles()).toEqual({ unreachable: [two], draining: [] });
    await pass(600_000);
    expect(asked).toBe(1);
  });

  test("that are back in time, or are left, are not asked about", async () => {
    await become(up(one), down(two, 0));
    await pass(6_000);
    await become(up(one), up(two));
    await become(down(one, 6_000), up(two));
    await become(up(two));
    await pass(60_000);
    expect([asked, clock.sleeping]).toEqual([0, []]);
  });

  test("are asked about anew when they are lost again", async () => {
    for (const at of [0, 20_000]) {
      await become(up(one), down(two, at));
      await pass(20_000);
      await become(up(one), up(two));
    }
    expect(asked).toBe(2);
  });

  test("are all told only when the edge has answered for a while with no tunnel up", async () => {
    lost.reached(); // while tunnels are up it proves nothing for later
    await become(down(one, 0), down(two, 0));
    await pass(30_000);
    expect(lost.troubles().unreachable).toEqual([]);
    lost.reached();
    await pass(10_000);
    lost.notReached();
    lost.reached();
    await pass(19_999);
    lost.reached();
    expect(lost.troubles().unreachable).toEqual([]);
    await pass(1);
    expect(lost.troubles().unreachable).toEqual([one, two]);
  });

  test("are others than relays that stop, which are told at once", async () => {
    await become(up(one), draining(two));
    expect(lost.troubles()).toEqual({ unreachable: [], draining: [two] });
    expect(clock.sleeping).toEqual([]);
  });

  test("are forgotten when the node stops", async () => {
    await become(down(one, 0), down(two, 0));
    lost[Symbol.dispose]();
    await pass(60_000);
    expect([asked, clock.sleeping]).toEqual([0, []]);
  });
});
