import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { addBotMetrics } from "../../../tee-bot/bot/bot-metrics.ts";
import { botName } from "../../../tee-bot/bot/simulator/signal/account.ts";
import { hastyClock } from "../../support/hasty-clock.ts";
import { startRedis, type Redis } from "../../support/redis.ts";
import { behaviours, type Behaviour } from "../../support/upstream/behaviours.ts";
import { delayed } from "../../support/upstream/behaviour.ts";
import { answerText } from "../../support/upstream/content.ts";
import { answering } from "../../support/upstream/behaviours/complete.ts";
import { askedText, BotWorld, echo, type BotWorldOptions } from "./support/bot-world.ts";

/** The stand-in, as what it stands for, hands over one message after the other, and answers sends in between. */
const burstMs = 80_000;
const breakerMs = 15_000;

describe("the bot", () => {
  let world: BotWorld;
  const start = async (options: BotWorldOptions = {}): Promise<BotWorld> => (world = await BotWorld.start(options));
  const texts = (person?: string, group?: string): string[] => world.answers(person, group).map(({ text }) => text);
  afterEach(() => world[Symbol.asyncDispose]());

  it("welcomes a person, and answers by the model with a quote of the question", async () => {
    await start();
    world.simulator.phone().write({ text: "good day" });
    await world.soon(() => world.answers().length === 1);
    const { messages } = world.simulator.conversation();
    expect(messages.map(({ from }) => from)).toEqual(["you", "bot", "bot"]);
    expect(messages[1]?.text).toMatch(/^Hello! I pass what you write to a private AI model/);
    expect(messages[2]?.text).toBe("echo: good day");
    expect(messages[2]?.quote).toMatchObject({ timestamp: messages[0]?.timestamp, author: "you", text: "good day" });
    await world.soon(() => world.simulator.conversation().messages[0]?.read === true);
    expect(world.simulator.typingSpans().length).toBeGreaterThan(0);
    await world.soon(() => !world.simulator.conversation().typing);
  });

  it("remembers what was said, until it is told to forget", async () => {
    await start();
    await world.ask("my name is Ada");
    await world.ask("what is my name?");
    const { messages } = JSON.parse(world.upstream.calls[1]!.body.toString()) as { messages: { content: string }[] };
    expect(messages.map(({ content }) => content)).toEqual([
      expect.stringContaining("helpful assistant"),
      "my name is Ada",
      "echo: my name is Ada",
      "what is my name?",
    ]);
    expect((await world.ask("!clear"))[0]?.text).toContain("4 messages");
    await world.ask("and now?");
    expect(JSON.parse(world.upstream.calls[2]!.body.toString()).messages).toHaveLength(2);
  });

  it("shows Markdown as Signal's styles", async () => {
    await start({ behaviour: answering({ words: ["**bold**", "and", "`a*b*c`"] }) });
    const [answer] = await world.ask("style");
    expect(answer).toMatchObject({ text: "bold and a*b*c", styles: ["0:4:BOLD", "9:5:MONOSPACE"] });
  });

  it("answers in a group where it is addressed, and names members to the model by numbers", async () => {
    await start();
    world.simulator.phone("ada", "club").write({ text: "nobody asked" });
    world.simulator.phone("bob", "club").write({ text: `@${botName} what is up?` });
    await world.soon(() => world.answers("ada", "club").length === 1);
    expect(texts("ada", "club")).toEqual([expect.stringMatching(/^echo: Member 1:\s+what is up\?$/)]);
  });

  it("lets nobody see another's conversation, and keeps each one's order, when a hundred people write at once", async () => {
    const settings = { limits: { sendsPerSecond: 1_000, sendBurst: 1_000 } };
    const behaviour: Behaviour = async (request, reply) => {
      await reply.wait(Math.random() * 20);
      await echo(request, reply);
    };
    await start({ settings, behaviour });
    const people = Array.from({ length: 100 }, (_, n) => `person-${n}`);
    for (const round of [1, 2])
      for (const person of people) world.simulator.phone(person).write({ text: `${person} says ${round}` });
    await world.soon(() => people.every((person) => world.answers(person).length === 2), burstMs);
    for (const person of people) {
      expect(texts(person)).toEqual([1, 2].map((round) => `echo: ${person} says ${round}`));
      const calls = world.upstream.calls.filter((call) => askedText(call).startsWith(`${person} says`));
      for (const { body } of calls) {
        const { messages } = JSON.parse(body.toString()) as { messages: { content: string }[] };
        expect(messages.slice(1).every(({ content }) => content.includes(`${person} says`))).toBe(true);
      }
    }
  }, 90_000);

  it("takes an edited question and its answer out of mind as the person changes and deletes them", async () => {
    await start();
    const phone = world.simulator.phone();
    const asked = phone.write({ text: "first" });
    await world.soon(() => world.answers().length === 1);
    phone.edit(asked, "changed");
    await world.ask("second");
    const said = (call: number): string[] =>
      (JSON.parse(world.upstream.calls[call]!.body.toString()).messages as { content: string }[])
        .slice(1)
        .map(({ content }) => content);
    expect(said(1)).toEqual(["changed", "echo: first", "second"]);
    phone.delete(asked);
    await world.soon(() => world.bot.state().mailbox.waiting + world.bot.state().inHand === 0);
    await world.ask("third");
    expect(said(2)).toEqual(["second", "echo: second", "third"]);
  });

  it("stops an answer that the person does not want any more, also at the model's server", async () => {
    await start({ behaviour: behaviours["paced"] });
    world.simulator.phone().write({ text: "a long story" });
    await world.upstream.call(1);
    await world.soon(() => world.bot.state().inHand === 1);
    const [answer] = await world.ask("!stop");
    expect(answer?.text).toContain("Stopped");
    await world.soon(() => world.upstream.calls[0]?.leftAt !== undefined);
    expect(texts()).toHaveLength(1);
  });

  it("asks again while the model is away, and says in a sentence when it stays so", async () => {
    await start({ clock: hastyClock(40), behaviour: behaviours["failing-503"] });
    const [answer] = await world.ask("hello");
    expect(answer?.text).toMatch(/^The model cannot be reached just now\. .* \([0-9a-f]{8}\)$/);
    world.upstream.behave(echo);
    const closedBy = Date.now() + breakerMs; // the gateway asks a provider that failed no more for a while
    let retried = answer;
    while (retried?.text !== "echo: hello" && Date.now() < closedBy) [retried] = await world.ask("!retry");
    expect(retried?.text).toBe("echo: hello");
    expect((await world.ask("again"))[0]?.text).toBe("echo: again");
    expect(JSON.parse(world.upstream.calls.at(-1)!.body.toString()).messages).toHaveLength(4);
  });

  it("answers what was in hand or waited when it was stopped, once, after the next start", async () => {
    await start({ behaviour: delayed(5_000, echo) });
    const people = ["a", "b", "c", "d", "e"];
    for (const round of [1, 2]) for (const person of people) world.simulator.phone(person).write({ text: `${round}` });
    await world.soon(() => world.bot.state().inHand === 5 && world.bot.state().mailbox.waiting === 5);
    await world.stopBot();
    world.upstream.behave(echo);
    await world.startBot();
    await world.soon(() => people.every((person) => world.answers(person).length === 2));
    for (const person of people) expect(texts(person)).toEqual(["echo: 1", "echo: 2"]);
    expect(world.bot.state().mailbox).toMatchObject({ undecidable: 0, dead: 0 });
  });

  it("shows an answer while it is written where that is wished, in one message of at most four edits", async () => {
    const clock = hastyClock(20);
    await start({ clock, settings: { progressive: true }, behaviour: answering({ everyMs: 30 }) });
    await world.ask("!help");
    const asked = world.simulator.phone().write({ text: "a story" });
    const seen = new Set<string>();
    await world.soon(() => {
      const last = world.answers().find(({ quote }) => quote?.timestamp === asked);
      if (last) seen.add(last.text);
      return last?.text === answerText;
    });
    const drafts = [...seen].slice(0, -1);
    expect(drafts.length).toBeGreaterThan(1);
    expect(drafts.length).toBeLessThanOrEqual(4);
    for (const draft of drafts) expect(answerText.startsWith(draft.replace(/ …$/, ""))).toBe(true);
    expect(texts()).toHaveLength(2);
    expect(world.simulator.refused).toEqual([]);
  });

  it("goes on in the same message when it was stopped while it showed an answer", async () => {
    const clock = hastyClock(20);
    await start({ clock, settings: { progressive: true }, behaviour: answering({ everyMs: 100 }) });
    await world.ask("!help");
    world.simulator.phone().write({ text: "a story" });
    await world.soon(() => texts().length === 2 && texts()[1]!.endsWith(" …"));
    await world.stopBot();
    expect(texts()[1]).not.toBe(answerText);
    world.upstream.behave(answering());
    await world.startBot();
    await world.soon(() => texts()[1] === answerText);
    expect(texts()).toHaveLength(2);
  });

  it("shows a picture to the model, and leaves nothing of it at the REST server", async () => {
    await start();
    const attachment = { base64: Buffer.from("a picture").toString("base64"), contentType: "image/png" };
    const response = await fetch(new URL("/messages", world.simulator.url), {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ text: "what is this?", attachments: [attachment] }),
    });
    expect(response.status).toBe(201);
    await world.soon(() => texts().includes("echo: what is this?"));
    const { messages } = JSON.parse(world.upstream.calls[0]!.body.toString()) as { messages: { content: unknown }[] };
    expect(messages.at(-1)?.content).toEqual([
      { type: "text", text: "what is this?" },
      { type: "image_url", image_url: { url: `data:image/png;base64,${attachment.base64}` } },
    ]);
    await world.soon(() => world.simulator.files.length === 0);
    await world.ask("and now?");
    expect(world.upstream.calls[1]!.body.toString()).not.toContain(attachment.base64);
  });

  it("refuses what is to be viewed once, and shows it to no model", async () => {
    await start();
    world.simulator.phone().write({ text: "look", viewOnce: true });
    await world.soon(() => texts().length === 1);
    expect(texts()).toEqual([expect.stringContaining("viewed once")]);
    expect(world.upstream.calls).toEqual([]);
  });

  it("shows its numbers in the metrics, and nothing of anybody", async () => {
    await start();
    addBotMetrics(world.gateway.gateway.ledger.tracker.metrics.registry, () => world.bot.state());
    await world.ask("a marked secret");
    await world.soon(() => world.bot.state().mailbox.replies === 0);
    const metrics = await (await fetch(`${world.gateway.origin}/metrics`)).text();
    expect(metrics).toContain("postern_signal_mail_answered_total 1");
    expect(metrics).toContain("postern_signal_mail_waiting 0");
    expect(metrics).not.toMatch(/marked secret|\+1555/);
  });

  it("does not let people chat while its proof is missing, and says so", async () => {
    await start({ permission: () => ({ ok: false, sentence: "I cannot prove what I am." }) });
    expect((await world.ask("hello"))[0]?.text).toBe("I cannot prove what I am.");
    expect(world.upstream.calls).toEqual([]);
  });

  it("starts while the REST server is away, and sends when it is there", async () => {
    await start();
    world.simulator.phone().write({ text: "hello" });
    await world.soon(() => world.answers().length === 1);
    world.simulator.crash();
    await world.stopBot();
    await world.startBot();
    world.simulator.restart();
    expect((await world.ask("still there?"))[0]?.text).toBe("echo: still there?");
  });
});

describe("the bot with conversations in Redis", () => {
  let redis: Redis;
  beforeAll(async () => void (redis = await startRedis()));
  afterAll(() => redis[Symbol.asyncDispose]());

  it("starts while Redis is away, keeps what comes in, and answers when it is there", async () => {
    await redis.kill();
    await using world = await BotWorld.start({ redisUrl: redis.url });
    world.simulator.phone().write({ text: "hello" });
    await world.soon(() => world.bot.state().isStoreAway);
    await redis.start();
    await world.soon(() => world.answers().length === 1);
    expect(world.answers()[0]?.text).toBe("echo: hello");
  }, 60_000);

  it("answers everything once when Redis was away in the middle of a burst", async () => {
    await using world = await BotWorld.start({ redisUrl: redis.url, settings: { history: { mode: "durable" } } });
    const people = Array.from({ length: 20 }, (_, n) => `person-${n}`);
    for (const person of people) world.simulator.phone(person).write({ text: "one" });
    await world.soon(() => world.bot.state().answered > 5);
    await redis.kill();
    for (const person of people) world.simulator.phone(person).write({ text: "two" });
    await world.soon(() => world.bot.state().isStoreAway);
    await redis.start();
    await world.soon(() => people.every((person) => world.answers(person).length >= 2));
    for (const person of people)
      expect(world.answers(person).map(({ text }) => text)).toEqual(["echo: one", "echo: two"]);
  }, 60_000);
});
