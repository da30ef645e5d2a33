import { describe, expect, it } from "vitest";
import { failed, pass, type Check } from "../../../../shared/attestation/check.ts";
import {
  SelfCheck,
  selfCheckIntervalMs,
  type SelfCheckAnswer,
} from "../../../../tee-bot/attestation/evidence/self-check.ts";
import { quoteRequired } from "../../../../shared/attestation/policy.ts";
import { recordingLog } from "../../support/log.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const good: Check[] = quoteRequired.map((id) => pass(id, "It is so."));
const outdated: Check[] = [...good.filter(({ id }) => id !== "tcb-status"), failed("tcb-status", "It is OutOfDate.")];

interface World {
  check: SelfCheck;
  clock: ManualClock;
  looks: number;
  changes: number;
  /** What the next looks find. */
  finds: () => Promise<Check[]>;
  validUntil: number | undefined;
  log: ReturnType<typeof recordingLog>;
  stop: () => void;
}

function start(): World {
  const clock = new ManualClock();
  const log = recordingLog();
  const stop = new AbortController();
  const world: World = {
    clock,
    log,
    looks: 0,
    changes: 0,
    finds: () => Promise.resolve(good),
    validUntil: undefined,
    stop: () => stop.abort(),
    check: new SelfCheck({
      verify: async (): Promise<SelfCheckAnswer> => {
        world.looks++;
        return { checks: await world.finds(), spkiSha256: "aa", validUntil: world.validUntil };
      },
      simulated: false,
      clock,
      random: () => 1,
      log,
      onChange: () => void world.changes++,
    }),
  };
  void world.check.run(stop.signal);
  return world;
}

const looked = (world: World, times: number): Promise<void> => expect.poll(() => world.looks).toBe(times);

describe("a node's look at its own evidence", () => {
  it("waits until there is a keyset to look at, then comes every few minutes", async () => {
    const world = start();
    await world.clock.untilSleeping((ms) => ms === selfCheckIntervalMs);
    world.clock.advance(selfCheckIntervalMs);
    await world.clock.untilSleeping((ms) => ms === selfCheckIntervalMs);
    expect([world.looks, world.check.standing.state]).toEqual([0, "unknown"]);
    world.check.check();
    await looked(world, 1);
    expect(world.check.standing.state).toBe("good");
    await world.clock.untilSleeping((ms) => ms === selfCheckIntervalMs);
    world.clock.advance(selfCheckIntervalMs);
    await looked(world, 2);
    expect(world.changes).toBe(1);
    world.stop();
  });

  it("comes at the very moment when its collateral ends", async () => {
    const world = start();
    world.validUntil = world.clock.now() + 60_000;
    world.check.check();
    await world.clock.untilSleeping((ms) => ms === 61_000);
    world.stop();
  });

  it("tells once when it stands no more, tries again soon, and tells when it stands again", async () => {
    const world = start();
    world.check.check();
    await expect.poll(() => world.check.standing.state).toBe("good");
    world.finds = () => Promise.resolve(outdated);
    world.check.check();
    await expect.poll(() => world.check.standing.state).toBe("bad");
    await world.clock.untilSleeping((ms) => ms === 2_000);
    world.clock.advance(2_000);
    await looked(world, 3);
    await world.clock.untilSleeping((ms) => ms === 4_000);
    expect(world.changes).toBe(2);
    world.finds = () => Promise.resolve(good);
    world.clock.advance(4_000);
    await expect.poll(() => world.check.standing.state).toBe("good");
    expect(world.log.events.map(({ event }) => event)).toEqual([
      "evidence.accepted",
      "evidence.refused",
      "evidence.accepted",
    ]);
    world.stop();
  });

  it("believes one failed try no more than a second one", async () => {
    const world = start();
    world.finds = () => (world.looks === 1 ? Promise.reject(new Error("too slow")) : Promise.resolve(good));
    world.check.check();
    await expect.poll(() => world.check.standing.state).toBe("good");
    expect(world.looks).toBe(2);
    world.finds = () => Promise.reject(new Error("no such device"));
    world.check.check();
    await expect.poll(() => JSON.stringify(world.check.standing)).toContain("no such device");
    expect(world.looks).toBe(4);
    world.stop();
  });
});
