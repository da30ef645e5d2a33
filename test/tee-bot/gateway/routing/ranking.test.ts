import { describe, expect, it } from "vitest";
import { Offers } from "../../../../tee-bot/gateway/routing/offers.ts";
import { rankOffers } from "../../../../tee-bot/gateway/routing/ranking.ts";
import type { Strategy } from "../../../../tee-bot/gateway/routing/route.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { viewOf, type TestView, type ViewParts } from "./views.ts";

const clock = new ManualClock();
const view = (id: string, parts: ViewParts = {}): TestView => viewOf(id, parts, clock);
const cloud = { location: "cloud", trust: "plain" } as const;
const loaded = (isLoaded: boolean): ViewParts => ({ models: [{ id: "m", loaded: isLoaded }] });

const rank = (views: readonly TestView[], strategy: Strategy = "prefer-local", random = Math.random): string[] =>
  rankOffers(new Offers(views).find("m"), strategy, random).map((offer) => offer.view.provider.id);

/** How often each one is the first. */
function shares(views: readonly TestView[], strategy: Strategy, draws = 6_000): Record<string, number> {
  const counts: Record<string, number> = {};
  for (let draw = 0; draw < draws; draw++) {
    const [first = ""] = rank(views, strategy);
    counts[first] = (counts[first] ?? 0) + 1 / draws;
  }
  return counts;
}

describe("to prefer what is local", () => {
  it("is to ask it first, however busy it is", () => {
    expect(
      rank([view("cloud", { ...cloud, firstByteMs: 1 }), view("own", { outstanding: 50, ...loaded(false) })]),
    ).toEqual(["own", "cloud"]);
  });

  it("is to ask first who has the model loaded, then the least busy, then the fastest", () => {
    expect(rank([view("cold", loaded(false)), view("hot", { ...loaded(true), outstanding: 9 })])).toEqual([
      "hot",
      "cold",
    ]);
    expect(rank([view("busy", { outstanding: 2 }), view("idle", { outstanding: 1, firstByteMs: 900 })])).toEqual([
      "idle",
      "busy",
    ]);
    expect(rank([view("slow", { firstByteMs: 900 }), view("fast", { firstByteMs: 90 })])).toEqual(["fast", "slow"]);
  });

  it("is to spread over equals", () => {
    const equals = ["a", "b", "c"].map((id) => view(id));
    for (const share of Object.values(shares(equals, "prefer-local"))) expect(share).toBeCloseTo(1 / 3, 1);
  });
});

describe("to balance load", () => {
  it.each([2, 3, 5])("spreads within 20 %% over %i equal providers, whose measurements differ by chance", (count) => {
    const equals = Array.from({ length: count }, (_, at) =>
      view(`p${at}`, { firstByteMs: 100 + 3 * at, outstanding: 2 }),
    );
    const found = shares(equals, "load-balance");
    for (const one of equals) {
      expect(found[one.provider.id]).toBeGreaterThan(0.8 / count);
      expect(found[one.provider.id]).toBeLessThan(1.2 / count);
    }
  });

  it("spreads what is under way within 20 % when calls last long", () => {
    const equals = ["a", "b", "c", "d"].map((id) => view(id));
    const served: Record<string, number> = {};
    const running: Disposable[] = [];
    for (let call = 0; call < 4_000; call++) {
      const [offer] = rankOffers(new Offers(equals).find("m"), "load-balance", Math.random);
      const permit = offer?.view.attempts.admit();
      if (!offer || !permit) continue;
      permit.succeeded(80 + 40 * Math.random());
      running.push(permit);
      served[offer.view.provider.id] = (served[offer.view.provider.id] ?? 0) + 1;
      if (running.length > 40) running.splice(Math.floor(Math.random() * running.length), 1)[0]?.[Symbol.dispose]();
    }
    for (const count of Object.values(served)) {
      expect(count).toBeGreaterThan(800);
      expect(count).toBeLessThan(1_200);
    }
    const outstanding = equals.map(({ attempts }) => attempts.outstanding);
    expect(Math.max(...outstanding)).toBeLessThan(20);
  });

  it("gives the less to who is busier, slower, or has not loaded the model", () => {
    expect(shares([view("a"), view("b", { outstanding: 9 })], "load-balance")["b"]).toBeCloseTo(1 / 11, 1);
    expect(shares([view("a", { firstByteMs: 50 }), view("b", { firstByteMs: 450 })], "load-balance")["b"]).toBeCloseTo(
      0.1,
      1,
    );
    expect(shares([view("a", loaded(true)), view("b", loaded(false))], "load-balance")["b"]).toBeCloseTo(1 / 9, 1);
    expect(shares([view("own"), view("cloud", cloud)], "load-balance")["cloud"]).toBeCloseTo(0.5, 1);
  });

  it("asks last who has just gone", () => {
    const views = [view("gone", { state: "asleep" }), view("slow", { firstByteMs: 60_000 })];
    for (let draw = 0; draw < 100; draw++) expect(rank(views, "load-balance")).toEqual(["slow", "gone"]);
  });

  it("has an order for every random number", () => {
    for (const random of [0, 1, 0.999999999])
      expect(rank([view("a"), view("b"), view("c")], "load-balance", () => random)).toHaveLength(3);
  });
});
