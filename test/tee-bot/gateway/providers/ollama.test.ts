import { describe, expect, it } from "vitest";
import { parseOllamaModels, specOfOllama } from "../../../../tee-bot/gateway/providers/ollama.ts";
import { describeProvider, describeServedProvider, type ServedWorld } from "../../../gateway/provider-behaviour.ts";
import { ollamaRunning, ollamaStandIn, ollamaTags } from "../../../support/models/ollama.ts";
import { openServed } from "../../../support/models/open.ts";

const open = (timeoutMs?: number): Promise<ServedWorld> =>
  openServed(ollamaStandIn(), "llama3.2:latest", (url) => specOfOllama({ id: "ollama", url }, undefined), timeoutMs);

describeProvider("ollama", open);
describeServedProvider("ollama", open);

describe("the models of an Ollama", () => {
  const models = parseOllamaModels({ models: ollamaTags }, { models: ollamaRunning });
  const of = (id: string) => models.find((model) => model.id === id);

  it("say what they are, whether they are loaded, and the context they run with", () => {
    expect(of("llama3.2:latest")).toEqual({
      id: "llama3.2:latest",
      synonyms: ["llama3.2"],
      loaded: true,
      contextLength: 4_096,
      size: 2_019_393_189,
      family: "llama",
      vision: false,
      quantization: "Q4_K_M",
      created: Math.floor(Date.parse("2026-05-05T00:37:44.706Z") / 1_000),
    });
  });

  it("take images where it says so, and nobody knows where an older one says nothing", () => {
    const visionOf = (capabilities?: string[]) =>
      parseOllamaModels({ models: [{ name: "eyes", capabilities }] }, {})[0]?.vision;
    expect([visionOf(["completion", "vision"]), visionOf(["completion"]), visionOf()]).toEqual([
      true,
      false,
      undefined,
    ]);
  });

  it("have no context while they are not loaded: it is decided only then", () => {
    const [model] = parseOllamaModels({ models: ollamaTags }, { models: [] });
    expect(model).toMatchObject({ loaded: false });
    expect(model).not.toHaveProperty("contextLength");
  });

  it("are for embeddings only where they say so, or where their family says so in older versions", () => {
    expect(of("nomic-embed-text:v1.5")?.endpoints).toEqual(["embeddings"]);
    expect(of("llama3.2:latest")?.endpoints).toBeUndefined();
    const said = parseOllamaModels({ models: [{ name: "embeddinggemma:300m", capabilities: ["embedding"] }] }, {});
    expect(said[0]?.endpoints).toEqual(["embeddings"]);
  });

  it("are not this machine's when they run at ollama.com", () => {
    expect(of("gpt-oss:120b-cloud")).toMatchObject({ location: "cloud", trust: "plain" });
    for (const name of ["glm-5:cloud", "qwen3-coder:480b-cloud"])
      expect(parseOllamaModels({ models: [{ name }] }, {})[0]).toMatchObject({ location: "cloud", trust: "plain" });
    for (const remote of [{ remote_host: "https://ollama.com:443" }, { remote_model: "gpt-oss:120b" }])
      expect(parseOllamaModels({ models: [{ name: "renamed:latest", ...remote }] }, {})[0]).toMatchObject({
        trust: "plain",
      });
    expect(of("llama3.2:latest")).not.toHaveProperty("trust");
  });

  it("are listed without those that are not understood", () => {
    const odd = [
      null,
      7,
      {},
      { name: "" },
      { name: "a\nb" },
      { name: 3 },
      { name: "good:1b", details: "odd", size: -1 },
    ];
    expect(parseOllamaModels({ models: odd }, "odd")).toEqual([{ id: "good:1b", loaded: false }]);
    expect(parseOllamaModels({ models: null }, null)).toEqual([]);
  });
});

describe("an Ollama", () => {
  it("is called below the path of its URL, however that ends", () => {
    const spec = (url: string) => specOfOllama({ id: "box", url }, undefined);
    for (const end of ["", "/", "/v1", "/v1/"])
      expect(spec(`http://127.0.0.1:11434${end}`).url).toBe("http://127.0.0.1:11434");
    expect(spec("https://box.test/ollama/v1").url).toBe("https://box.test/ollama");
  });

  it("is the user's own on this machine, and elsewhere only if the user says so", () => {
    const spec = (url: string, trust?: "local" | "plain") => specOfOllama({ id: "box", url, trust }, undefined);
    expect(spec("http://localhost:11434")).toMatchObject({ location: "local", trust: "local" });
    expect(spec("http://192.168.1.5:11434")).toMatchObject({ location: "cloud", trust: "plain" });
    expect(spec("http://192.168.1.5:11434", "local")).toMatchObject({ location: "local", trust: "local" });
    expect(spec("http://127.0.0.1:11434", "plain")).toMatchObject({ location: "local", trust: "plain" });
  });

  it("is not what answers to its pages without being one", async () => {
    await using world = await open();
    await using other = await openServed(ollamaStandIn(), "x", () =>
      specOfOllama({ id: "o", url: world.server.url }, undefined),
    );
    world.server.fault = "odd";
    await expect(other.provider.fetchModels(new AbortController().signal)).rejects.toThrow("not an Ollama");
  });
});
