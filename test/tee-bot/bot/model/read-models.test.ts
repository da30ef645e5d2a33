import { expect, it } from "vitest";
import { decideModel, readModels } from "../../../../tee-bot/bot/model/read-models.ts";

const facts = { provider: "a", location: "local", trust: "local", state: "up" };
const list = (...entries: object[]): string => JSON.stringify({ object: "list", data: entries });

it("leaves out what cannot chat, and reads what is known", () => {
  const models = readModels(
    list(
      { id: "embedder", postern: { ...facts, endpoints: ["embeddings"] } },
      { id: "eyes", postern: { ...facts, endpoints: ["chat"], vision: true, synonyms: ["see"] } },
    ),
  );
  expect(models).toEqual([
    {
      id: "eyes",
      provider: "a",
      synonyms: ["see"],
      trust: "local",
      attestation: undefined,
      hasVision: true,
      isDemo: false,
    },
  ]);
});

it("chooses the toy only where there is nothing else", () => {
  const toy = { id: "a-toy", postern: { ...facts, demo: true } };
  const real = { id: "real", postern: facts };
  expect(decideModel(readModels(list(toy, real)))?.id).toBe("real");
  expect(decideModel(readModels(list(toy)))?.id).toBe("a-toy");
  expect(decideModel([])).toBeUndefined();
});
