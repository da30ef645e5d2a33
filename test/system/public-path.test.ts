import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../support/postern.ts";
import { startPublicPathWorld, type PublicPathWorld } from "../support/public-path-world.ts";

const anotherKey = "serves another key than the certificate was issued for";

describe("the public path of a node, as relays look at it from outside", () => {
  let world: PublicPathWorld;

  beforeAll(async () => {
    world = await startPublicPathWorld();
  });
  afterAll(() => world?.[Symbol.asyncDispose]());

  const paths = () => world.status?.paths ?? [];
  const states = (): string =>
    paths()
      .map(({ state }) => state)
      .join();
  const health = () => world.status?.health.status;
  const step = () => world.status?.health.steps.find((one) => one.step === "paths");

  it("is up through each relay that DNS names, and status says since when", async () => {
    await until(() => states() === "up,up" && health() === "healthy", 40_000, "both paths are up");
    expect(world.addresses()).toEqual(world.relays.map(({ address }) => address));
    expect(
      paths()
        .map(({ relay }) => relay)
        .toSorted(),
    ).toEqual(world.relays.map((relay) => relay.name));
    for (const { checkedAt } of paths()) expect(Date.now() - checkedAt).toBeLessThan(60_000);
    const { text, code } = await world.printedStatus();
    expect(code).toBe(0);
    expect(text).toContain("✓ paths         Visitors get through: 2 of 2 ways, seen from outside.");
    for (const relay of world.relays) expect(text).toMatch(new RegExp(`up   through ${relay.name}, \\d+ s ago`));
  });

  it("is down when somebody with another key answers, though the node and its tunnels are well", async () => {
    for (const { front } of world.relays) front.impostor = true;
    await until(() => health() === "down", 20_000, "status says that visitors do not get through");
    expect(states()).toBe("down,down");
    const { text, code } = await world.printedStatus();
    expect(code).toBe(1);
    expect(text).toMatch(new RegExp(`✗ paths +Visitors do not get through: through relay-[ab]\\S+, ${anotherKey}`));
    expect(text).toContain("✓ loopback");
    const { paths: seen, troubles } = await world.view();
    expect(seen).toMatchObject([
      { state: "down", detail: anotherKey },
      { state: "down", detail: anotherKey },
    ]);
    expect(troubles).toContainEqual(
      expect.objectContaining({ detail: `Visitors do not get through: ${anotherKey}.` }) as unknown,
    );

    for (const { front } of world.relays) front.impostor = false;
    await until(() => health() === "healthy", 30_000, "the paths are up again");
  });

  it("leads past a relay whose public port nobody serves, and back once somebody does", async () => {
    const [whole, blocked] = world.relays;
    await blocked.front.close();
    await until(() => health() === "degraded" && states().includes("down"), 20_000, "one path is down");
    expect(step()?.detail).toMatch(/^Visitors get through 1 of 2 ways: not through relay-b\S+, nobody listens at /);
    await until(() => world.addresses().join() === whole.address, 20_000, "DNS names the other relay alone");

    await blocked.front.open();
    await until(() => health() === "healthy", 40_000, "the path is up again");
    await until(() => world.addresses().length === 2, 20_000, "DNS names both again");
  });
});
