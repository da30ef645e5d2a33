import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { startDohResolver, type DohResolver } from "../../support/dns/doh-resolver.ts";
import { universalSslOverride } from "../../support/dns/universal-ssl.ts";
import { ZoneStore } from "../../support/dns/zone-store.ts";
import { judgeCaa, wantedCaa } from "../../../shared/dns/caa.ts";
import { createDohServer } from "../../../shared/dns/doh.ts";
import { fetchEffectiveCaa, type EffectiveCaa } from "../../../shared/dns/effective-caa.ts";

const zone = "nodes.example.test";
const name = `alice.${zone}`;
const store = new ZoneStore(zone);
let resolver: DohResolver;

beforeAll(async () => {
  resolver = await startDohResolver(store);
});
afterAll(() => resolver[Symbol.asyncDispose]());
beforeEach(() => {
  for (const { id } of store.now().all()) store.remove(id);
  Object.assign(resolver, { override: undefined, mode: "up" });
});

const effective = (): Promise<EffectiveCaa> =>
  fetchEffectiveCaa(name, zone, createDohServer({ url: resolver.url, fetch }));

test("a name's own CAA records count, else those of the zone, and nothing above it", async () => {
  expect(await effective()).toEqual({ at: zone, contents: [] });
  expect(resolver.queries.map((query) => query.name)).toEqual([name, zone]);
  store.add({ name: zone, type: "CAA", content: '0 issue "zone.example"' });
  expect(await effective()).toEqual({ at: zone, contents: ['0 issue "zone.example"'] });
  store.add({ name, type: "CAA", content: '0 issue "own.example"' });
  expect(await effective()).toEqual({ at: name, contents: ['0 issue "own.example"'] });
});

test("a resolver that cannot tell is no proof that there are no CAA records", async () => {
  resolver.mode = "servfail";
  await expect(effective()).rejects.toMatchObject({ code: "upstream-unavailable" });
});

test("Universal SSL, which replaces what was written, is seen and named", async () => {
  const wanted = wantedCaa(name, [
    { ca: "letsencrypt.org", accountUri: "https://acme.example/acct/1", methods: ["dns-01"] },
  ]);
  for (const { content } of wanted) store.add({ name, type: "CAA", content });
  expect(judgeCaa(wanted, (await effective()).contents)).toBeUndefined();
  resolver.override = universalSslOverride(() => true);
  expect(judgeCaa(wanted, (await effective()).contents)?.remedy).toContain("Universal SSL");
});
