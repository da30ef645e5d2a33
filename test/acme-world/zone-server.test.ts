/** The name server as Node's own resolver (c-ares) sees it: a codec of other hands. */
import { Resolver } from "node:dns/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { startZoneServer, type ZoneServer } from "../support/dns/zone-server.ts";
import { ZoneStore } from "../support/dns/zone-store.ts";

const zone = "nodes.example.test";
const store = new ZoneStore(zone);
const resolver = new Resolver({ timeout: 1_000, tries: 1 });
let server: ZoneServer;

beforeAll(async () => {
  server = await startZoneServer(store);
  resolver.setServers([server.address]);
});
afterAll(() => server[Symbol.asyncDispose]());

test("a name server answers every type that is written", async () => {
  const name = `types.${zone}`;
  store.add({ name, type: "A", content: "192.0.2.1" });
  store.add({ name, type: "AAAA", content: "2001:db8::1" });
  store.add({ name, type: "TXT", content: '"one" "two"' });
  store.add({ name, type: "TXT", content: "bare" });
  store.add({ name, type: "CAA", content: '128 issue "ca.example.test; validationmethods=dns-01"' });
  expect(await resolver.resolve4(name)).toEqual(["192.0.2.1"]);
  expect(await resolver.resolve6(name)).toEqual(["2001:db8::1"]);
  expect(await resolver.resolveTxt(name)).toEqual([["one", "two"], ["bare"]]);
  expect(await resolver.resolveCaa(name)).toMatchObject([
    { critical: 128, issue: "ca.example.test; validationmethods=dns-01" },
  ]);
});

test("a name server names itself at the top of its zone", async () => {
  expect(await resolver.resolveNs(zone)).toEqual([`ns1.${zone}`, `ns2.${zone}`]);
  expect(await resolver.resolveSoa(zone)).toMatchObject({ nsname: `ns1.${zone}`, minttl: 1 });
});

test("a name server knows names in any case, and follows aliases", async () => {
  store.add({ name: `target.${zone}`, type: "TXT", content: "found" });
  store.add({ name: `Alias.${zone}`, type: "CNAME", content: `target.${zone}` });
  expect(await resolver.resolveTxt(`ALIAS.${zone.toUpperCase()}`)).toEqual([["found"]]);
});

test("a name server tells a name without such records from a name that is not", async () => {
  store.add({ name: `leaf.between.${zone}`, type: "A", content: "192.0.2.1" });
  await expect(resolver.resolveTxt(`leaf.between.${zone}`)).rejects.toMatchObject({ code: "ENODATA" });
  await expect(resolver.resolveTxt(`between.${zone}`)).rejects.toMatchObject({ code: "ENODATA" });
  await expect(resolver.resolveTxt(`nothing.${zone}`)).rejects.toMatchObject({ code: "ENOTFOUND" });
  await expect(resolver.resolveTxt("elsewhere.test")).rejects.toMatchObject({ code: "EREFUSED" });
});

test("a name server sends what is too long for a datagram over TCP", async () => {
  const name = `long.${zone}`;
  const values = Array.from({ length: 40 }, (_, index) => `${index}-${"x".repeat(200)}`);
  for (const content of values) store.add({ name, type: "TXT", content });
  expect((await resolver.resolveTxt(name)).flat().toSorted()).toEqual(values.toSorted());
});

test("a name server that is told to fail does, and remembers who asked", async () => {
  server.mode = "servfail";
  await expect(resolver.resolve4(`types.${zone}`)).rejects.toMatchObject({ code: "ESERVFAIL" });
  server.mode = "up";
  expect(server.queries.at(-1)).toMatchObject({ name: `types.${zone}`, type: "A" });
});
