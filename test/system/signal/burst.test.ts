/** Whatever is killed while a thousand messages come: each is answered once, in its order, or listed as undecidable. */
import { afterAll, beforeAll, expect, it } from "vitest";
import { echo } from "../../support/echo-model.ts";
import { startSignalWorld, type Part, type SignalWorld } from "../../support/signal-world.ts";
import { startUpstream, type Upstream } from "../../support/upstream/upstream.ts";

const people = Array.from({ length: 100 }, (_, index) => `person-${index}`);
const questionsEach = 10;
const questions = people.length * questionsEach;
/** How many of them are there before each kill. */
const kills: readonly (readonly [after: number, part: Part])[] = [
  [100, "node"],
  [250, "signal"],
  [400, "redis"],
  [550, "edge"],
  [700, "node"],
  [850, "signal"],
];
const downMs = 500;
const settleMs = 180_000;

let upstream: Upstream;
let world: SignalWorld;

beforeAll(async () => {
  upstream = await startUpstream({ models: ["echo"], behaviour: echo({ longestMs: 100 }) });
  const limits = { perMinute: 1_000, perDay: 10_000, sendsPerSecond: 1_000, sendBurst: 1_000 };
  world = await startSignalWorld({ upstream, signal: { limits } });
}, 120_000);

afterAll(async () => {
  await world?.[Symbol.asyncDispose]();
  await upstream?.[Symbol.asyncDispose]();
});

const questionOf = (person: string, number: number): string => `${person} asks ${number}.`;

it("answers a thousand messages once, whatever is killed meanwhile", { timeout: 420_000 }, async () => {
  let written = 0;
  const sent = new Map<string, number>();
  const pending = [...kills];
  for (let number = 0; number < questionsEach; number++)
    for (const person of people) {
      const [next] = pending;
      if (next && written >= next[0]) {
        pending.shift();
        await world.kill(next[1]);
        await new Promise((resolve) => setTimeout(resolve, downMs));
        await world.start(next[1]);
      }
      sent.set(questionOf(person, number), await world.phones.write(person, questionOf(person, number)));
      written++;
    }
  expect(pending).toEqual([]);

  const open = async (): Promise<number> => {
    const { waiting, inHand, replies } = (await world.report()).state.mailbox;
    return waiting + inHand + replies;
  };
  await expect.poll(open, { timeout: settleMs, interval: 1_000 }).toBe(0);
  const { undecidable, dead } = (await world.report()).state.mailbox;
  const lost = new Set((await world.phones.lost()).map(({ timestamp }) => timestamp));
  const missing: string[] = [];
  for (const person of people) {
    const answers = (await world.phones.conversation(person))
      .filter(({ from }) => from === "bot")
      .map(({ text }) => text);
    const order = answers.flatMap((text) => /asks (\d+)\./.exec(text)?.[1] ?? []).map(Number);
    expect(order, `the order of ${person}'s answers`).toEqual([...new Set(order)].toSorted((a, b) => a - b));
    for (let number = 0; number < questionsEach; number++) {
      const question = questionOf(person, number);
      const count = answers.filter((text) => text.includes(question)).length;
      expect(count, question).toBeLessThanOrEqual(1);
      if (count === 0 && !lost.has(sent.get(question) ?? 0)) missing.push(question);
    }
    expect(new Set(answers.flatMap((text) => text.match(/person-\d+/g) ?? []))).toEqual(new Set([person]));
  }
  expect(dead).toBe(0);
  expect(missing.length).toBeLessThanOrEqual(undecidable);
  expect(questions - missing.length).toBeGreaterThan(0.98 * questions);
});
