import { describe, expect, it } from "vitest";
import type { Attestation } from "../../../../tee-bot/gateway/providers/provider.ts";
import { parseNearAiModels, specOfNearAi } from "../../../../tee-bot/gateway/providers/near-ai.ts";
import { describeProvider, describeServedProvider, type ServedWorld } from "../../../gateway/provider-behaviour.ts";
import { nearModels, nearStandIn } from "../../../support/models/near-ai.ts";
import { openServed } from "../../../support/models/open.ts";

const spec = (url = "https://near.test", unattested = false) =>
  specOfNearAi({ id: "near", url: `${url}/v1`, unattested }, "sk-test");
const open = (server = nearStandIn(), timeoutMs?: number): Promise<ServedWorld> =>
  openServed(server, "zai-org/GLM-5.1-FP8", spec, timeoutMs);

describeProvider("near-ai", () => open());
describeServedProvider("near-ai", (timeoutMs) => open(undefined, timeoutMs));

describe("NEAR AI Cloud", () => {
  it("offers only models that it says are attested, and that as a claim", () => {
    const models = parseNearAiModels(nearModels, false);
    expect(models).toEqual([
      {
        id: "zai-org/GLM-5.1-FP8",
        trust: "attested",
        attestation: "claimed",
        endpoints: ["chat", "completions", "responses"],
        vision: false,
        contextLength: 131_072,
      },
      { id: "Qwen/Qwen3-30B-A3B-Instruct-2507", trust: "attested", attestation: "claimed", contextLength: 262_144 },
      {
        id: "Qwen/Qwen3-Embedding-0.6B",
        trust: "attested",
        attestation: "claimed",
        endpoints: ["embeddings"],
        vision: false,
        contextLength: 131_072,
      },
    ]);
  });

  it("offers the others as plain ones where its user asks for them, but none that makes pictures", () => {
    const models = parseNearAiModels(nearModels, true);
    expect(models.filter(({ trust }) => trust === "plain").map(({ id }) => id)).toEqual([
      "anthropic/claude-sonnet-4-5",
      "openai/gpt-5.2",
      "unsaid/model",
    ]);
    expect(models.some(({ id }) => id.includes("FLUX"))).toBe(false);
  });

  it("is told that names stand for themselves, with every call", async () => {
    await using world = await open();
    await world.provider.fetchModels(new AbortController().signal);
    expect(world.provider.upstream.headers).toEqual(["authorization", "Bearer sk-test", "x-no-aliasing", "true"]);
    expect(world.server.requests[0]?.headers).toMatchObject({ "x-no-aliasing": "true" });
  });

  it("is asked page by page", async () => {
    await using world = await open(nearStandIn({ pageSize: 2 }));
    const models = await world.provider.fetchModels(new AbortController().signal);
    expect(models).toEqual(parseNearAiModels(nearModels, false));
    expect(world.server.requests).toHaveLength(4);
  });

  it("has answered from a TEE only where it says so", () => {
    const check = (serving?: string | string[], attestation: Attestation = "claimed") =>
      spec().checkAttested?.(serving === undefined ? {} : { "x-serving-provider": serving }, attestation);
    expect(check("near")).toBeUndefined();
    expect(check("chutes")).toBeUndefined();
    expect(check("non-attested")).toContain("non-attested");
    expect(check("NEAR-ish")).toContain("not attested");
    expect(check(["near", "non-attested"])).toContain("not attested");
    expect(check()).toContain("does not say");
    expect(check("near", "verified")).toBeUndefined();
    expect(check("chutes", "verified")).toContain("evidence was not verified");
    expect(check("non-attested", "verified")).toContain("not attested");
    expect(spec().trust).toBe("plain");
  });
});
