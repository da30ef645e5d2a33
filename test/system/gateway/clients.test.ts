import { OpenAI } from "openai";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { clientNames, clients } from "../../support/clients/clients.ts";
import { toolName } from "../../support/clients/client.ts";
import { answerText } from "../../support/upstream/content.ts";
import { startGatewayWorld, type GatewayWorld, type Protocol } from "./world.ts";

const broken = ["ends-unfinished", "reset-mid-event", "error-later"];

let world: GatewayWorld;
beforeAll(async () => {
  const failing = Object.fromEntries(broken.map((model) => [model, [model]]));
  world = await startGatewayWorld({ providers: { main: ["normal", "tool-calls"], ...failing } });
});
afterAll(() => world[Symbol.asyncDispose]());

const protocols: readonly Protocol[] = ["http/1.1", "h2"];

describe.each(protocols)("through the public name over %s", (protocol) => {
  it.each(clientNames)("the client %s has answers, streams and tools", async (name) => {
    const client = clients[name](world.clientOptions(protocol));
    for (const stream of [false, true]) {
      const told = await client.ask({ model: "normal", stream });
      expect(told).toMatchObject({ text: answerText, finishReason: "stop", completionTokens: 60 });
      const called = await client.ask({ model: "tool-calls", stream, tools: true });
      expect(called.toolCall).toEqual({ name: toolName, arguments: { street: "Mill Lane" } });
    }
  });

  it.each(clientNames)("the client %s raises for a stream that breaks, and for an answer", async (name) => {
    const client = clients[name](world.clientOptions(protocol));
    for (const model of broken)
      for (const stream of [true, false]) await expect(client.ask({ model, stream })).rejects.toThrow();
  });

  it("nobody is answered without a key, or with a wrong one", async () => {
    for (const key of [undefined, "postern_wrong", `${world.key}x`]) {
      const client = new OpenAI(sdkOptions(protocol));
      const headers = { authorization: key === undefined ? null : `Bearer ${key}` };
      world.upstream.forget();
      const asked = client.chat.completions.create({ model: "normal", messages: [] }, { headers });
      await expect(asked).rejects.toMatchObject({ status: 401, code: "invalid_api_key" });
      expect(world.upstream.calls).toEqual([]);
    }
  });

  it("an image in a message reaches the provider as it was sent", async () => {
    const url = `data:image/png;base64,${Buffer.alloc(3 << 20, "\u0007picture").toString("base64")}`;
    const content = [
      { type: "text" as const, text: "What is in these?" },
      { type: "image_url" as const, image_url: { url, detail: "low" as const } },
      { type: "image_url" as const, image_url: { url: url.slice(0, 1_000) } },
    ];
    world.upstream.forget();
    const client = new OpenAI(sdkOptions(protocol));
    await client.chat.completions.create({ model: "normal", messages: [{ role: "user", content }] });
    const { messages } = JSON.parse(String(world.upstream.calls[0]?.body)) as { messages: unknown[] };
    expect(messages).toEqual([{ role: "user", content }]);
  });
});

describe("the provider's list of models", () => {
  it("is the SDK's list, and each has a page", async () => {
    const client = new OpenAI(sdkOptions("http/1.1"));
    const ids: string[] = [];
    for await (const { id } of client.models.list()) ids.push(id);
    expect(ids).toContain("normal");
    expect(await client.models.retrieve("normal")).toMatchObject({ id: "normal", object: "model" });
    await expect(client.models.retrieve("nobody-has-this")).rejects.toMatchObject({ status: 404 });
  });
});

function sdkOptions(protocol: Protocol): ConstructorParameters<typeof OpenAI>[0] & object {
  const { baseUrl, apiKey, fetch } = world.clientOptions(protocol);
  return { baseURL: baseUrl, apiKey: apiKey ?? "", maxRetries: 0, ...(fetch && { fetch }) };
}
