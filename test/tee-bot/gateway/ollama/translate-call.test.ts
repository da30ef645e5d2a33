import { describe, expect, it } from "vitest";
import { translateCall } from "../../../../tee-bot/gateway/ollama/translate-call.ts";
import type { ProviderKind } from "../../../../tee-bot/gateway/providers/provider.ts";

const bodyOf = (kind: "chat" | "generate" | "embed", fields: object, provider: ProviderKind = "openai"): unknown =>
  JSON.parse(
    translateCall(kind, Buffer.from(JSON.stringify(fields)), "m")
      .bodyFor(provider)
      .toString(),
  );
const chat = (more: object, provider?: ProviderKind): unknown => bodyOf("chat", { stream: false, ...more }, provider);

describe("a call in Ollama's form", () => {
  it("has options under OpenAI's names; samplers of their own only for runners that know them", () => {
    const options = {
      temperature: 0.5,
      top_p: 0.9,
      top_k: 40,
      min_p: 0.1,
      repeat_penalty: 1.1,
      num_predict: -1,
      presence_penalty: 1,
      frequency_penalty: 2,
      num_ctx: 4_096,
    };
    const common = {
      model: "m",
      messages: [],
      temperature: 0.5,
      top_p: 0.9,
      presence_penalty: 1,
      frequency_penalty: 2,
      stream: false,
    };
    expect(chat({ options })).toEqual(common);
    for (const kind of ["embedded", "lm-studio"] as const)
      expect(chat({ options }, kind)).toEqual({ ...common, top_k: 40, min_p: 0.1, repeat_penalty: 1.1 });
  });

  it("has format and think as far as there are words for them", () => {
    expect(chat({ format: "json", think: "low" })).toMatchObject({
      response_format: { type: "json_object" },
      reasoning_effort: "low",
    });
    expect(chat({ format: "", think: true, keep_alive: "5m", options: null })).toEqual({
      model: "m",
      messages: [],
      stream: false,
    });
  });

  it("has results of tools with the call that they answer, by id, by name or in their order", () => {
    const call = (name: string, id?: string): object => ({
      ...(id && { id }),
      function: { name, arguments: { a: 1 } },
    });
    const messages = [
      { role: "assistant", content: "", tool_calls: [call("x"), call("y"), call("z", "own")] },
      { role: "tool", content: "1", tool_name: "y" },
      { role: "tool", content: "2" },
      { role: "tool", content: "3", tool_call_id: "own" },
    ];
    const sent = (chat({ messages }) as { messages: Record<string, unknown>[] }).messages;
    expect(sent[0]?.["tool_calls"]).toEqual([
      { id: "call_1", type: "function", function: { name: "x", arguments: '{"a":1}' } },
      { id: "call_2", type: "function", function: { name: "y", arguments: '{"a":1}' } },
      { id: "own", type: "function", function: { name: "z", arguments: '{"a":1}' } },
    ]);
    expect(sent.slice(1).map((one) => one["tool_call_id"])).toEqual(["call_2", "call_1", "own"]);
  });

  it.each([
    ["iVBORw0KGgo", "png"],
    ["/9j/4AAQ", "jpeg"],
    ["R0lGODlh", "gif"],
    ["UklGRiQA", "webp"],
    ["AAAA", "png"],
  ])("has pictures as data URLs of their kind: %s", (image, kind) => {
    expect(chat({ messages: [{ role: "user", content: "", images: [image] }] })).toMatchObject({
      messages: [{ content: [{ type: "image_url", image_url: { url: `data:image/${kind};base64,${image}` } }] }],
    });
  });

  it("that generates is a chat, unless it is raw or has a suffix", () => {
    expect(bodyOf("generate", { prompt: "a", system: "s", stream: false })).toEqual({
      model: "m",
      messages: [
        { role: "system", content: "s" },
        { role: "user", content: "a" },
      ],
      stream: false,
    });
    expect(bodyOf("generate", { prompt: "a", suffix: "z" })).toMatchObject({ prompt: "a", suffix: "z", stream: true });
    expect(() => bodyOf("generate", { prompt: "a", context: [1] })).toThrow(/only an Ollama has/);
    expect(() => bodyOf("generate", { prompt: "a", raw: true, template: "x" })).toThrow(/only an Ollama has/);
  });

  it("that embeds asks for numbers", () => {
    expect(bodyOf("embed", { input: ["a", "b"], truncate: true, dimensions: 4 })).toEqual({
      model: "m",
      input: ["a", "b"],
      dimensions: 4,
      encoding_format: "float",
    });
  });
});
