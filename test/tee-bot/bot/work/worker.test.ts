import * as fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import { setTimeout as delay } from "node:timers/promises";
import { AppError } from "../../../../shared/errors.ts";
import { graceMs } from "../../../../tee-bot/bot/work/worker.ts";
import { tellStoreAwayMs } from "../../../../tee-bot/bot/answer/answerer.ts";
import { ModelError } from "../../../../tee-bot/bot/model/model-error.ts";
import type { ConversationStore } from "../../../../tee-bot/bot/conversations/conversation-store.ts";
import { hastyClock } from "../../../support/hasty-clock.ts";
import { ada, bob, lastSaid, said, untilAborted, WorkWorld, type WorkWorldOptions } from "../support/work-world.ts";

describe("the worker", () => {
  const worlds: WorkWorld[] = [];
  const open = (options: WorkWorldOptions = {}): WorkWorld => {
    const world = new WorkWorld(options);
    worlds.push(world);
    return world;
  };
  afterEach(async () => {
    for (const world of worlds.splice(0)) await world[Symbol.asyncDispose]();
  });

  it("answers each chat in its order and without words of another, many at once", async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(fc.nat({ max: 99 }), { minLength: 50, maxLength: 300 }), async (writers) => {
        const world = open({ settings: { limits: { concurrent: 20 } } });
        world.model.reply = async (question) => {
          await delay(Math.random() * 3);
          return `echo: ${lastSaid(question)}`;
        };
        const sent = writers.map((writer, n) => said(`${writer} says ${n}`, 1_000 + n, { person: `person-${writer}` }));
        for (const event of sent) world.mailbox.put(event);
        await world.until(() => world.mailbox.answered.length === sent.length);
        for (const writer of new Set(writers)) {
          const own = sent.filter(({ person }) => person === `person-${writer}`);
          const answered = world.mailbox.answered.filter(({ event: { person } }) => person === `person-${writer}`);
          const texts = answered.flatMap(({ replies }) => replies.map(({ plain }) => plain.reveal()));
          expect(texts).toEqual(own.map(({ text }) => `echo: ${text.reveal()}`));
          const history = await world.conversations.messages(`direct:person-${writer}`, { isGroup: false });
          const mine = history.every(({ content }) => new RegExp(`^(echo: )?${writer} says `).test(content));
          expect(mine).toBe(true);
        }
      }),
      { numRuns: 5 },
    );
  }, 60_000);

  it("answers no more chats at once than it may, but what is urgent passes by", async () => {
    const world = open({ clock: hastyClock(20), settings: { limits: { concurrent: 2 } } });
    world.model.reply = untilAborted;
    for (const person of ["a", "b", "c"]) world.mailbox.put(said("long", 1, { person }));
    await world.until(() => world.model.asked.length === 2);
    await delay(30);
    expect(world.model.asked).toHaveLength(2);
    expect(await world.answerTo(said("!stop", 2, { person: "a" }))).toEqual(["Stopped."]);
    await world.until(() => world.model.asked.length === 3);
    expect(world.repliesTo(1)).toEqual([]);
  });

  it("lets nearly finished answers end at a stop, and puts the others back uncounted", async () => {
    const clock = hastyClock(20);
    const world = open({ clock });
    world.model.reply = async (question) => {
      if (lastSaid(question) === "long") return untilAborted(question);
      await clock.sleep(graceMs / 4);
      return "soon";
    };
    world.mailbox.put(said("short", 1, { person: ada }));
    world.mailbox.put(said("long", 2, { person: bob }));
    await world.until(() => world.model.asked.length === 2);
    await world.stop();
    expect(world.repliesTo(1)).toEqual(["soon"]);
    expect(world.mailbox.postponed).toEqual([{ reason: "stopping", delayMs: 0, isCounted: false }]);
    expect(world.mailbox.take(10)).toEqual([expect.objectContaining({ attempts: 0 })]);
    expect(await world.conversations.count(`direct:${bob}`)).toBe(0);
  });

  it("asks a model that is away again, answers once when it is back, and says so when it is not", async () => {
    const world = open({ clock: hastyClock(200) });
    let failures = 2;
    world.model.reply = () => (failures-- > 0 ? Promise.reject(new ModelError("outage")) : Promise.resolve("back"));
    expect(await world.answerTo(said("hello", 1))).toEqual(["back"]);
    failures = 100;
    const [sentence] = await world.answerTo(said("again", 2));
    expect(sentence).toMatch(/^The model cannot be reached just now\..* \([0-9a-f]{8}\)$/);
    expect(await world.conversations.count(`direct:${ada}`)).toBe(2);
  });

  it("keeps mail while the store is away, tells the person once, and answers when it is back", async () => {
    let isAway = true;
    const away = (real: ConversationStore): ConversationStore =>
      Object.assign(Object.create(real) as ConversationStore, {
        keepExchange: real.keepExchange.bind(real),
        [Symbol.dispose]: () => real[Symbol.dispose](),
        messages: (...args: Parameters<ConversationStore["messages"]>) =>
          isAway ? Promise.reject(new AppError("upstream-unavailable", "Redis is away.")) : real.messages(...args),
      });
    const clock = hastyClock(500);
    const world = open({ clock, conversations: away });
    const startedAt = clock.now();
    world.mailbox.put(said("hello", 1));
    world.mailbox.put(said("hello?", 2));
    await world.until(() => world.mailbox.said.length > 0);
    expect(clock.now() - startedAt).toBeGreaterThanOrEqual(tellStoreAwayMs);
    await clock.sleep(60_000);
    expect(world.work.isStoreAway).toBe(true);
    expect(world.mailbox.answered).toEqual([]);
    expect(world.mailbox.said).toHaveLength(1);
    expect(world.mailbox.postponed.every(({ isCounted }) => !isCounted)).toBe(true);
    isAway = false;
    await world.until(() => world.mailbox.answered.length === 2);
    expect(world.repliesTo(1)).toEqual(["echo: hello"]);
    expect(world.work.isStoreAway).toBe(false);
  });

  it("stores an answer as soon as the disk takes it, without asking the model twice", async () => {
    const world = open({ clock: hastyClock(50) });
    world.mailbox.failures = 3;
    expect(await world.answerTo(said("hello", 1))).toEqual(["echo: hello"]);
    expect(world.model.asked).toHaveLength(1);
  });

  it("hears of new mail by its news alone, whatever the time", async () => {
    const clock = { now: () => 5, sleep: () => new Promise<void>(() => {}) };
    const world = open({ clock });
    expect(await world.answerTo(said("hello", 1))).toEqual(["echo: hello"]);
  });
});
