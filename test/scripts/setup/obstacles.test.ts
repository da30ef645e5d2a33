import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { noQuestions, type Questions } from "../../../scripts/setup/questions.ts";
import { tooManyRequests } from "../../support/dns/cloudflare-api.ts";
import { garbage } from "../../support/faults.ts";
import { failureOf, firstRun, relayKey, startSetupWorld, zone, type SetupWorld } from "./setup-world.ts";

let world: SetupWorld;
beforeEach(async () => void (world = await startSetupWorld()));
afterEach(() => world[Symbol.asyncDispose]());

describe("what stands in the way is told with its remedy", () => {
  test.for([
    ["may only read", "read", "may not write records"],
    ["sees no zone", "none", `sees no zone ${zone}`],
  ] as const)("a token that %s", async ([, rights, told]) => {
    world.cloudflare.rights = rights;
    const { message, remedy } = await failureOf(world.setUp());
    expect(message).toContain(told);
    expect(remedy).toContain("Zone → DNS → Edit");
    expect(world.commands()).toEqual(["secret list"]);
  });

  test("a token that Cloudflare does not know", async () => {
    const environment = { CLOUDFLARE_API_TOKEN: "unknown-token-of-nobody-0123456789-0123456789" };
    expect((await failureOf(world.setUp({ environment }))).message).toContain("code 9109");
  });

  test("an id of another zone", async () => {
    const args = ["--zone", "nodes.example.net", "--zone-id", world.cloudflare.zoneId, "--relay-keys", relayKey];
    expect((await failureOf(world.setUp({ args }))).message).toBe(
      `ZONE_ID is the id of ${zone}, and ZONE is nodes.example.net.`,
    );
  });

  test("wrangler without a login", async () => {
    world.wrangler.faults = { "secret list": "You are not authenticated. Please run `wrangler login`." };
    expect((await failureOf(world.setUp())).remedy).toContain("npx wrangler login");
  });

  test("a Cloudflare that breaks off, whose record is cleared away by the next run", async () => {
    world.cloudflare.faults.inject("POST /dns_records", { kind: "drop", when: "after" });
    expect((await failureOf(world.setUp())).message).toContain("did not answer");
    expect(world.store.size).toBe(1);
    await world.setUp();
    expect(world.store.size).toBe(0);
  });

  test("what is not Cloudflare's API", async () => {
    world.cloudflare.faults.inject("GET /zones", garbage("<html>"));
    expect((await failureOf(world.setUp())).message).toContain("is not Cloudflare's API");
  });

  test("a Cloudflare that is busy, in its own words", async () => {
    world.cloudflare.faults.inject("GET /zones", tooManyRequests(30));
    expect((await failureOf(world.setUp())).message).toContain("Cloudflare answered 429");
  });

  test("an edge that stays unwell, in its own words", async () => {
    world.looks = [{ ok: false, problems: ["ZONE_ID: is no zone id"] }];
    expect((await failureOf(world.setUp())).message).toContain("ZONE_ID: is no zone id");
  });
});

test("an edge that comes up late is waited for", async () => {
  world.looks = [
    { ok: false, problems: ["not yet"] },
    { ok: false, problems: ["not yet"] },
    { ok: true, problems: ["a warning"] },
  ];
  await world.setUp();
  expect(world.shown).toContain("a warning");
});

test("what an interrupted run left in the zone is cleared away", async () => {
  world.store.add({ name: `_postern-setup.${zone}`, type: "TXT", content: '"left"' });
  world.store.add({ name: `www.${zone}`, type: "TXT", content: '"not ours"' });
  await world.setUp();
  expect(
    world.store
      .now()
      .all()
      .map(({ name }) => name),
  ).toEqual([`www.${zone}`]);
});

describe("Universal SSL", () => {
  const confirming = (answer: boolean): Questions => ({ ...noQuestions, confirm: () => Promise.resolve(answer) });

  beforeEach(() => void (world.cloudflare.universalSsl.enabled = true));

  test.for([
    ["stays on when nobody can be asked", [], noQuestions, true],
    ["stays on when the operator says no", [], confirming(false), true],
    ["stays on when told so", ["--universal-ssl", "keep"], confirming(true), true],
    ["is turned off when the operator agrees", [], confirming(true), false],
    ["is turned off by its flag", ["--universal-ssl", "off"], noQuestions, false],
  ] as const)("%s", async ([, flags, questions, enabled]) => {
    await world.setUp({ args: [...firstRun, ...flags], questions });
    expect(world.cloudflare.universalSsl.enabled).toBe(enabled);
    expect(world.shown).toContain("Universal SSL is on. With it Cloudflare answers CAA questions");
  });

  test("is for the operator to look at when the token may not", async () => {
    world.cloudflare.sslRights = false;
    await world.setUp();
    expect(world.shown).toContain("SSL/TLS → Edge Certificates → Disable Universal SSL");
    expect(world.wrangler.calls.at(-1)?.args[0]).toBe("deploy");
  });
});
