import { describe, expect, it } from "vitest";
import { ApiError } from "../../../../tee-bot/gateway/api/api-error.ts";
import type { Attestor, ProviderModel } from "../../../../tee-bot/gateway/providers/provider.ts";
import { readAliases } from "../../../../tee-bot/gateway/routing/aliases.ts";
import { decideRoute, type Routing } from "../../../../tee-bot/gateway/routing/decide-route.ts";
import { Offers } from "../../../../tee-bot/gateway/routing/offers.ts";
import type { Route, RouteQuestion } from "../../../../tee-bot/gateway/routing/route.ts";
import type { GatewaySettings } from "../../../../tee-bot/gateway/settings.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { viewOf, type TestView, type ViewParts } from "./views.ts";

const clock = new ManualClock(1_000_000_000);
const cloud = { location: "cloud", trust: "plain" } as const;
const near = { location: "cloud", trust: "plain", kind: "near-ai" } as const;
const attested = { id: "m", trust: "attested", attestation: "claimed" } as const;

const view = (id: string, parts: ViewParts = {}): TestView => viewOf(id, parts, clock, () => 1);

interface Parts extends Partial<Omit<Routing, "offers" | "aliases">> {
  aliases?: GatewaySettings["aliases"];
}

function route(views: readonly TestView[], question: string | Partial<RouteQuestion> = "m", parts: Parts = {}): Route {
  const { aliases = {}, ...rest } = parts;
  const asked = { model: "m", endpoint: "chat", targetNode: undefined } as const;
  return decideRoute(
    { ...asked, ...(typeof question === "string" ? { model: question } : question) },
    {
      offers: new Offers(views),
      aliases: readAliases(aliases),
      strategy: "prefer-local",
      privacy: "any",
      names: ["a".repeat(64), "alice"],
      now: clock.now(),
      random: () => 0.5,
      ...rest,
    },
  );
}

const chosen = ({ candidates }: Route): string[] => candidates.map(({ provider, model }) => `${provider.id}: ${model}`);

function refusal(...args: Parameters<typeof route>): ApiError {
  try {
    route(...args);
  } catch (error) {
    if (error instanceof ApiError) return error;
    throw error;
  }
  throw new Error("it was not refused");
}

describe("the name of a model", () => {
  it("is an id of whoever has it", () => {
    expect(chosen(route([view("a"), view("b", { models: ["other"] }), view("c", cloud)]))).toEqual(["a: m", "c: m"]);
  });

  it("may name the provider, which is then asked by its own name of the model", () => {
    expect(chosen(route([view("a"), view("b")], "b/m"))).toEqual(["b: m"]);
  });

  it("is an id first when it has a slash of its own", () => {
    const views = [view("Qwen", { models: ["Qwen3-8B"] }), view("vllm", { models: ["Qwen/Qwen3-8B"] })];
    expect(chosen(route(views, "Qwen/Qwen3-8B"))).toEqual(["vllm: Qwen/Qwen3-8B"]);
    expect(chosen(route(views, "vllm/Qwen/Qwen3-8B"))).toEqual(["vllm: Qwen/Qwen3-8B"]);
  });

  it("may be a synonym, by which the provider is asked too, so that the request stays as it is", () => {
    const views = [view("ollama", { models: [{ id: "llama3.2:latest", synonyms: ["llama3.2"] }] })];
    expect(chosen(route(views, "llama3.2"))).toEqual(["ollama: llama3.2"]);
    expect(chosen(route(views, "ollama/llama3.2"))).toEqual(["ollama: llama3.2"]);
  });

  it.each(["__proto__", "constructor", "toString", "a/__proto__", "/", "a/", "/m", ""])(
    "is not found as %j",
    (name) => {
      expect(refusal([view("a")], name).code).toBe("model_not_found");
    },
  );
});

describe("an alias", () => {
  const views = [view("a", { models: ["m", "n"] }), view("b", { ...cloud, models: ["m"] })];

  it("stands for its models in its order, whatever is nearer", () => {
    const aliases = { best: ["b/m", "n", "m"] };
    expect(chosen(route(views, "best", { aliases }))).toEqual(["b: m", "a: n", "a: m"]);
  });

  it("may name another one, and is inside of itself the model of that name", () => {
    const aliases = { fast: ["better", "n"], better: ["fast", "m"], m: ["n", "m"] };
    expect(chosen(route(views, "fast", { aliases }))).toEqual(["a: n", "a: m", "b: m"]);
    expect(chosen(route(views, "m", { aliases }))).toEqual(["a: n", "a: m", "b: m"]);
  });

  it("with nothing behind it is unknown", () => {
    expect(refusal(views, "empty", { aliases: { empty: ["gone"] } }).code).toBe("model_not_found");
  });

  it("says whether answers are to be held", () => {
    const aliases: GatewaySettings["aliases"] = { sure: { models: ["m"], delivery: "whole" }, quick: ["m"] };
    expect(route(views, "sure", { aliases }).whole).toBe(true);
    expect(route(views, "quick", { aliases }).whole).toBe(false);
    expect(route(views, "m", { aliases }).whole).toBe(false);
  });
});

describe("who is passed over", () => {
  it("is told with the reason, everybody once", () => {
    const views = [
      view("good"),
      view("other", { models: ["n"] }),
      view("embedder", { models: [{ id: "m", endpoints: ["embeddings"] }] }),
      view("off", { state: "asleep" }),
      view("locked", { state: "refused-key", ...cloud }),
      view("never", { state: "asleep", models: [] }),
      view("ill"),
    ];
    for (let failure = 0; failure < 3; failure++) views[6]?.attempts.admit()?.failed();
    const { candidates, passedOver } = route(views);
    expect(candidates.map(({ provider }) => provider.id)).toEqual(["good"]);
    expect(passedOver).toEqual([
      { provider: "embedder", reason: "its m is not for chat" },
      { provider: "off", reason: "asleep" },
      { provider: "locked", reason: "refused-key: why" },
      { provider: "ill", reason: "breaker open: 3 failures in a row" },
      { provider: "other", reason: "does not have it" },
      { provider: "never", reason: "asleep" },
    ]);
  });

  it("is asked as the last one when it has gone only a moment ago", () => {
    const gone = view("gone", { state: "asleep", since: clock.now() - 5_000 });
    const { candidates } = route([gone, view("far", cloud)]);
    expect(candidates.map(({ provider }) => provider.id)).toEqual(["far", "gone"]);
    expect(candidates[1]?.reason).toContain("asleep since a moment ago");
  });
});

describe("a privacy rule", () => {
  const views = [view("own"), view("near", { ...near, models: [attested] }), view("cloud", cloud)];

  it.each([
    ["any", ["own", "near", "cloud"]],
    ["local-or-attested", ["own", "near"]],
    ["local-or-verified", ["own"]],
    ["local", ["own"]],
  ] as const)("%s lets %j answer", (privacy, ids) => {
    const found = route(views, "m", { privacy });
    expect(found.candidates.map(({ provider }) => provider.id).toSorted()).toEqual(ids.toSorted());
    expect(found.passedOver.map(({ provider }) => provider)).toEqual(
      ["own", "near", "cloud"].filter((id) => !ids.some((one) => one === id)),
    );
  });

  it("of the call holds where it is stricter than that of the settings, and never loosens those", () => {
    const ids = (found: Route): string[] => found.candidates.map(({ provider }) => provider.id).toSorted();
    expect(ids(route(views, { privacy: "local-or-attested" }))).toEqual(["near", "own"]);
    expect(ids(route(views, { privacy: "local" }, { privacy: "local-or-attested" }))).toEqual(["own"]);
    expect(ids(route(views, { privacy: "any" }, { privacy: "local" }))).toEqual(["own"]);
    expect(ids(route(views, { privacy: "local-or-attested" }, { privacy: "local" }))).toEqual(["own"]);
    const error = refusal([view("openai", cloud)], { privacy: "local" });
    expect(error).toMatchObject({ code: "privacy_rule", status: 403 });
    expect(error.message).toContain("X-Postern-Privacy: local");
  });

  it("goes by the model where a provider has several kinds", () => {
    const ollama = view("ollama", { models: ["m", { id: "x:cloud", location: "cloud", trust: "plain" }] });
    expect(chosen(route([ollama], "m", { privacy: "local" }))).toEqual(["ollama: m"]);
    expect(refusal([ollama], "x:cloud", { privacy: "local" }).code).toBe("privacy_rule");
    expect(refusal([ollama], "x:cloud", { strategy: "local-only" }).code).toBe("privacy_rule");
  });

  it("refuses rather than to let somebody else read, and says who would have the model", () => {
    const error = refusal([view("openai", cloud), view("near", { ...near, models: [attested] })], "m", {
      privacy: "local",
    });
    expect(error).toMatchObject({ code: "privacy_rule", status: 403 });
    expect(error.message).toMatch(/openai.*near.*privacy: local/);
  });

  it("refuses also by an alias, and never goes on to what it forbids", () => {
    const others = [view("own", { models: ["n"], state: "asleep" }), view("cloud", cloud)];
    const error = refusal(others, "best", { privacy: "local", aliases: { best: ["n", "m"] } });
    expect(error.code).toBe("no_provider");
  });

  it("wants the head of an answer looked at that is said to be attested, and no other", () => {
    const checkAttested = (): string => "not from a TEE";
    const both = [view("near", { ...near, models: [attested], checkAttested }), view("own", { checkAttested })];
    const check = (privacy: Routing["privacy"]): unknown[] =>
      route(both, "m", { privacy }).candidates.map(({ provider, checkAnswer }) => [provider.id, checkAnswer?.({})]);
    expect(check("local-or-attested")).toEqual([
      ["own", undefined],
      ["near", "not from a TEE"],
    ]);
    expect(check("any")).toEqual([
      ["own", undefined],
      ["near", undefined],
    ]);
  });
});

describe("the evidence of a model", () => {
  const verified = { ...attested, attestation: "verified" } as const;
  const refused = { ...attested, withheld: "its evidence is bad: model-key: Another key." } as const;
  const nearWith = (model: ProviderModel) => view("near", { ...near, models: [model] });

  it("lets the rule local-or-verified ask it, and a claim or a simulator's word does not", () => {
    const privacy = "local-or-verified";
    expect(chosen(route([nearWith(verified)], "m", { privacy }))).toEqual(["near: m"]);
    for (const attestation of ["claimed", "simulated"] as const) {
      const error = refusal([nearWith({ ...attested, attestation })], "m", { privacy });
      expect(error).toMatchObject({ code: "no_provider", status: 503 });
      expect(error.message).toContain("not verified yet");
    }
  });

  it("that is bad keeps it from being asked under every rule, and the refusal says why", () => {
    for (const privacy of ["any", "local-or-attested", "local-or-verified"] as const) {
      const error = refusal([nearWith(refused)], "m", { privacy });
      expect(error).toMatchObject({ code: "evidence_rejected", status: 502 });
      expect(error.message).toContain("model-key: Another key.");
    }
    const both = route([nearWith(refused), view("openai", cloud)]);
    expect(chosen(both)).toEqual(["openai: m"]);
    expect(both.passedOver).toContainEqual({ provider: "near", reason: refused.withheld });
  });

  it("is not told as a likely name when it is bad, or not verified where that is asked for", () => {
    const models = [{ ...refused, id: "glm-5" }];
    expect(refusal([view("near", { ...near, models })], "glm-6").message).not.toContain("glm-5");
    const claimed = [view("near", { ...near, models: [{ ...attested, id: "glm-5" }] })];
    expect(refusal(claimed, "glm-6", { privacy: "local-or-verified" }).message).not.toContain("glm-5");
    expect(refusal(claimed, "glm-6", { privacy: "local-or-attested" }).message).toContain("glm-5");
  });

  it("is followed by an observer of its answers, and a plain model is not", () => {
    const attestor = { holdsAnswers: true, observe: (model: string) => model } as unknown as Attestor;
    const plain = { id: "m", trust: "plain" } as const;
    const found = (model: ProviderModel) => route([view("near", { ...near, models: [model], attestor })]).candidates[0];
    expect(found(attested)?.observe?.("chat")).toBe("m");
    expect(found(attested)?.holdsAnswers).toBe(true);
    expect(found(plain)?.observe).toBeUndefined();
    expect(found(plain)?.holdsAnswers).toBeUndefined();
  });
});

describe("a call that nobody can answer", () => {
  it("is told likely names, none of which the privacy rule forbids", () => {
    const views = [
      view("a", { models: ["llama3.2:latest", "llama3.1:8b", "qwen3:8b"] }),
      view("b", { ...cloud, models: ["llama3.3"] }),
      view("off", { state: "asleep", models: ["llama3.0"] }),
    ];
    const error = refusal(views, "llama3.2", { privacy: "local" });
    expect(error).toMatchObject({ code: "model_not_found", status: 404, param: "model" });
    expect(error.message).toContain('"llama3.2:latest"');
    expect(error.message).not.toMatch(/llama3\.3|llama3\.0|qwen/);
    expect(error.message).toContain("GET /v1/models");
  });

  it("is not told its own name at length", () => {
    expect(refusal([view("a")], "x".repeat(1_000_000)).message.length).toBeLessThan(300);
  });

  it("is told to come back when those who have the model sleep, or rest", () => {
    const asleep = refusal([view("off", { state: "asleep" })]);
    expect(asleep).toMatchObject({ code: "no_provider", status: 503, retryAfterMs: 2_000 });
    expect(asleep.message).toContain("off (asleep)");
    const ill = view("ill");
    for (let failure = 0; failure < 3; failure++) ill.attempts.admit()?.failed();
    expect(refusal([ill])).toMatchObject({ code: "no_provider", retryAfterMs: 5_000 });
  });

  it("is told so too when it names a provider that was never seen", () => {
    const error = refusal([view("ollama", { state: "asleep", models: [] })], "ollama/llama3.2");
    expect(error).toMatchObject({ code: "no_provider", message: "The provider ollama is asleep." });
  });

  it("is told when the model is not for that", () => {
    const error = refusal([view("a", { models: [{ id: "m", endpoints: ["embeddings"] }] })]);
    expect(error).toMatchObject({ code: "not_supported", status: 501 });
  });
});

describe("X-Target-Node", () => {
  it("with a name of this node means what runs here", () => {
    for (const targetNode of ["alice", "Alice", "a".repeat(64)]) {
      const { candidates, passedOver } = route([view("own"), view("far", cloud)], { targetNode });
      expect(candidates.map(({ provider }) => provider.id)).toEqual(["own"]);
      expect(passedOver).toEqual([{ provider: "far", reason: "not of this node itself" }]);
    }
    expect(refusal([view("far", cloud)], { targetNode: "alice" })).toMatchObject({ code: "model_not_found" });
  });

  it("with another name is unknown", () => {
    expect(refusal([view("own")], { targetNode: "bob" })).toMatchObject({ code: "target_not_found", status: 404 });
  });
});
