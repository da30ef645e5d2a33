import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { describe, expect, it } from "vitest";
import { openHttpProvider } from "../../../../tee-bot/gateway/providers/http-provider.ts";
import { parseOpenAiModels, specOfOpenAi } from "../../../../tee-bot/gateway/providers/openai.ts";
import { describeProvider, describeServedProvider, type ServedWorld } from "../../../gateway/provider-behaviour.ts";
import { openAiStandIn } from "../../../support/models/openai.ts";
import { createTestCertificate } from "../../../support/certificate.ts";
import { openServed } from "../../../support/models/open.ts";

const never = new AbortController().signal;
interface Wish {
  models?: string[];
  base?: string;
  timeoutMs?: number | undefined;
}
const open = ({ models, base = "/v1", timeoutMs }: Wish = {}): Promise<ServedWorld> =>
  openServed(
    openAiStandIn(),
    "gpt-4o-mini",
    (url) => specOfOpenAi({ kind: "openai", id: "api", url: url + base, trust: "plain", models }, "sk-test"),
    timeoutMs,
  );

describeProvider("openai", () => open());
describeServedProvider("openai", (timeoutMs) => open({ timeoutMs }));

describe("a provider with OpenAI's API", () => {
  it("is asked with its key, and with nothing that a browser would say", async () => {
    await using world = await open();
    await world.provider.fetchModels(never);
    const [asked] = world.server.requests;
    expect(asked?.line).toBe("GET /v1/models");
    expect(asked?.headers).toMatchObject({ authorization: "Bearer sk-test", "accept-encoding": "identity" });
    expect(asked?.headers).not.toHaveProperty("user-agent", expect.stringContaining("undici"));
  });

  it("offers just the models that its user named, with what it says of them", async () => {
    await using world = await open({ models: ["Qwen/Qwen3-8B", "hidden"] });
    expect(await world.provider.fetchModels(never)).toEqual([
      { id: "Qwen/Qwen3-8B", created: 1_735_000_000, ownedBy: "vllm", contextLength: 32_768 },
      { id: "hidden" },
    ]);
  });

  it("needs no list of models where its user named them", async () => {
    await using world = await open({ models: ["hidden"], base: "/other/v2" });
    expect(await world.provider.fetchModels(never)).toEqual([{ id: "hidden" }]);
  });

  it("without such a page is told to have a wrong URL", async () => {
    await using world = await open({ base: "" });
    await expect(world.provider.fetchModels(never)).rejects.toThrow(/\/models.*\/v1/);
  });

  it("is not read on when its list does not end", async () => {
    await using world = await open();
    world.server.fault = "endless";
    await expect(world.provider.fetchModels(never)).rejects.toThrow("longer than 4 MiB");
  });

  it("with a certificate that nobody vouches for is not told its key", async () => {
    const { certificate, key } = await createTestCertificate({ hostnames: ["localhost"] });
    const asked: unknown[] = [];
    const server = createServer({ cert: certificate, key }, (request, response) => {
      asked.push(request.headers.authorization);
      response.end("{}");
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    await using stack = new AsyncDisposableStack();
    stack.defer(() => void server.close());
    const url = `https://localhost:${(server.address() as AddressInfo).port}/v1`;
    const settings = { kind: "openai", id: "api", url, trust: "plain" } as const;
    const options = { connectTimeoutMs: 5_000, mark: "test", onRefused: () => {} };
    const provider = stack.use(openHttpProvider(specOfOpenAi(settings, "sk-test"), options));
    await expect(provider.fetchModels(never)).rejects.toMatchObject({
      kind: "broken",
      message: expect.stringContaining("self-signed") as string,
    });
    expect(asked).toEqual([]);
  });

  it("is local on this machine, and read by whoever runs it unless its user says otherwise", () => {
    const place = (url: string, trust: "local" | "plain") =>
      specOfOpenAi({ kind: "openai", id: "a", url, trust }, undefined);
    expect(place("http://127.0.0.1:8080/v1", "plain")).toMatchObject({ location: "local", trust: "plain" });
    expect(place("https://api.example.com/v1", "plain")).toMatchObject({ location: "cloud", trust: "plain" });
    expect(place("http://10.0.0.7:8080/v1", "local")).toMatchObject({ location: "local", trust: "local" });
  });
});

describe("a list of models", () => {
  it.each([
    [
      "OpenAI",
      { object: "list", data: [{ id: "a", created: 1, owned_by: "o" }] },
      { id: "a", created: 1, ownedBy: "o" },
    ],
    [
      "OpenRouter",
      { data: [{ id: "a/b", context_length: 8_192, created: 1.5 }] },
      { id: "a/b", created: 1, contextLength: 8_192 },
    ],
    ["Groq", { data: [{ id: "a", context_window: 131_072 }] }, { id: "a", contextLength: 131_072 }],
    ["vLLM", { data: [{ id: "a", max_model_len: 4_096 }] }, { id: "a", contextLength: 4_096 }],
    [
      "llama-server",
      { models: [{ name: "a" }], data: [{ id: "a", meta: { n_ctx: 512, n_ctx_train: 4_096, size: 7 } }] },
      { id: "a", contextLength: 512, size: 7 },
    ],
    ["Together", [{ id: "a", object: "model", created: 0 }], { id: "a" }],
  ])("of %s is understood", (_, value, model) => {
    expect(parseOpenAiModels(value)).toEqual([model]);
  });

  it("of a hundred thousand is cut, and nothing odd gets in", () => {
    const many = Array.from({ length: 100_000 }, (_, at) => ({ id: `m${at}` }));
    expect(parseOpenAiModels({ data: many })).toHaveLength(5_000);
    const odd = [
      null,
      [],
      "x",
      { id: "x".repeat(600) },
      { id: "a\u0000" },
      { id: "ü" },
      { id: "fine", created: "yesterday" },
    ];
    expect(parseOpenAiModels({ data: odd })).toEqual([{ id: "fine" }]);
  });
});
