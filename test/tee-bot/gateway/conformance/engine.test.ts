/** The same clients and shapes, with real tokens: the engine and the model that ship, behind the gateway. */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { busyMs } from "../../../support/engine/running-engine.ts";
import { clientNames, clients } from "../../../support/clients/clients.ts";
import { startGateway, type TestGateway } from "../../../support/gateway.ts";
import { eventsOf, faultsOf, type Shape } from "./shapes.ts";

const model = "postern-demo";
const question = "What is a TEE?";

let gateway: TestGateway;
beforeAll(async () => {
  gateway = await startGateway({ providers: {}, demo: true });
  await post("/chat/completions", { messages: [{ role: "user", content: "Hello" }] });
}, busyMs);
afterAll(() => gateway[Symbol.asyncDispose]());

async function post(path: string, fields: object): Promise<string> {
  const body = JSON.stringify({ model, temperature: 0, ...fields });
  const headers = { "content-type": "application/json" };
  return (await fetch(`${gateway.baseUrl}${path}`, { method: "POST", body, headers })).text();
}

describe("the model that ships", () => {
  it.each(clientNames)("answers the client %s in both forms with the same words", async (name) => {
    const client = clients[name]({ baseUrl: gateway.baseUrl });
    const [whole, streamed] = await Promise.all(
      [false, true].map((stream) => client.ask({ model, stream, prompt: question })),
    );
    expect(whole?.text).toContain("TEE");
    expect(whole?.completionTokens).toBeGreaterThan(1);
    expect(whole?.finishReason).toBe("stop");
    expect(streamed?.finishReason).toBe("stop");
  });

  const messages = [{ role: "user", content: question }];
  it.each<[Shape, string, object]>([
    ["chatCompletion", "/chat/completions", { messages }],
    ["completion", "/completions", { prompt: question, max_tokens: 8 }],
  ])("has answers of the shape %s", async (shape, path, fields) => {
    expect(faultsOf(shape, JSON.parse(await post(path, fields)))).toEqual([]);
  });

  it.each<[Shape, string, object]>([
    ["chatChunk", "/chat/completions", { messages, stream_options: { include_usage: true } }],
    ["completion", "/completions", { prompt: question, max_tokens: 8 }],
  ])("has events of the shape %s, and an end", async (shape, path, fields) => {
    const text = await post(path, { ...fields, stream: true });
    const events = eventsOf(text);
    expect(events.length).toBeGreaterThan(2);
    expect(events.flatMap((event) => faultsOf(shape, event))).toEqual([]);
    expect(text.endsWith("data: [DONE]\n\n")).toBe(true);
  });

  it.each<[string, object]>([
    ["/chat/completions", { messages: [{ role: "user", content: "too long ".repeat(20_000) }] }],
    ["/chat/completions", { messages: "no list" }],
    ["/embeddings", { input: question }],
    ["/responses", { input: question }],
  ])("refuses in OpenAI's form what it cannot do, at %s", async (path, fields) => {
    expect(faultsOf("error", JSON.parse(await post(path, fields)))).toEqual([]);
  });
});
