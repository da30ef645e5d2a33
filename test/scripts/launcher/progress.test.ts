import { expect, test } from "vitest";
import { createProgress } from "../../../scripts/launcher/progress.ts";

function start(color = false) {
  let text = "";
  let now = 0;
  const progress = createProgress({ write: (part) => (text += part), color, clock: () => now });
  return { progress, text: () => text, pass: (ms: number) => (now += ms) };
}

test("a step is shown when it is done, with its time, and answers what its work does", async () => {
  const { progress, text, pass } = start();
  const answer = await progress.step("edge built", () => {
    pass(1_240);
    return Promise.resolve(42);
  });
  expect(answer).toBe(42);
  expect(text()).toMatch(/^ {2}✓ edge built +1\.2 s\n$/);
});

test("a step that fails is marked so, and its error goes on", async () => {
  const { progress, text } = start();
  await expect(progress.step("relay", () => Promise.reject(new Error("no")))).rejects.toThrow("no");
  expect(text()).toMatch(/^ {2}✗ relay +0\.0 s\n$/);
});

test("a note keeps its lines together, and colours are for terminals only", async () => {
  const plain = start();
  plain.progress.note("one\ntwo");
  expect(plain.text()).toBe("    one\n    two\n");
  const coloured = start(true);
  await coloured.progress.step("x", () => Promise.resolve());
  expect(coloured.text()).toContain("\u001b[32m");
  expect(plain.text()).not.toContain("\u001b");
});
