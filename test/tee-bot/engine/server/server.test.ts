import { mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import type { LogFields } from "../../../../shared/log.ts";
import { silentLog } from "../../../../shared/log.ts";
import { demoModelWith, u32, u32Type } from "../../../support/engine/gguf-bytes.ts";
import {
  ask,
  busyMs,
  demo,
  eventsOf,
  startEngine,
  type RunningEngine,
} from "../../../support/engine/running-engine.ts";

interface Completion {
  object: string;
  choices: { message: { role: string; content: string }; text: string; finish_reason: string }[];
  usage: { prompt_tokens: number; completion_tokens: number; total_tokens: number };
}

const chat = "/v1/chat/completions";
/** Messages of JSON.parse quote ten characters, so what is looked for is short. */
const secret = "zebra";
const logged: string[] = [];
const directory = mkdtempSync(join(tmpdir(), "postern-engine-test-"));
const embedder = { id: "embedder", path: join(directory, "embedder.gguf"), contextSize: undefined };
const broken = { id: "broken", path: join(directory, "broken.gguf"), contextSize: undefined };

let engine: RunningEngine;
beforeAll(async () => {
  writeFileSync(embedder.path, demoModelWith(["llama.pooling_type", u32Type, u32(1)]));
  writeFileSync(broken.path, demoModelWith(["x", u32Type, u32(1)]).subarray(0, 100_000));
  const debug = (event: string, fields?: LogFields): void => void logged.push(JSON.stringify([event, fields]));
  engine = await startEngine([demo, embedder, broken], { ...silentLog, debug });
}, busyMs);
afterAll(async () => {
  await engine[Symbol.asyncDispose]();
  rmSync(directory, { recursive: true });
});

const completion = async (path: string, body: unknown): Promise<Completion> => {
  const { status, body: text } = await engine.call(path, body);
  expect(status, text).toBe(200);
  return JSON.parse(text) as Completion;
};

describe("the engine", () => {
  it("listens where only this user can come", () => {
    expect(statSync(dirname(engine.child.socket)).mode & 0o777).toBe(0o700);
  });

  it("answers a chat whole, and counts its tokens", async () => {
    const { object, choices, usage } = await completion(chat, ask("Hello"));
    expect(object).toBe("chat.completion");
    expect(choices[0]).toMatchObject({ message: { role: "assistant" }, finish_reason: "stop" });
    expect(usage.total_tokens).toBe(usage.prompt_tokens + usage.completion_tokens);
    expect(usage.completion_tokens).toBeGreaterThan(10);
  });

  it("says the same as events, with the usage when it is asked for, and [DONE]", async () => {
    const whole = await completion(chat, ask("What is a relay?"));
    const stream = { stream: true, stream_options: { include_usage: true } };
    const { headers, body } = await engine.call(chat, ask("What is a relay?", stream));
    expect(headers["content-type"]).toBe("text/event-stream; charset=utf-8");
    const events = eventsOf(body) as {
      choices: { delta: { content?: string; role?: string }; finish_reason: string }[];
    }[];
    const said = events.map((event) => event.choices?.[0]?.delta.content ?? "").join("");
    expect(said).toBe(whole.choices[0]?.message.content);
    expect(events[0]?.choices[0]?.delta.role).toBe("assistant");
    expect(events.at(-3)?.choices[0]).toMatchObject({ delta: {}, finish_reason: "stop" });
    expect(events.at(-2)).toMatchObject({ choices: [], usage: { completion_tokens: whole.usage.completion_tokens } });
    expect(events.at(-1)).toBe("[DONE]");
    expect(body).not.toContain('"usage":{}');
  });

  it("sends no usage in a stream unless it is asked for", async () => {
    const { body } = await engine.call(chat, ask("Hello", { stream: true }));
    expect(body).not.toContain("usage");
  });

  it("ends at max_tokens and says so", async () => {
    for (const limit of [{ max_tokens: 3 }, { max_completion_tokens: 3, max_tokens: 50 }]) {
      const { choices, usage } = await completion(chat, ask("Hello", limit));
      expect(choices[0]?.finish_reason).toBe("length");
      expect(usage.completion_tokens).toBe(3);
    }
  });

  it("ends before a stop text, also in the middle of a token", async () => {
    for (const stop of ["model", ["zzz", "odel"]]) {
      const { choices } = await completion(chat, ask("Hello", { stop }));
      expect(choices[0]?.finish_reason).toBe("stop");
      expect(choices[0]?.message.content).toMatch(/demo m?$/);
    }
  });

  it("gives one text for one seed, and others for others", async () => {
    const wild = { temperature: 2, top_p: 1, top_k: 0, min_p: 0, max_tokens: 12 };
    const say = async (seed: number): Promise<string | undefined> =>
      (await completion(chat, ask("Tell me a story.", { ...wild, seed }))).choices[0]?.message.content;
    expect(await say(7)).toBe(await say(7));
    expect(new Set([await say(1), await say(2), await say(3)]).size).toBeGreaterThan(1);
  });

  it("never chooses a token whose bias is -100", async () => {
    const first = async (more: object): Promise<string | undefined> =>
      (await completion("/v1/completions", { model: demo.id, prompt: "Postern gives a", max_tokens: 1, ...more }))
        .choices[0]?.text;
    const usual = await first({});
    const biases = Object.fromEntries(Array.from({ length: 1_024 }, (_, token) => [token, token < 300 ? 0 : -100]));
    expect(await first({ logit_bias: biases })).not.toBe(usual);
  });

  it.each([{ frequency_penalty: 2 }, { presence_penalty: 2 }, { repeat_penalty: 2 }])(
    "punishes what was said already: %j",
    async (penalty) => {
      const lot = { temperature: 2, top_p: 1, top_k: 0, min_p: 0, seed: 7, max_tokens: 60 };
      const plain = await completion(chat, ask("Tell me a story.", lot));
      const punished = await completion(chat, ask("Tell me a story.", { ...lot, ...penalty }));
      expect(punished.choices[0]?.message.content).not.toBe(plain.choices[0]?.message.content);
    },
  );

  it("continues a text, with 16 tokens unless more are asked for", async () => {
    const { object, choices, usage } = await completion("/v1/completions", {
      model: demo.id,
      prompt: "Postern gives a",
    });
    expect(object).toBe("text_completion");
    expect(choices[0]?.text).toMatch(/^ private AI node/);
    expect(usage.completion_tokens).toBe(16);
  });

  it("keeps an answer to a schema, whatever the model would rather say", async () => {
    const schema = {
      type: "object",
      properties: { sure: { type: "boolean" }, kind: { anyOf: [{ const: "gate" }, { const: "wall" }] } },
      required: ["sure", "kind"],
    };
    const format = { type: "json_schema", json_schema: { name: "x", schema } };
    const { choices } = await completion(chat, ask("What is a postern?", { response_format: format, max_tokens: 200 }));
    const { sure, kind } = JSON.parse(choices[0]?.message.content ?? "") as Record<string, unknown>;
    expect([typeof sure, ["gate", "wall"].includes(String(kind))]).toEqual(["boolean", true]);
  });

  it("takes words of people for words, also when they look like special tokens", async () => {
    const { usage } = await completion(chat, ask("<|user|>"));
    const { usage: shorter } = await completion(chat, ask("x"));
    expect(usage.prompt_tokens).toBeGreaterThan(shorter.prompt_tokens + 3);
  });

  it("remembers a beginning that it has just read", async () => {
    const messages = [
      { role: "user", content: "What is Postern?" },
      { role: "assistant", content: "A gate." },
      { role: "user", content: "What is a relay?" },
    ];
    const cached = async (): Promise<number> => {
      const { usage } = await completion(chat, ask("", { messages }));
      return (usage as unknown as { prompt_tokens_details: { cached_tokens: number } }).prompt_tokens_details
        .cached_tokens;
    };
    await cached();
    expect(await cached()).toBeGreaterThan(8);
  });

  it("makes a vector of a text where the model can, as numbers or as base64", async () => {
    const input = ["What is Postern?", "What is a TEE?"];
    const ask2 = async (more: object): Promise<{ data: { embedding: number[] | string }[]; usage: object }> =>
      (await completion("/v1/embeddings", { model: "embedder", input, ...more })) as never;
    const { data, usage } = await ask2({});
    const [first, second] = data.map(({ embedding }) => embedding as number[]);
    expect([first?.length, second?.length]).toEqual([128, 128]);
    expect(first).not.toEqual(second);
    expect(usage).toMatchObject({ prompt_tokens: expect.any(Number) as number });
    const [packed] = (await ask2({ encoding_format: "base64" })).data;
    const bytes = Buffer.from(packed?.embedding as string, "base64");
    expect(bytes.length).toBe(128 * 4);
    expect(bytes.readFloatLE(4)).toBeCloseTo(first?.[1] ?? NaN, 5);
  });

  it("lists its models and says how it is", async () => {
    expect(JSON.parse((await engine.call("/v1/models")).body)).toMatchObject({
      data: [{ id: demo.id }, { id: "embedder" }, {}],
    });
    expect(JSON.parse((await engine.call("/health")).body)).toMatchObject({
      status: "ok",
      models: [{ id: demo.id, loaded: true, busy: 0, waiting: 0 }, {}, { id: "broken", loaded: false }],
    });
  });
});

describe("the engine refuses", () => {
  it.each([
    ["what is not JSON", `{"x": ${secret}}`, 400, undefined],
    ["what is no object", "[1]", 400, undefined],
    ["no model", { messages: [] }, 400, "model"],
    ["an unknown model", { model: "other", messages: [{ role: "user", content: secret }] }, 404, "model"],
    ["no messages", ask("", { messages: [] }), 400, "messages"],
    ["an unknown role", ask("", { messages: [{ role: "tool", content: secret }] }), 400, "messages[0].role"],
    [
      "an image",
      ask("", { messages: [{ role: "user", content: [{ type: "image_url" }] }] }),
      400,
      "messages[0].content",
    ],
    ["tools", ask(secret, { tools: [{ type: "function" }] }), 400, "tools"],
    ["several answers", ask(secret, { n: 2 }), 400, "n"],
    ["probabilities", ask(secret, { logprobs: true }), 400, "logprobs"],
    ["a temperature beyond reason", ask(secret, { temperature: 9 }), 400, "temperature"],
    ["a token that is none", ask(secret, { logit_bias: { 5000: 1 } }), 400, "logit_bias"],
    ["an empty stop", ask(secret, { stop: "" }), 400, "stop"],
    [
      "a form it cannot keep",
      ask(secret, {
        response_format: { type: "json_schema", json_schema: { schema: { type: "string", pattern: "a" } } },
      }),
      400,
      "response_format.json_schema.schema",
    ],
  ])("%s, and says which field is wrong without a word of the prompt", async (_, body, status, param) => {
    const answer = await engine.call(chat, body);
    const { error } = JSON.parse(answer.body) as { error: { message: string; param: string | null; code: string } };
    expect([answer.status, error.param]).toEqual([status, param ?? null]);
    expect(answer.body).not.toContain(secret);
  });

  it("a prompt that leaves no room, with the numbers", async () => {
    for (const content of ["x ".repeat(3_000), "x".repeat(1_000_000)]) {
      const { status, body } = await engine.call(chat, ask(content));
      expect([status, body]).toEqual([400, expect.stringContaining('"code":"context_length_exceeded"')]);
      expect(body).toMatch(/1024 tokens, and this request has (more than )?\d{4}/);
    }
  });

  it("a body beyond its limit", async () => {
    const { status } = await engine.call(chat, ask("x".repeat(17 * 1024 * 1024)));
    expect(status).toBe(413);
  });

  it("embeddings of a model that makes none, and other paths and methods", async () => {
    expect((await engine.call("/v1/embeddings", { model: demo.id, input: "x" })).status).toBe(501);
    expect((await engine.call("/v1/responses", {})).status).toBe(404);
    expect((await engine.call(chat)).status).toBe(405);
  });

  it("a model whose file is damaged, each time it is asked for, and goes on with the others", async () => {
    for (let time = 0; time < 2; time++) {
      const { status, body } = await engine.call(chat, ask(secret, { model: "broken" }));
      expect([status, body]).toEqual([500, expect.stringContaining('"code":"model_unavailable"')]);
    }
    await completion(chat, ask("Hello"));
    expect(engine.crashes).toEqual([]);
  });

  it("nothing of this in a way that the log would tell what was asked", () => {
    expect(logged.join("\n")).not.toContain(secret);
    expect(logged.some((line) => line.includes("llama.said"))).toBe(true);
  });
});
