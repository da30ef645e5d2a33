import { describe, expect, it } from "vitest";
import { Member } from "../../../../tee-bot/gateway/providers/member.ts";
import {
  ProviderError,
  type Attestation,
  type Provider,
  type ProviderModel,
} from "../../../../tee-bot/gateway/providers/provider.ts";
import { recordingLog } from "../../support/log.ts";
import { ManualClock } from "../../support/manual-clock.ts";

type Listing = readonly ProviderModel[] | ProviderError | "never";

const everyMs = 15_000;
const gone = new ProviderError("asleep", "Nothing can be reached.");
const odd = new ProviderError("broken", "It answers 500.");

/** A member whose provider lists what the test says, and a clock that the test moves. */
function create(discovered = false) {
  const clock = new ManualClock();
  const log = recordingLog();
  const world = { listing: [{ id: "m" }] as Listing, looks: 0, changes: 0 };
  const provider = {
    id: "p",
    location: "local",
    fetchModels: async (signal: AbortSignal) => {
      world.looks++;
      const { listing } = world;
      if (listing === "never") await new Promise((_, reject) => signal.addEventListener("abort", reject));
      if (listing instanceof ProviderError) throw listing;
      return listing;
    },
  } as unknown as { -readonly [K in keyof Provider]: Provider[K] };
  const onChange = (): void => void world.changes++;
  const member = new Member(provider, { everyMs: () => everyMs, clock, random: () => 0.5, log, discovered, onChange });
  /** Lets it sleep for as long as it wants, and look. */
  const next = async (): Promise<number> => {
    const ms = await clock.untilSleeping(() => true);
    const { looks } = world;
    clock.advance(ms);
    while (world.looks === looks) await new Promise((resolve) => setImmediate(resolve));
    await clock.untilSleeping(() => true);
    return ms;
  };
  const events = (): string[] => log.events.map(({ level, event }) => `${level} ${event}`);
  return { clock, world, member, next, events, provider };
}

describe("a provider in use", () => {
  it("is looked at once, and then at every interval", async () => {
    const { world, member, next } = create();
    expect(member.standing.state).toBe("asleep");
    await member.start();
    expect(member.standing.state).toBe("up");
    expect([await next(), await next(), world.looks]).toEqual([everyMs, everyMs, 3]);
    expect(world.changes).toBe(1);
    member.close();
  });

  it("is looked at by one at a time, and by nobody any more once it is closed", async () => {
    const { world, member, clock } = create();
    await member.start();
    world.listing = "never";
    clock.advance(everyMs);
    while (world.looks < 2) await new Promise((resolve) => setImmediate(resolve));
    clock.advance(10 * everyMs);
    member.check();
    await new Promise((resolve) => setImmediate(resolve));
    expect(world.looks).toBe(2);
    member.close();
    await new Promise((resolve) => setImmediate(resolve));
    expect(world.looks).toBe(2);
    expect(member.standing.state).toBe("up");
  });

  it("is looked at again soon when it has gone, then less often, and at once when it is back in demand", async () => {
    const { world, member, next, clock } = create();
    await member.start();
    world.listing = gone;
    const pauses: number[] = [];
    for (let look = 0; look < 6; look++) pauses.push(await next());
    expect(pauses).toEqual([15_000, 1_000, 2_000, 4_000, 8_000, 15_000]);
    clock.advance(2_000);
    world.listing = [{ id: "m" }];
    for (let call = 0; call < 50; call++) member.check();
    while (member.standing.state !== "up") await new Promise((resolve) => setImmediate(resolve));
    expect(world.looks).toBe(8);
    member.close();
  });

  it("is not looked at for every call that asks for it", async () => {
    const { world, member, clock } = create();
    await member.start();
    for (let call = 0; call < 50; call++) {
      clock.advance(10);
      member.check();
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(world.looks).toBe(1);
    member.close();
  });

  it("sleeps from the moment when a call finds nobody, and keeps its models for when it is back", async () => {
    const { world, member, events } = create();
    await member.start();
    world.listing = gone;
    member.refused();
    member.refused();
    expect(member.standing).toMatchObject({ state: "asleep", reason: "Nothing listens there." });
    expect(member.models).toEqual([{ id: "m" }]);
    expect(events()).toEqual(["info provider.found", "info provider.slept"]);
    member.close();
  });

  it("stays up while it answers calls, though it does not say what it has", async () => {
    const { world, member, next } = create();
    await member.start();
    world.listing = odd;
    member.attempts.admit()?.succeeded(20);
    await next();
    for (let look = 0; look < 3; look++) await next();
    expect(member.standing).toMatchObject({ state: "up", failures: 4 });
    member.close();
  });

  it("is broken after two odd answers", async () => {
    const { world, member, next, events } = create();
    await member.start();
    world.listing = odd;
    await next();
    expect(member.standing.state).toBe("up");
    await next();
    expect(member.standing).toMatchObject({ state: "broken", reason: "It answers 500." });
    expect(events()).toEqual(["info provider.found", "warn provider.failed"]);
    member.close();
  });

  it("has its models judged when they are seen, and again when more is known of their evidence", async () => {
    const { world, member, next, provider } = create();
    const followed: string[][] = [];
    let onChange: (() => void) | undefined;
    let attestation: Attestation = "claimed";
    provider.attestor = {
      holdsAnswers: false,
      follow(models, told) {
        followed.push(models.map(({ id }) => id));
        onChange = told;
      },
      judge: (model) => ({ ...model, attestation }),
      observe: () => expect.fail("nobody calls"),
      examine: () => expect.fail("nobody asks"),
    };
    await member.start();
    expect(member.models).toEqual([{ id: "m", attestation: "claimed" }]);
    const { changes } = world;
    attestation = "verified";
    onChange?.();
    expect(member.models).toEqual([{ id: "m", attestation: "verified" }]);
    expect(world.changes).toBe(changes + 1);
    await next();
    expect(member.models).toEqual([{ id: "m", attestation: "verified" }]);
    expect(world.changes).toBe(changes + 1);
    world.listing = gone;
    await next();
    expect(followed).toEqual([["m"]]);
    member.close();
    attestation = "claimed";
    onChange?.();
    expect(member.models).toEqual([{ id: "m", attestation: "verified" }]);
  });

  it("that was looked for and is not there is no news, whatever else answers there", async () => {
    for (const listing of [gone, odd]) {
      const { world, member, events } = create(true);
      world.listing = listing;
      await member.start();
      expect(events()).toEqual(["debug provider.missed"]);
      member.close();
    }
  });
});
