import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { ChatRequest, ChatResponse } from "ollama";
import { answerText, answerWords, promptTokens } from "../../../support/upstream/content.ts";
import { ollamaLines, ollamaShown, ollamaWhole } from "../../../support/models/ollama-calls.ts";
import { until } from "../../../support/postern.ts";
import { startOllamaWorld, type OllamaWorld } from "./ollama-world.ts";

let world: OllamaWorld;
beforeEach(async () => void (world = await startOllamaWorld())); // a breaker that one test opens is none of the next
afterEach(() => world[Symbol.asyncDispose]());

type Asked = Omit<ChatRequest, "stream">;
const ask = (model: string, more: Partial<Asked> = {}): Asked => ({
  model,
  messages: [{ role: "user", content: "Who keeps the door?" }],
  ...more,
});
async function stream(model: string, more: Partial<Asked> = {}): Promise<ChatResponse[]> {
  const parts: ChatResponse[] = [];
  for await (const part of await world.client.chat({ ...ask(model, more), stream: true })) parts.push(part);
  return parts;
}
const textOf = (parts: readonly ChatResponse[]): string => parts.map(({ message }) => message.content).join("");
const post = (path: string, body: unknown, headers = {}): Promise<Response> =>
  fetch(world.origin + path, {
    method: "POST",
    headers: { "content-type": "application/json", ...headers },
    body: typeof body === "string" ? body : JSON.stringify(body),
  });

describe("Ollama's client before a provider with OpenAI's API", () => {
  it("gets a chat whole, with its counts and its durations", async () => {
    const answer = await world.client.chat(ask("normal"));
    expect(answer).toMatchObject({
      model: "normal",
      message: { role: "assistant", content: answerText },
      done: true,
      done_reason: "stop",
      prompt_eval_count: promptTokens,
      eval_count: answerWords.length,
    });
    expect(answer.total_duration).toBeGreaterThan(0);
    expect(world.lastBody(world.cloud)).toMatchObject({ model: "normal", stream: false });
  });

  it("gets a chat as a stream, a line for each event", async () => {
    const parts = await stream("normal");
    expect(textOf(parts)).toBe(answerText);
    expect(parts).toHaveLength(answerWords.length + 1);
    expect(parts.slice(0, -1).every(({ done }) => !done)).toBe(true);
    expect(parts.at(-1)).toMatchObject({ done: true, done_reason: "stop", eval_count: 60, prompt_eval_count: 12 });
    expect(world.lastBody(world.cloud)).toMatchObject({ stream: true, stream_options: { include_usage: true } });
  });

  it("streams unless it is told not to, as Ollama does", async () => {
    const response = await post("/api/chat", ask("normal"));
    expect(response.headers.get("content-type")).toBe("application/x-ndjson");
    expect(response.headers.get("x-postern-provider")).toBe("cloud");
    expect(response.headers.get("x-postern-translated")).toBe("openai");
    expect(
      (await response.text())
        .trimEnd()
        .split("\n")
        .map((line) => (JSON.parse(line) as ChatResponse).done)
        .at(-1),
    ).toBe(true);
  });

  it("gets a generation, whole and as a stream, with its system message and pictures", async () => {
    const png = "iVBORw0KGgoAAAANSUhEUg";
    const answer = await world.client.generate({ model: "normal", prompt: "Why?", system: "Be brief.", images: [png] });
    expect(answer).toMatchObject({ response: answerText, done: true, eval_count: 60 });
    expect(world.lastBody(world.cloud)["messages"]).toEqual([
      { role: "system", content: "Be brief." },
      {
        role: "user",
        content: [
          { type: "text", text: "Why?" },
          { type: "image_url", image_url: { url: `data:image/png;base64,${png}` } },
        ],
      },
    ]);
    let text = "";
    for await (const part of await world.client.generate({ model: "normal", prompt: "Why?", stream: true }))
      text += part.response;
    expect(text).toBe(answerText);
  });

  it("gets a raw generation from the API for those", async () => {
    const answer = await world.client.generate({ model: "normal", prompt: "Once", raw: true });
    expect(answer.response).toBe(answerText);
    expect(world.cloud.calls.at(-1)?.path).toBe("/v1/completions");
    expect(world.lastBody(world.cloud)).toMatchObject({ prompt: "Once" });
  });

  it("has its options, format and tools under the names that they have there", async () => {
    const format = { type: "object", properties: { a: { type: "string" } } };
    const tool = { type: "function", function: { name: "look", description: "looks", parameters: { type: "object" } } };
    await world.client.chat(
      ask("normal", {
        format,
        tools: [tool],
        options: { temperature: 0, num_predict: 7, seed: 3, stop: ["x"], num_ctx: 8_192, top_k: 4 },
      }),
    );
    const { messages: _, ...rest } = world.lastBody(world.cloud);
    expect(rest).toEqual({
      model: "normal",
      stream: false,
      temperature: 0,
      max_tokens: 7,
      seed: 3,
      stop: ["x"],
      tools: [tool],
      response_format: { type: "json_schema", json_schema: { name: "answer", strict: true, schema: format } },
    });
  });

  it("carries calls of tools there and back", async () => {
    const [whole, parts] = [await world.client.chat(ask("tool-calls")), await stream("tool-calls")];
    const called = whole.message.tool_calls ?? [];
    expect(called.length).toBeGreaterThan(0);
    expect(typeof called[0]?.function.arguments).toBe("object");
    expect(parts.flatMap(({ message }) => message.tool_calls ?? [])).toEqual(called);
    expect([whole.done_reason, parts.at(-1)?.done_reason]).toEqual(["stop", "stop"]);

    const name = called[0]?.function.name ?? "";
    const messages = [{ role: "user", content: "?" }, whole.message, { role: "tool", tool_name: name, content: "42" }];
    await world.client.chat({ model: "normal", messages });
    const sent = world.lastBody(world.cloud)["messages"] as Record<string, unknown>[];
    const [call] = (sent[1]?.["tool_calls"] ?? []) as { id: string; function: { arguments: string } }[];
    expect(JSON.parse(call?.function.arguments ?? "")).toEqual(called[0]?.function.arguments);
    expect(sent[2]).toEqual({ role: "tool", content: "42", tool_call_id: call?.id });
  });

  it("gets embeddings, in the form of today and in the one before", async () => {
    const { embeddings, model } = await world.client.embed({ model: "normal", input: ["a"] });
    expect({ embeddings, model }).toEqual({ embeddings: [[0.25, -0.5, 0.125, 1e-7]], model: "normal" });
    expect((await world.client.embeddings({ model: "normal", prompt: "a" })).embedding).toEqual([
      0.25, -0.5, 0.125, 1e-7,
    ]);
  });

  it("may call a model name:latest, which is its name elsewhere", async () => {
    expect((await world.client.chat(ask("normal:latest"))).model).toBe("normal:latest");
    expect(world.lastBody(world.cloud)["model"]).toBe("normal");
  });

  it("is told at once that a model is loaded or not, though only an Ollama does that", async () => {
    expect(await world.client.generate({ model: "normal", prompt: "" })).toMatchObject({
      done: true,
      done_reason: "load",
    });
    const unloaded = await world.client.chat({ model: "normal", messages: [], keep_alive: 0 });
    expect(unloaded).toMatchObject({ done: true, done_reason: "unload", message: { content: "" } });
    expect(world.cloud.calls).toHaveLength(0);
  });
});

describe("Ollama's client before failures", () => {
  it.each([
    "closed-between-events",
    "reset-between-events",
    "closed-mid-event",
    "ends-unfinished",
    "error-later",
    "error-then-done",
    "malformed-event",
  ])("raises for a stream that is %s, after what came of it", async (model) => {
    const response = await post("/api/chat", ask(model));
    const lines = (await response.text()).trimEnd().split("\n");
    expect(lines.length).toBeGreaterThan(1);
    expect(JSON.parse(lines.at(-1) ?? "")).toEqual({ error: expect.stringMatching(/./) });
    expect(lines.join()).not.toContain('"done":true');
    await expect(stream(model)).rejects.toThrow();
  });

  it.each([
    ["failing-500", 500],
    ["context-exceeded", 400],
    ["failing-502", 502],
    ["nobody-has-it", 404],
  ])("%s: status and words, in Ollama's form", async (model, status) => {
    const response = await post("/api/chat", ask(model));
    expect(response.status).toBe(status);
    expect(response.headers.get("content-type")).toContain("application/json");
    expect(await response.json()).toEqual({ error: expect.stringMatching(/./) });
    await world[Symbol.asyncDispose]();
    world = await startOllamaWorld();
    await expect(world.client.chat(ask(model))).rejects.toMatchObject({ status_code: status });
  });

  it("is answered by the next try when the first failed before its first word", async () => {
    expect(textOf(await stream("reset-once"))).toBe(answerText);
  });

  it("that leaves is left by the provider too", async () => {
    const controller = new AbortController();
    const response = await fetch(`${world.origin}/api/chat`, {
      method: "POST",
      body: JSON.stringify(ask("stalling")),
      signal: controller.signal,
    });
    await response.body?.getReader().read();
    const call = await world.cloud.call(1);
    controller.abort();
    await until(() => call.leftAt !== undefined, 2_000, "the provider sees that nobody wants it any more");
  });

  it.each([
    ["{", 400],
    [{ messages: [] }, 400],
    [{ model: "normal", messages: "hello" }, 400],
    [{ model: "normal", messages: [{ role: "user", content: 3 }] }, 400],
    [{ model: "normal", messages: [], options: { temperature: "hot" } }, 400],
  ])("%j is refused without asking anybody, and without quoting it", async (body, status) => {
    const response = await post("/api/chat", body);
    expect(response.status).toBe(status);
    const { error } = (await response.json()) as { error: string };
    expect(error).not.toMatch(/hello|hot/);
    expect(world.cloud.calls).toHaveLength(0);
  });

  it("is told what only an Ollama has, rather than answered without it", async () => {
    const response = await post("/api/generate", { model: "normal", prompt: "x", template: "{{ .Prompt }}" });
    expect(response.status).toBe(501);
    expect(await response.json()).toEqual({ error: expect.stringContaining("`template`") });
  });
});

describe("Ollama's client before an Ollama", () => {
  it("gets its very bytes, of a stream and of a whole answer", async () => {
    expect(await (await post("/api/chat", ask("llama3.2"))).text()).toBe(ollamaLines);
    const whole = await post("/api/chat", { ...ask("llama3.2"), stream: false });
    expect(await whole.text()).toBe(ollamaWhole);
    expect(whole.headers.get("x-postern-translated")).toBeNull();
    expect(textOf(await stream("llama3.2"))).toBe("The sky is blue.");
  });

  it("has its very bytes put to it, with what only an Ollama understands", async () => {
    const body = '{ "model":"llama3.2:latest" ,"options":{"num_ctx":8192,"mirostat":2},"think":"high","messages":[]}';
    await (await post("/api/chat", body)).text();
    expect(world.box.requests.at(-1)).toMatchObject({ path: "/api/chat" });
    expect(world.box.requests.at(-1)?.body.toString()).toBe(body);
    await (await post("/api/chat", body.replace("llama3.2:latest", "house"))).text();
    expect(world.box.requests.at(-1)?.body.toString()).toBe(body.replace("llama3.2:latest", "llama3.2"));
  });

  it("raises for its bad endings, and reads its own words", async () => {
    for (const fault of ["cut", "silent-end", "error-line"] as const) {
      world.box.fault = fault;
      const lines = (await (await post("/api/chat", ask("llama3.2"))).text()).trimEnd().split("\n");
      expect(lines).toHaveLength(4);
      expect(JSON.parse(lines[3] ?? "")).toEqual({ error: expect.stringMatching(/./) });
    }
    world.box.fault = "error-status";
    await expect(world.client.chat(ask("llama3.2"))).rejects.toThrow("llama3.2 does not support images");
  });

  it("gets embeddings and the description of a model from it", async () => {
    const { embeddings } = await world.client.embed({ model: "nomic-embed-text:v1.5", input: "a" });
    expect(embeddings).toEqual([[0.010071029, -0.0017594862]]);
    expect(await (await post("/api/show", { model: "llama3.2" })).json()).toEqual(JSON.parse(ollamaShown));
  });
});

describe("what Ollama's client asks besides", () => {
  it("is which version, which models, and what is loaded", async () => {
    expect((await world.client.version()).version).toMatch(/^\d+\.\d+\.\d+$/);
    const { models } = await world.client.list();
    expect(models.find(({ name }) => name === "llama3.2:latest")).toMatchObject({
      size: 2_019_393_189,
      digest: expect.stringMatching(/^[0-9a-f]{64}$/),
      details: { family: "llama", quantization_level: "Q4_K_M" },
    });
    expect(models.map(({ name }) => name)).toEqual(expect.arrayContaining(["normal", "house"]));
    expect((await world.client.ps()).models.map(({ name }) => name)).toContain("llama3.2:latest");
  });

  it("is how a model is that somebody else has, and one that nobody has", async () => {
    expect(await world.client.show({ model: "normal" })).toMatchObject({
      capabilities: ["completion", "tools"],
      model_info: { "general.architecture": "unknown" },
    });
    await expect(world.client.show({ model: "nobody-has-it" })).rejects.toThrow("not found");
    expect((await post("/api/show", "x".repeat(100_000))).status).toBe(413);
    expect((await post("/api/show", "{}")).status).toBe(400);
  });

  it("is whether an Ollama is there; browsers see the front page", async () => {
    const get = async (accept: string): Promise<string> => (await fetch(world.origin, { headers: { accept } })).text();
    expect(await get("application/json")).toBe("Ollama is running");
    expect(await get("text/html,application/xhtml+xml,*/*;q=0.8")).toContain("<html");
    expect(await get("*/*")).toContain("<html");
    expect((await fetch(world.origin, { method: "HEAD" })).status).toBe(200);
  });

  it("may be to look after models, which is no affair of a gateway", async () => {
    await expect(world.client.pull({ model: "x" })).rejects.toMatchObject({ status_code: 501 });
    await expect(world.client.delete({ model: "x" })).rejects.toThrow("does not look after models");
    expect((await post("/api/nothing", {})).status).toBe(404);
    expect((await fetch(`${world.origin}/api/chat`)).status).toBe(405);
  });

  it("is refused to web pages from elsewhere, in Ollama's form", async () => {
    const response = await post("/api/chat", ask("normal"), { origin: "https://evil.test" });
    expect(response.status).toBe(403);
    expect(await response.json()).toEqual({ error: expect.stringContaining("elsewhere") });
  });
});

it("a call in Ollama's form asks for the same key as any other", async () => {
  await using closed = await startOllamaWorld({ keys: { loopback: "required" } });
  for (const path of ["/api/tags", "/api/version"]) expect((await fetch(closed.origin + path)).status).toBe(401);
  await expect(closed.client.chat(ask("normal"))).rejects.toMatchObject({ status_code: 401 });
  expect(closed.cloud.calls).toHaveLength(0);
});
