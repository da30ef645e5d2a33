import { describe, expect, it } from "vitest";
import { ProviderRouter } from "../../../../tee-bot/gateway/routing/router.ts";
import { gatewaySettingsSchema } from "../../../../tee-bot/gateway/settings.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { viewOf, type TestView, type ViewParts } from "./views.ts";

const clock = new ManualClock(1_000_000_000);
const view = (id: string, parts: ViewParts = {}): TestView => viewOf(id, parts, clock);
const settings = (parts: object = {}) => gatewaySettingsSchema.parse(parts);

function start(members: readonly TestView[], parts: object = {}) {
  const providers = { members, version: 1 };
  const router = new ProviderRouter(settings(parts), { providers, names: () => ["Alice"], clock, random: Math.random });
  const route = (model: string, targetNode?: string) => router.route({ model, endpoint: "chat", targetNode });
  return { providers, router, route };
}

describe("the router", () => {
  it("knows what is new once it is told, and looks through everything only then", () => {
    const one = view("a");
    const { providers, route, router } = start([one]);
    const { offers } = router;
    expect(route("m").candidates).toHaveLength(1);
    expect(router.offers).toBe(offers);
    one.models = [{ id: "n" }];
    providers.version++;
    expect(() => route("m")).toThrow("no");
    expect(route("n").candidates).toHaveLength(1);
  });

  it("follows new settings with the next call", () => {
    const { route, router } = start([view("far", { location: "cloud", trust: "plain" })]);
    expect(route("m").candidates).toHaveLength(1);
    router.follow(settings({ privacy: "local" }));
    expect(() => route("m")).toThrow("privacy: local");
    router.follow(settings({ aliases: { best: ["m"] } }));
    expect(route("best").candidates).toHaveLength(1);
  });

  it("has a provider looked at whose model is asked for while it sleeps, and no other", () => {
    const [asleep, other, never] = [
      view("asleep", { state: "asleep" }),
      view("other", { state: "asleep", models: ["n"] }),
      view("never", { state: "asleep", models: [] }),
    ] as const;
    const { route } = start([asleep, other, never, view("up")], { aliases: { best: ["asleep/m"] } });
    route("m");
    expect([asleep.checks, other.checks, never.checks]).toEqual([1, 0, 0]);
    expect(() => route("best")).toThrow("asleep");
    expect([asleep.checks, other.checks, never.checks]).toEqual([2, 0, 0]);
    expect(() => route("never/m")).toThrow("asleep");
    expect([asleep.checks, other.checks, never.checks]).toEqual([2, 0, 1]);
  });

  it("knows the names of its node however they are written", () => {
    const { route } = start([view("a")]);
    expect(route("m", "ALICE").candidates).toHaveLength(1);
    expect(() => route("m", "bob")).toThrow("X-Target-Node");
  });

  it("gives leave for attempts, and none to a second probe", () => {
    const { route } = start([view("a")]);
    for (let failure = 0; failure < 3; failure++) route("m").candidates[0]?.admit()?.failed();
    expect(() => route("m")).toThrow("breaker open");
    clock.advance(5_000);
    const [first, second] = [route("m"), route("m")];
    expect(first.candidates[0]?.admit()).toBeDefined();
    expect(second.candidates[0]?.admit()).toBeUndefined();
    expect(() => route("m")).toThrow("another call tries");
  });
});
