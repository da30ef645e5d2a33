import { PassThrough } from "node:stream";
import { expect, test } from "vitest";
import { noQuestions, terminalQuestions } from "../../../scripts/setup/questions.ts";

function terminal(signal = new AbortController().signal) {
  const input = new PassThrough();
  const output = new PassThrough({ encoding: "utf8" });
  let shown = "";
  output.on("data", (text: string) => (shown += text));
  return {
    questions: terminalQuestions({ input, output, signal }),
    type: (text: string) => input.write(text),
    shown: () => shown,
  };
}

test("a question shows its default, which an empty answer takes", async () => {
  const { questions, type, shown } = terminal();
  const empty = questions.ask("Who signs", { initial: "acme" });
  type("\n");
  expect(await empty).toBe("acme");
  const given = questions.ask("Who signs", { initial: "acme" });
  type(" local \n");
  expect(await given).toBe("local");
  expect(shown()).toContain("Who signs [acme]: ");
});

test("a hidden answer is not shown", async () => {
  const { questions, type, shown } = terminal();
  const answer = questions.ask("Token", { hidden: true });
  type("top-secret\n");
  expect(await answer).toBe("top-secret");
  expect(shown()).toBe("  Token: \n");
});

test("yes and no are told apart, and neither is the default", async () => {
  const { questions, type } = terminal();
  const answers: (boolean | undefined)[] = [];
  for (const line of ["y\n", "YES\n", "n\n", "what\n", "\n"]) {
    const answer = questions.confirm("Turn it off?", false);
    type(line);
    answers.push(await answer);
  }
  expect(answers).toEqual([true, true, false, false, false]);
});

test("a question ends when the setup is stopped", async () => {
  const stop = new AbortController();
  const { questions } = terminal(stop.signal);
  const answer = questions.ask("Zone");
  stop.abort();
  await expect(answer).rejects.toThrow("aborted");
});

test("where nobody is, defaults are taken and nothing is agreed to", async () => {
  expect(await noQuestions.ask("Who signs", { initial: "acme" })).toBe("acme");
  expect(await noQuestions.ask("Zone")).toBeUndefined();
  expect(await noQuestions.confirm("Turn it off?", true)).toBeUndefined();
});
