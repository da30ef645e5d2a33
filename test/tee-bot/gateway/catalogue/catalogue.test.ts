import { describe, expect, it } from "vitest";
import { findEntry, listCatalogue, type CatalogueEntry } from "../../../../tee-bot/gateway/catalogue/catalogue.ts";
import { readAliases } from "../../../../tee-bot/gateway/routing/aliases.ts";
import { Offers } from "../../../../tee-bot/gateway/routing/offers.ts";
import type { Policy } from "../../../../tee-bot/gateway/routing/obstacle.ts";
import type { GatewaySettings } from "../../../../tee-bot/gateway/settings.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { viewOf, type TestView, type ViewParts } from "../routing/views.ts";

const clock = new ManualClock();
const view = (id: string, parts: ViewParts = {}): TestView => viewOf(id, parts, clock);
const cloud = { location: "cloud", trust: "plain" } as const;

function list(views: readonly TestView[], aliases: GatewaySettings["aliases"] = {}, policy: Partial<Policy> = {}) {
  const all: Policy = { strategy: "prefer-local", privacy: "any", ...policy };
  return listCatalogue(new Offers(views), readAliases(aliases), all);
}

const ids = (entries: readonly CatalogueEntry[]): string[] => entries.map(({ id }) => id);

describe("the catalogue", () => {
  it("has what is known of a model, and no field for what is not", () => {
    const known = {
      id: "toy",
      synonyms: ["toy:latest"],
      loaded: false,
      contextLength: 512,
      maxContextLength: 1_024,
      created: 7,
      ownedBy: "us",
      size: 99,
      quantization: "F16",
      family: "llama",
      endpoints: ["chat"] as const,
      demo: true,
    };
    expect(list([view("own", { models: [known, "bare"] })])).toEqual([
      {
        id: "bare",
        object: "model",
        created: 0,
        owned_by: "own",
        postern: { provider: "own", location: "local", trust: "local", state: "up" },
      },
      {
        id: "toy",
        object: "model",
        created: 7,
        owned_by: "us",
        postern: {
          provider: "own",
          location: "local",
          trust: "local",
          state: "up",
          synonyms: ["toy:latest"],
          loaded: false,
          context_length: 512,
          max_context_length: 1_024,
          size: 99,
          quantization: "F16",
          family: "llama",
          endpoints: ["chat"],
          demo: true,
        },
      },
    ]);
  });

  it("has each id once, at the provider that is nearest, in one order however they were found", () => {
    const views = [view("far", { ...cloud, models: ["z", "m"] }), view("own", { models: ["m", "a"] })];
    const entries = list(views);
    expect(ids(entries)).toEqual(["a", "m", "z"]);
    expect(ids(list(views.toReversed()))).toEqual(["a", "m", "z"]);
    expect(entries[1]?.postern).toMatchObject({ provider: "own", also_at: [{ provider: "far", location: "cloud" }] });
  });

  it("leaves out what is asleep, refused or broken", () => {
    const views = (["asleep", "refused-key", "broken", "up"] as const).map((state) =>
      view(state, { state, models: [state] }),
    );
    expect(ids(list(views))).toEqual(["up"]);
  });

  it("leaves out what the settings forbid, also of one provider", () => {
    const ollama = view("ollama", { models: ["own", { id: "x:cloud", ...cloud }] });
    const near = view("near", { ...cloud, models: [{ id: "tee", trust: "attested", attestation: "claimed" }] });
    expect(ids(list([ollama, near]))).toEqual(["own", "tee", "x:cloud"]);
    expect(ids(list([ollama, near], {}, { privacy: "local-or-attested" }))).toEqual(["own", "tee"]);
    expect(ids(list([ollama, near], {}, { privacy: "local" }))).toEqual(["own"]);
    expect(ids(list([ollama, near], {}, { strategy: "local-only" }))).toEqual(["own"]);
  });

  it("says what was looked at of a model's evidence, and leaves out one whose evidence is bad", () => {
    const checks = [{ id: "model-quote", outcome: "pass", detail: "Good." }] as const;
    const evidence = { checkedAt: Date.UTC(2026, 10, 21), checks, session: "ab".repeat(32) };
    const model = { id: "m", trust: "attested", attestation: "verified", evidence } as const;
    const [entry] = list([view("near", { ...cloud, models: [model] })]);
    expect(entry?.postern).toMatchObject({
      attestation: "verified",
      evidence: { checked_at: "2026-11-21T00:00:00.000Z", session_id: "ab".repeat(32), checks },
    });
    const bad = { ...model, withheld: "its evidence is bad" };
    expect(list([view("near", { ...cloud, models: [bad] })])).toEqual([]);
    const claimed = { ...model, attestation: "claimed" as const };
    expect(ids(list([view("near", { ...cloud, models: [claimed] })], {}, { privacy: "local-or-verified" }))).toEqual(
      [],
    );
    expect(ids(list([view("near", { ...cloud, models: [model] })], {}, { privacy: "local-or-verified" }))).toEqual([
      "m",
    ]);
  });

  it("tells a model that rests because it failed", () => {
    const ill = view("ill");
    for (let failure = 0; failure < 3; failure++) ill.attempts.admit()?.failed();
    expect(list([ill])[0]?.postern.state).toBe("resting");
  });

  it("lists aliases, with what they stand for, and names them at their models", () => {
    const aliases: GatewaySettings["aliases"] = {
      best: ["gone", "m", "n"],
      sure: { models: ["best"], delivery: "whole" },
    };
    const entries = list([view("own", { models: ["m", "n"] })], aliases);
    expect(ids(entries)).toEqual(["best", "m", "n", "sure"]);
    expect(entries[0]).toMatchObject({
      owned_by: "postern",
      postern: { alias_for: ["gone", "m", "n"], provider: "own", state: "up" },
    });
    expect(entries[0]?.postern).not.toHaveProperty("delivery");
    expect(entries[1]?.postern.aliases).toEqual(["best", "sure"]);
    expect(entries[3]?.postern).toMatchObject({ alias_for: ["gone", "m", "n"], delivery: "whole" });
  });

  it("has no alias that leads nowhere, nor the model that it hides then", () => {
    const aliases = { m: ["gone"], dead: ["gone"] };
    expect(ids(list([view("own", { models: ["m", "n"] })], aliases))).toEqual(["n"]);
  });

  it("finds a model by every name that a call may use", () => {
    const views = [view("own", { models: [{ id: "Qwen/Qwen3:latest", synonyms: ["Qwen/Qwen3"] }] })];
    const entries = list(views, { best: ["Qwen/Qwen3"] });
    const find = (name: string): string | undefined => findEntry(name, entries, new Offers(views))?.id;
    for (const name of ["Qwen/Qwen3:latest", "Qwen/Qwen3", "own/Qwen/Qwen3"])
      expect(find(name)).toBe("Qwen/Qwen3:latest");
    expect(find("best")).toBe("best");
    for (const name of ["Qwen", "other/Qwen/Qwen3", "", "__proto__"]) expect(find(name)).toBeUndefined();
  });
});
