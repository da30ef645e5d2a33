import { X509Certificate } from "@peculiar/x509";
import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createCsr, TestIssuer } from "./certificates.ts";
import { OrderWorld } from "./order-world.ts";
import { responseOf } from "./scripted-ca.ts";

/** Every stage of an order in which nothing goes wrong. */
const stages = [
  "new",
  "open",
  "authorize",
  "present",
  "propagate",
  "complete",
  "complete",
  "validate",
  "finalize",
  "issue",
  "download",
  "clean-up",
  "settle",
];

function ordinaryWorld(): OrderWorld {
  const world = new OrderWorld();
  world.ca.processingPolls = 1;
  // The CA sees what stands in DNS, and nothing else.
  world.ca.validates = (hostname, method, response) =>
    [...world.records.values()].flat().some((record) => record.hostname === hostname && record.value === response)
      ? undefined
      : { kind: "refused", type: "unauthorized", detail: `No TXT record for ${method}.` };
  return world;
}

/** What an order has to leave behind, whatever happened on its way. */
function expectIssuedOnce(world: OrderWorld): void {
  const last = world.steps.at(-1);
  expect(last).toMatchObject({ status: "valid", directory: "https://ca-1.example/directory" });
  expect(world.ca.requests).toHaveLength(1);
  expect(world.ca.issued).toBe(1);
  expect(world.records.size).toBe(0);
  expect(world.admissions.settled.at(-1)).toBe("order-1 issued");
  expect(world.hours * 60).toBeLessThan(1);
}

describe("an order", () => {
  it("goes through every stage, and ends with the certificate", async () => {
    const world = ordinaryWorld();
    const seen: string[] = [];
    await world.begin();
    do seen.push(world.stage);
    while ((await world.step()).status === "processing");
    expect(seen.filter((stage, at) => stage !== seen[at - 1] || stage === "complete")).toEqual(stages);
    expectIssuedOnce(world);
    const end = world.steps.at(-1);
    if (end?.status !== "valid") throw new Error("not valid");
    const leaf = new X509Certificate(end.certificate);
    expect([end.notBefore, end.notAfter]).toEqual([leaf.notBefore.getTime(), leaf.notAfter.getTime()]);
  });

  it("writes the TXT records of all names at once, with the CA's values", async () => {
    const world = ordinaryWorld();
    await world.run(() => world.stage === "propagate");
    expect(world.records.get("order-1")).toEqual(
      ["alice", "bob"].map((name) => ({
        hostname: `${name}.nodes.example.test`,
        value: responseOf(`${name}.nodes.example.test`, "dns-01"),
      })),
    );
  });

  it("does one thing at each step", async () => {
    const world = ordinaryWorld();
    await world.begin();
    for (let done = 0, last = ""; last !== "valid"; done = world.effects.length) {
      last = (await world.step()).status;
      expect(world.effects.slice(done).length, world.effects.slice(done).join()).toBeLessThanOrEqual(1);
    }
    expect(world.effects).toHaveLength(8);
  });

  it("says at each step what it waits for", async () => {
    const world = ordinaryWorld();
    await world.run();
    const words = world.steps.map((step) => (step.status === "processing" ? step.words : step.status));
    expect(words).toMatchInlineSnapshot(`
      [
        "ordering from ca-1.example",
        "reading what ca-1.example wants proved",
        "writing the challenge's TXT records",
        "waiting for DNS: the records are written",
        "telling ca-1.example",
        "telling ca-1.example",
        "waiting for ca-1.example to validate",
        "asking ca-1.example for the certificate",
        "waiting for ca-1.example to issue: next look in 1 s",
        "waiting for ca-1.example to issue: next look in 1 s",
        "fetching the certificate from ca-1.example",
        "taking the challenge's records away",
        "settling the order",
        "valid",
      ]
    `);
  });

  describe.each(stages.map((stage, at) => [at, stage] as const))("at step %i (%s)", (at) => {
    it("resumes after a crash that lost what the step has done", async () => {
      const world = ordinaryWorld();
      for (let made = 0; made < at; made++) await world.step();
      if (!world.order) await world.begin();
      const kept = world.order?.progress;
      await world.step({ stored: false });
      await world.step({ stored: false });
      expect(world.order?.progress).toBe(kept);
      await world.run();
      expectIssuedOnce(world);
    });

    it("resumes when whoever it asks is away", async () => {
      const world = ordinaryWorld();
      for (let made = 0; made < at; made++) await world.step();
      world.away = true;
      const step = await world.step();
      expect(step).toMatchObject({
        status: "processing",
        trouble: { detail: expect.stringContaining("away") as string },
      });
      expect(step.status === "processing" && step.retryAfterMs).toBeGreaterThan(0);
      world.away = false;
      await world.run();
      expectIssuedOnce(world);
    });
  });

  it("is the same order when it begins anew because its progress cannot be read", async () => {
    const world = ordinaryWorld();
    await world.run(() => world.stage === "issue");
    await world.begin({ progress: '{"version":99}' });
    await world.run();
    expectIssuedOnce(world);
  });

  it("makes a step, whatever its progress is", async () => {
    const written = JSON.stringify({ stage: { name: "open" } });
    await fc.assert(
      fc.asyncProperty(fc.oneof(fc.string(), fc.json(), fc.constant(written)), async (progress) => {
        const world = ordinaryWorld();
        await world.begin({ progress });
        expect(await world.step()).toMatchObject({ status: "processing", words: "ordering from ca-1.example" });
      }),
      { numRuns: 50 },
    );
  });

  it("does not prove names again that the CA holds to be proved", async () => {
    const world = ordinaryWorld();
    world.ca.valid.add("alice.nodes.example.test").add("bob.nodes.example.test");
    await world.run();
    expect(world.written).toEqual([]);
    expect(world.ca.count("completeChallenge")).toBe(0);
    expectIssuedOnce(world);
  });

  it("proves only the names that are left", async () => {
    const world = ordinaryWorld();
    world.ca.valid.add("alice.nodes.example.test");
    await world.run();
    expect(world.written).toEqual(["written bob.nodes.example.test", "withdrawn"]);
    expectIssuedOnce(world);
  });

  it("replaces a certificate of the same CA only, and is exempt from its limits", async () => {
    const directory = "https://ca-1.example/directory";
    const same = ordinaryWorld();
    await same.begin({ replaces: { directory, certificateId: "a.b" } });
    await same.run();
    expect(same.ca.requests[0]?.replaces).toBe("a.b");
    expect(same.admissions.asked[0]?.exempt).toBe(true);

    const other = ordinaryWorld();
    await other.begin({ replaces: { directory: "https://ca-2.example/directory", certificateId: "a.b" } });
    await other.run();
    expect(other.ca.requests[0]).not.toHaveProperty("replaces");
    expect(other.admissions.asked[0]?.exempt).toBe(false);
  });

  it.each([
    ["for another key", "is for another key", createForeign],
    ["that cannot be read", "cannot be read", () => "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"],
  ])("does not take a certificate %s", async (_, fault, foreign) => {
    const world = ordinaryWorld();
    world.ca.mangle = foreign;
    const step = await world.run((made) => made.status === "processing" && made.words.includes("attempt"));
    expect(step).toMatchObject({ trouble: { detail: `The certificate from ca-1.example ${fault}.` } });
  });
});

async function createForeign(): Promise<string> {
  const names = ["alice.nodes.example.test", "bob.nodes.example.test"];
  return new TestIssuer().issue(await createCsr(names), { names, notBefore: 0, notAfter: Date.UTC(2040, 1) });
}
