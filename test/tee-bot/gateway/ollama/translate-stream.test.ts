import { describe, expect, it } from "vitest";
import type { AnswerFacts } from "../../../../tee-bot/gateway/ollama/answer-shape.ts";
import { StreamTranslation } from "../../../../tee-bot/gateway/ollama/translate-stream.ts";

const facts: AnswerFacts = {
  kind: "chat",
  model: "m",
  estimatedPromptTokens: 9,
  startedAt: 0,
  now: () => 2,
  date: () => new Date(0),
};
const event = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
const delta = (value: object, finish: string | null = null): string =>
  event({ choices: [{ index: 0, delta: value, finish_reason: finish }] });
const done = "data: [DONE]\n\n";

function linesOf(text: string, cut = text.length): Record<string, unknown>[] {
  const bytes = Buffer.from(text);
  const stream = new StreamTranslation(facts);
  const lines = stream.take(bytes.subarray(0, cut)) + stream.take(bytes.subarray(cut)) + stream.end();
  return lines
    .split("\n")
    .slice(0, -1)
    .map((line) => JSON.parse(line) as Record<string, unknown>);
}

const at = "1970-01-01T00:00:00.000Z";
const said = (message: object) => ({
  model: "m",
  created_at: at,
  message: { role: "assistant", content: "", ...message },
  done: false,
});
const ended = (reason: string, prompt: number, completion: number) => ({
  ...said({}),
  done: true,
  done_reason: reason,
  total_duration: 2e6,
  load_duration: 0,
  prompt_eval_count: prompt,
  prompt_eval_duration: 2e6,
  eval_count: completion,
  eval_duration: 0,
});

describe("a stream that is translated", () => {
  it("is the same wherever its bytes are split, also within a letter", () => {
    const text =
      ": hello\n\n" +
      delta({ role: "assistant", content: "" }) +
      delta({ reasoning_content: "hm" }) +
      delta({ content: "Tür" }).replace("\n\n", "\r\n\r\n") +
      delta({ content: " 🚪" }) +
      delta({}, "length") +
      event({ choices: [], usage: { prompt_tokens: 4, completion_tokens: 2 } }) +
      done;
    const whole = [said({ thinking: "hm" }), said({ content: "Tür" }), said({ content: " 🚪" }), ended("length", 4, 2)];
    for (let cut = 0; cut <= Buffer.byteLength(text); cut++) expect(linesOf(text, cut)).toEqual(whole);
  });

  it("has calls of tools together, just before its end", () => {
    const part = (index: number, more: object): string => delta({ tool_calls: [{ index, ...more }] });
    const text =
      part(0, { id: "a", function: { name: "look", arguments: '{"wh' } }) +
      part(1, { id: "b", function: { name: "go", arguments: "" } }) +
      part(0, { function: { arguments: 'ere":"up"}' } }) +
      delta({}, "tool_calls") +
      done;
    const calls = [
      { id: "a", function: { name: "look", arguments: { where: "up" } } },
      { id: "b", function: { name: "go", arguments: {} } },
    ];
    expect(linesOf(text)).toEqual([said({ tool_calls: calls }), ended("stop", 9, 0)]);
  });

  it.each([
    ["that says nothing of an end", delta({ content: "a" })],
    ["that is empty", ""],
    ["with an error", delta({ content: "a" }) + event({ error: { message: "out of memory" } }) + done],
    ["with something that is no JSON", `data: {"choices\n\n${done}`],
    [
      "whose call of a tool is half",
      delta({ tool_calls: [{ index: 0, function: { name: "x", arguments: '{"a' } }] }) + done,
    ],
  ])("%s ends with an error and never with `done`", (_, text) => {
    const lines = linesOf(text);
    expect(lines.at(-1)).toEqual({ error: expect.stringMatching(/./) });
    expect(lines.filter((line) => "error" in line)).toHaveLength(1);
    expect(lines.some((line) => line["done"] === true)).toBe(false);
  });

  it("ends when the provider said why, even without its last word; what comes after that is nothing", () => {
    expect(linesOf(delta({ content: "a" }) + delta({}, "stop")).at(-1)).toMatchObject({ done: true, eval_count: 1 });
    expect(linesOf(delta({}, "stop") + done + delta({ content: "more" }))).toHaveLength(1);
    expect(linesOf(delta({}, "content_filter") + done).at(-1)).toMatchObject({ done_reason: "content_filter" });
  });

  it("does not hold an event without end", () => {
    const stream = new StreamTranslation(facts);
    const block = Buffer.alloc(1024 * 1024, "x");
    let lines = stream.take(Buffer.from("data: "));
    for (let i = 0; i < 9; i++) lines += stream.take(block);
    expect(JSON.parse(lines)).toEqual({ error: "An event of the provider's stream is too long." });
    expect(stream.end()).toBe("");
  });
});
