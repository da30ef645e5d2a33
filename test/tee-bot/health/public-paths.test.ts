import { beforeAll, describe, expect, it } from "vitest";
import type { Path, Registration } from "../../../shared/registry/messages.ts";
import type { NodeId } from "../../../shared/registry/node-id.ts";
import { areCutOff, PublicPaths, reportPaths, type PublicPath } from "../../../tee-bot/health/public-paths.ts";
import { newIdentity } from "../../support/relay-world.ts";

const now = 10_000_000;
let one: NodeId;
let two: NodeId;

beforeAll(async () => {
  [one, two] = (await Promise.all([newIdentity(), newIdentity()])).map(({ id }) => id) as [NodeId, NodeId];
});

function registration(relays: readonly NodeId[], paths: Path[]): Registration {
  return {
    node: one,
    epoch: 1,
    zone: "zone.test",
    hostnames: [],
    expiresAt: now,
    renewAfterMs: 1,
    relays: relays.map((relay) => ({ relay, host: "127.0.0.1", port: 1, name: `${relay === one ? "a" : "b"}.test` })),
    paths,
  };
}

const path = (relay: NodeId, state: Path["state"], changes: Partial<Path> = {}): Path => ({
  relay,
  state,
  ...(state === "down" && { detail: "no answer within 5 s" }),
  checkedAt: now - 1,
  ...changes,
});

describe("what is known of public paths", () => {
  it("has the relays' names, also of those that the node has left", () => {
    const paths = new PublicPaths();
    paths.follow(registration([one, two], []));
    paths.follow(registration([one], [path(one, "up"), path(two, "down")]));
    expect(paths.at(now).map(({ relay }) => relay)).toEqual(["a.test", "b.test"]);
    const fresh = new PublicPaths();
    fresh.follow(registration([], [path(two, "down")]));
    expect(fresh.at(now)[0]?.relay).toBe(`${two.slice(0, 8)}…`);
  });

  it("is news when a state or a reason is another one, and not when it was only looked at again", () => {
    const paths = new PublicPaths();
    expect(paths.follow(registration([one], [path(one, "up")]))).toBe(true);
    expect(paths.follow(registration([one], [path(one, "up", { checkedAt: now })]))).toBe(false);
    expect(paths.follow(registration([one], [path(one, "down")]))).toBe(true);
    expect(paths.follow(registration([one], [path(one, "down", { detail: "DNS names no address" })]))).toBe(true);
  });

  it("is forgotten when the edge has told nothing newer for a quarter of an hour", () => {
    const paths = new PublicPaths();
    paths.follow(registration([one], [path(one, "down", { checkedAt: now })]));
    expect(paths.at(now + 15 * 60_000 - 1)).toHaveLength(1);
    expect(paths.at(now + 15 * 60_000)).toEqual([]);
  });
});

describe("the step of public paths", () => {
  const up: PublicPath = { relay: "a.test", state: "up", checkedAt: now };
  const down: PublicPath = { relay: "b.test", state: "down", detail: "DNS names no address", checkedAt: now };

  it.each<[PublicPath[], boolean, boolean, string]>([
    [[], true, false, "No relay has looked from outside yet."],
    [[up, up], true, false, "Visitors get through: 2 of 2 ways, seen from outside."],
    [[up, down], false, false, "Visitors get through 1 of 2 ways: not through b.test, DNS names no address."],
    [[down], false, true, "Visitors do not get through: through b.test, DNS names no address."],
  ])("of %j is made: %s, cut off: %s", (paths, ok, cutOff, detail) => {
    expect(reportPaths(paths)).toEqual({ step: "paths", ok, detail });
    expect(areCutOff(paths)).toBe(cutOff);
  });
});
