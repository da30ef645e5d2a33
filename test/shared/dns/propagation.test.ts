import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { connectCounting } from "./connect.ts";
import { startDohResolver, type DohResolver } from "../../support/dns/doh-resolver.ts";
import { startZoneServer, type ZoneServer } from "../../support/dns/zone-server.ts";
import { ZoneStore } from "../../support/dns/zone-store.ts";
import type { Propagation } from "../../../shared/acme/ports.ts";
import { systemClock } from "../../../shared/clock.ts";
import { createAuthorities } from "../../../shared/dns/authority.ts";
import { createPropagation, lackingMs, settlingMs } from "../../../shared/dns/propagation.ts";

const zone = "nodes.example.test";
const store = new ZoneStore(zone);
const value = "v".repeat(43);
const records = [
  { hostname: `a.${zone}`, value },
  { hostname: `b.${zone}`, value },
];
let one: DohResolver;
let two: DohResolver;
let own: ZoneServer;

beforeAll(async () => {
  [one, two, own] = await Promise.all([startDohResolver(store), startDohResolver(store), startZoneServer(store)]);
});
afterAll(() => Promise.all([one, two, own].map((server) => server[Symbol.asyncDispose]())));
beforeEach(() => {
  for (const { id } of store.now().all()) store.remove(id);
  for (const server of [one, two]) Object.assign(server, { lag: 0, mode: "up" }).queries.length = 0;
  Object.assign(own, { lag: 0, mode: "up" }).queries.length = 0;
});

function write(hostname: string, text = value): void {
  store.add({ name: `_acme-challenge.${hostname}`, type: "TXT", content: text });
}
const writeBoth = (): void => records.forEach(({ hostname }) => write(hostname));

let now = 0;
const clock = { now: () => now, sleep: (ms: number) => systemClock.sleep(ms) };

/** As if the resolvers were public ones. */
const publicly: typeof fetch = (input, init) =>
  fetch(typeof input === "string" && input.includes("one") ? one.url : two.url, init);

function looking({ authorities = [] as string[], isPublic = false } = {}): Propagation {
  const resolvers = isPublic ? ["https://one.example/q", "https://two.example/q"] : [one.url, two.url];
  if (authorities.length === 0) return createPropagation({ resolvers, fetch: isPublic ? publicly : fetch, clock });
  const { connect } = connectCounting();
  const find = createAuthorities({ zone, connect, clock, resolvers: [], addresses: authorities });
  return createPropagation({ resolvers, authorities: find, fetch: isPublic ? publicly : fetch, clock });
}

const seen = async (propagation: Propagation): Promise<string[]> =>
  (await propagation.look(records)).map(({ kind, sees }) => `${kind} ${sees}`);

describe("a look at the records of an order", () => {
  test("tells of each resolver whether it sees all of them", async () => {
    write(`a.${zone}`);
    expect(await looking().look(records)).toEqual([
      { server: one.url, kind: "resolver", sees: "not-all" },
      { server: two.url, kind: "resolver", sees: "not-all" },
    ]);
    write(`b.${zone}`);
    two.lag = 60_000;
    expect(await seen(looking())).toEqual(["resolver all", "resolver not-all"]);
    two.lag = 0;
    expect(await seen(looking())).toEqual(["resolver all", "resolver all"]);
  });

  test("finds the value among others, in several strings, and behind a CNAME", async () => {
    write(`a.${zone}`, "another");
    write(`a.${zone}`, `"${value.slice(0, 20)}" "${value.slice(20)}"`);
    store.add({ name: `_acme-challenge.b.${zone}`, type: "CNAME", content: `delegated.${zone}` });
    store.add({ name: `delegated.${zone}`, type: "TXT", content: value });
    expect(await seen(looking())).toEqual(["resolver all", "resolver all"]);
  });

  test.each(["refused", "error", "garbage"] as const)(
    "calls a resolver unreachable that is in mode %s",
    async (mode) => {
      writeBoth();
      two.mode = mode;
      expect(await seen(looking())).toEqual(["resolver all", "resolver unreachable"]);
    },
  );

  test("takes SERVFAIL of a resolver for not seeing them", async () => {
    writeBoth();
    two.mode = "servfail";
    expect(await seen(looking())).toEqual(["resolver all", "resolver not-all"]);
  });

  test("asks the zone's own servers first, and resolvers only when they have the records", async () => {
    write(`a.${zone}`);
    const propagation = looking({ authorities: [own.address] });
    expect(await seen(propagation)).toEqual(["authority not-all", "resolver not-all", "resolver not-all"]);
    expect(one.queries).toEqual([]);
    write(`b.${zone}`);
    expect(await seen(propagation)).toEqual(["authority all", "resolver all", "resolver all"]);
    expect(own.queries.map(({ type }) => type)).toEqual(["TXT", "TXT", "TXT", "TXT"]);
  });

  test("asks resolvers all the same when one of the zone's own servers goes on lacking the records", async () => {
    writeBoth();
    own.lag = 600_000;
    const propagation = looking({ authorities: [own.address] });
    expect(await seen(propagation)).toEqual(["authority not-all", "resolver not-all", "resolver not-all"]);
    now += lackingMs;
    expect(await seen(propagation)).toEqual(["authority not-all", "resolver all", "resolver all"]);
  });

  test("gives the zone's own servers some seconds when they cannot be reached, then leaves it to the resolvers", async () => {
    writeBoth();
    own.mode = "servfail";
    const propagation = looking({ authorities: [own.address, "127.0.0.1:9"], isPublic: true });
    const unreachable = ["authority unreachable", "authority unreachable"];
    expect(await seen(propagation)).toEqual([...unreachable, "resolver not-all", "resolver not-all"]);
    expect(one.queries).toEqual([]);
    now += settlingMs;
    expect(await seen(propagation)).toEqual([...unreachable, "resolver all", "resolver all"]);
  });

  test("gives public resolvers some seconds when none of the zone's own servers is known", async () => {
    writeBoth();
    const propagation = looking({ isPublic: true });
    expect(await seen(propagation)).toEqual(["resolver not-all", "resolver not-all"]);
    expect(one.queries).toEqual([]);
    now += settlingMs;
    expect(await seen(propagation)).toEqual(["resolver all", "resolver all"]);
  });

  test("asks resolvers on this machine at once, whatever becomes of the zone's own servers", async () => {
    writeBoth();
    expect(await seen(looking({ authorities: ["127.0.0.1:9"] }))).toEqual([
      "authority unreachable",
      "resolver all",
      "resolver all",
    ]);
  });
});
