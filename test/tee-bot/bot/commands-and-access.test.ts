/** Commands, groups, policies and limits as people meet them: by way of Signal, to the whole bot. */
import { afterEach, describe, expect, it } from "vitest";
import type { UpstreamRequest } from "../../support/upstream/upstream-request.ts";
import { askedText, BotWorld, echo, type BotWorldOptions } from "./support/bot-world.ts";

let world: BotWorld;
const start = async (options: BotWorldOptions = {}): Promise<BotWorld> => (world = await BotWorld.start(options));
afterEach(() => world[Symbol.asyncDispose]());

const texts = (person?: string, group?: string): string[] => world.answers(person, group).map(({ text }) => text);
const askedTexts = (): string[] => world.upstream.calls.map(askedText);
const saidBefore = ({ body }: UpstreamRequest): number =>
  (JSON.parse(body.toString()) as { messages: unknown[] }).messages.length - 2;
const ask = async (...asked: Parameters<BotWorld["ask"]>): Promise<string> =>
  (await world.ask(...asked))[0]?.text ?? "";

describe("a command", () => {
  it("and what looks like one never reach the model; what is marked as text does", async () => {
    await start();
    expect(await ask("!help")).toContain("!privacy tells what is kept");
    expect(await ask("!VERIFY my words")).toBe("not looked at");
    expect(await ask("!verifyfoo")).toContain("I know no command !verifyfoo. !help lists what I know.");
    expect(await ask("!forgte me")).toContain("Did you mean !forget?");
    expect(await ask("!status")).toContain("Bot: works\nSignal: works\nModel: model is there\nYour id: ");
    expect(await ask("!privacy")).toContain("Not in a confidential machine");
    expect(world.upstream.calls).toEqual([]);
    expect(await ask(" !help")).toBe("echo: !help");
    expect(await ask("\\!help")).toBe("echo: !help");
    expect(await ask("!?")).toBe("echo: !?");
  });

  it("!model changes who answers in this chat, from the next question on, also after a restart", async () => {
    await start({ models: ["one", "two"] });
    expect(await ask("!models")).toMatch(/1\. one: .*← answers here\n2\. two: /);
    await ask("hello");
    expect(await ask("!model 2")).toContain("From now on two answers here.");
    await ask("hello");
    await world.stopBot();
    await world.startBot();
    await ask("hello");
    await ask("hello", { person: "bob" });
    expect(world.upstream.calls.map(({ model }) => model)).toEqual(["one", "two", "two", "one"]);
  });

  it("!clear and !forget me empty what the model is told, and nobody else's", async () => {
    await start();
    await ask("hello");
    await ask("hello", { person: "bob" });
    expect(await ask("!clear")).toBe("Forgotten: 2 messages. We begin anew.");
    await ask("hello");
    expect(await ask("!forget me")).toContain("forgotten 2 messages");
    expect(await ask("!retry")).toContain("no question");
    await ask("hello");
    await ask("hello", { person: "bob" });
    expect(world.upstream.calls.map(saidBefore)).toEqual([0, 0, 0, 0, 2]);
  });

  it("!stop ends the answer and what waits behind it, and !retry asks again", async () => {
    await start({ behaviour: (_, reply) => reply.wait(20_000) });
    const phone = world.simulator.phone();
    phone.write({ text: "a long story" });
    await world.upstream.call(1);
    phone.write({ text: "and another" });
    await world.soon(() => world.bot.state().mailbox.waiting > 0);
    expect(await ask("!stop")).toBe("Stopped. 1 message that waited will not be answered.");
    world.upstream.behave(echo);
    expect(await ask("!retry")).toBe("echo: a long story");
    expect(askedTexts()).toEqual(["a long story", "a long story"]);
  });
});

describe("a group", () => {
  const inClub = (person: string) => ({ person, group: "club" });

  it("is answered when it mentions the bot, answers to it, or commands; else there is silence", async () => {
    await start();
    for (const text of ["hello all", "!roll 2d6", "/shrug", "what does !help do?"])
      world.simulator.phone("ada", "club").write({ text });
    expect(await ask("!model", inClub("ada"))).toContain("model answers here");
    expect(await ask("@bot !status", inClub("bob"))).toContain("Model: model is there");
    await ask("@bot what is up?", inClub("bob"));
    const [, , answer] = world.answers("bob", "club");
    world.simulator.phone("ada", "club").write({ text: "really?", quote: answer!.timestamp });
    await world.soon(() => texts("ada", "club").length === 4);
    expect(askedTexts()).toEqual(["Member 1: what is up?", expect.stringContaining("really?")]);
  });

  it("is welcomed once, and its members once each when they write alone", async () => {
    await start();
    await ask("@bot hello", inClub("ada"));
    await ask("@bot hello", inClub("bob"));
    await ask("hello", { person: "ada" });
    const welcomes = (person: string, group?: string): number =>
      world.simulator.conversation(person, group).messages.filter(({ text }) => text.startsWith("Hello! I pass"))
        .length;
    expect([welcomes("ada", "club"), welcomes("ada"), welcomes("bob")]).toEqual([1, 1, 0]);
  });

  it("that is off hears nothing, also to commands and mentions, while people alone are answered", async () => {
    await start({ settings: { groups: { policy: "off" } } });
    for (const text of ["@bot hello", "!help"]) world.simulator.phone("ada", "club").write({ text });
    expect(await ask("hello", { person: "ada" })).toBe("echo: hello");
    expect(world.simulator.conversation("ada", "club").messages.filter(({ from }) => from === "bot")).toEqual([]);
  });
});

describe("pairing", () => {
  it("lets in who sends a code of the operator's, over restarts, and opens no group", async () => {
    const policy = { policy: "pairing" } as const;
    await start({ settings: { people: policy, groups: policy } });
    expect(await ask("hello")).toContain("send the code as a message here");
    world.simulator.phone().write({ text: "hello?" });
    expect(await ask("ABCD EFGH")).toContain("not good");
    expect(await ask(world.bot.pair().code.toLowerCase())).toContain("you are paired");
    expect(await ask("hello")).toBe("echo: hello");
    await world.stopBot();
    await world.startBot();
    expect(await ask("still me")).toBe("echo: still me");
    world.simulator.phone("you", "club").write({ text: "@bot hello" });
    expect(await ask("and here")).toBe("echo: and here");
    expect(texts("you", "club")).toEqual([]);
    expect(await ask(`@bot ${world.bot.pair().code}`, { group: "club" })).toContain("this group is paired");
    expect(await ask("@bot hello", { person: "bob", group: "club" })).toBe("echo: Member 1: hello");
    expect(await ask("hello", { person: "bob" })).toContain("send the code");
    expect(askedTexts().join()).not.toMatch(/[A-Z]{4}-[A-Z]{4}/i);
  });
});

describe("limits", () => {
  it("are told once, hold over a restart, and leave others alone", async () => {
    await start({ settings: { limits: { perMinute: 100, perDay: 2 } } });
    await ask("1");
    await ask("2");
    expect(await ask("3")).toContain("I take 2 messages a day from one person");
    world.simulator.phone().write({ text: "4" });
    await world.stopBot();
    await world.startBot();
    world.simulator.phone().write({ text: "5" });
    expect(await ask("!status")).toContain("works");
    expect(await ask("hello", { person: "bob" })).toBe("echo: hello");
    expect(askedTexts()).toEqual(["1", "2", "hello"]);
    expect(texts()).toHaveLength(4);
  });
});

it("thumbs are two numbers in the state of the bot", async () => {
  await start();
  await world.ask("hello");
  const [answer] = world.answers();
  world.simulator.phone().react(answer!.timestamp, "👍🏽", false);
  await world.soon(() => world.bot.state().reactions.up === 1);
  world.simulator.phone().react(answer!.timestamp, "👎", false);
  await world.soon(() => world.bot.state().reactions.down === 1);
  expect(world.upstream.calls).toHaveLength(1);
});
