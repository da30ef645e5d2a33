import { readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { demoModel } from "../../../tee-bot/engine/demo-model.ts";
import { ask, busyMs, startEngine, type RunningEngine } from "../../support/engine/running-engine.ts";

const maxBytes = 4 * 1024 * 1024;

let engine: RunningEngine;
beforeAll(async () => void (engine = await startEngine()), busyMs);
afterAll(() => engine[Symbol.asyncDispose]());

describe("the demo model", () => {
  it("is small enough to be in the repository", () => {
    expect(statSync(demoModel.path).size).toBeLessThan(maxBytes);
  });

  it.each([
    "What is Postern?",
    "Can the relay read my messages?",
    "What is a TEE?",
    "How do I start Postern?",
    "How do I bake bread?",
  ])("answers %s word for word as it was taught", async (question) => {
    expect(await answer(question)).toBe(taught(question));
  });

  it.each([
    ["what is postern", "What is Postern?"],
    ["what is a tee", "What is a TEE?"],
    ["Hi, what is a relay?", "What is a relay?"],
    ["Can teh relay read my messages", "Can the relay read my messages?"],
  ])("understands %s", async (question, meant) => {
    expect(await answer(question)).toBe(taught(meant));
  });

  it("answers the last question of a conversation, whatever the system message says", async () => {
    const messages = [
      { role: "system", content: "You are a helpful assistant." },
      { role: "user", content: "What is Postern?" },
      { role: "assistant", content: taught("What is Postern?") },
      { role: "user", content: "Is Postern open source?" },
    ];
    const { body } = await engine.call("/v1/chat/completions", ask("", { messages }));
    expect(contentOf(body)).toBe(taught("Is Postern open source?"));
  });
});

async function answer(question: string): Promise<string> {
  const { body } = await engine.call("/v1/chat/completions", ask(question, { temperature: 0 }));
  return contentOf(body);
}

function contentOf(body: string): string {
  const { choices } = JSON.parse(body) as { choices: { message: { content: string } }[] };
  return choices[0]?.message.content ?? body;
}

/** The answer below the question in the text it was trained on. */
function taught(question: string): string {
  const folder = join(import.meta.dirname, "../../../scripts/demo-model");
  const dialogue = readFileSync(join(folder, "dialogue.txt"), "utf8");
  const unknown = readFileSync(join(folder, "unknown.txt"), "utf8");
  const lines = dialogue.split("\n");
  const at = lines.indexOf(`? ${question}`);
  const below = at < 0 ? unknown.split("\n") : lines.slice(at);
  return below.find((line) => line.startsWith("> "))?.slice(2) ?? "";
}
