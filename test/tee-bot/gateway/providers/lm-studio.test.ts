import { describe, expect, it } from "vitest";
import { specOfLmStudio } from "../../../../tee-bot/gateway/providers/lm-studio.ts";
import { describeProvider, describeServedProvider, type ServedWorld } from "../../../gateway/provider-behaviour.ts";
import { lmStudioStandIn } from "../../../support/models/lm-studio.ts";
import { openServed } from "../../../support/models/open.ts";

const open = (api?: "v1" | "v0" | "openai", timeoutMs?: number): Promise<ServedWorld> =>
  openServed(
    lmStudioStandIn(api),
    "qwen/qwen3-4b",
    (url) => specOfLmStudio({ id: "lm-studio", url }, undefined),
    timeoutMs,
  );

describeProvider("lm-studio", () => open());
describeServedProvider("lm-studio", (timeoutMs) => open("v1", timeoutMs));

describe("an LM Studio", () => {
  const list = async (api: "v1" | "v0" | "openai") => {
    await using world = await open(api);
    return await world.provider.fetchModels(new AbortController().signal);
  };

  it("of today says what is loaded, in how many instances, and with what context", async () => {
    expect(await list("v1")).toEqual([
      {
        id: "qwen/qwen3-4b",
        synonyms: ["qwen/qwen3-4b:2"],
        endpoints: ["chat", "completions", "responses"],
        loaded: true,
        contextLength: 8_192, // of the smaller instance, since either may answer
        maxContextLength: 262_144,
        size: 2_500_000_000,
        quantization: "Q4_K_M",
        family: "qwen3",
        ownedBy: "qwen",
      },
      {
        id: "text-embedding-nomic-embed-text-v1.5",
        endpoints: ["embeddings"],
        loaded: false,
        maxContextLength: 2_048,
        size: 84_000_000,
        ownedBy: "nomic-ai",
      },
    ]);
  });

  it("before 0.4 is asked by its older API", async () => {
    expect(await list("v0")).toMatchObject([
      { id: "qwen/qwen3-4b", loaded: true, contextLength: 4_096, family: "qwen3", quantization: "4bit" },
      { id: "text-embedding-nomic-embed-text-v1.5", loaded: false, endpoints: ["embeddings"] },
    ]);
  });

  it("without an API of its own is asked by OpenAI's", async () => {
    expect(await list("openai")).toEqual([{ id: "qwen/qwen3-4b", ownedBy: "organization_owner" }]);
  });
});
