import { inspect } from "node:util";
import { expect, it } from "vitest";
import { Sensitive } from "../../shared/sensitive.ts";

const secret = new Sensitive("my diary");

it.each([
  ["JSON", JSON.stringify({ text: secret })],
  ["text", ["said: ", secret].join("")],
  ["inspection", inspect({ deep: { deeper: [secret] } }, { depth: 9, showHidden: true })],
  ["an error", String(new Error(`failed: ${String(secret)}`))],
  ["a copy of its properties", JSON.stringify(Object.assign({}, secret))],
  ["a structured clone", JSON.stringify(structuredClone(secret))],
])("shows nothing of itself in %s", (_, printed) => {
  expect(printed).not.toContain("diary");
});

it("gives its value to who asks for it", () => {
  expect(secret.reveal()).toBe("my diary");
  expect(secret.map((text) => text.length).reveal()).toBe(8);
});
