import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { isUrgent } from "../../../../tee-bot/bot/commands/urgent.ts";
import { welcome } from "../../../../tee-bot/bot/commands/welcome.ts";
import { chatName } from "../../../../tee-bot/bot/events/event.ts";
import { formatAnswer } from "../../../../tee-bot/bot/format/format.ts";
import { defaultMaxUnits, maxPieceBytes } from "../../../../tee-bot/bot/format/split.ts";
import { alice, bob, team } from "../support/events.ts";
import { inGroup, message } from "../support/message.ts";
import { calm, commandsWorld, local, type CommandsWorld } from "./support/world.ts";

const aliceAlone = chatName({ kind: "direct", person: alice });
const groupName = chatName({ kind: "group", group: team });

let world: CommandsWorld;
beforeEach(() => (world = commandsWorld()));
afterEach(() => world[Symbol.dispose]());

const textOf = async (...said: Parameters<CommandsWorld["say"]>): Promise<string> => (await world.say(...said)).text;
const asked = (person: string, timestamp: number) => ({ person, timestamp, content: `question ${timestamp}` });

describe("!help", () => {
  it("lists every command, each with a line", async () => {
    const text = await textOf("!help");
    for (const { usage, summary } of world.commands) expect(text).toContain(`- **${usage}** ${summary}`);
    expect(world.commands.map(({ name }) => name).toSorted()).toEqual(
      "clear forget help model models privacy retry status stop verify".split(" "),
    );
  });

  it("lists only what the caller may use", async () => {
    using strict = commandsWorld({ groups: { clear: "operators" }, operators: [bob] });
    expect((await strict.say("!help", inGroup)).text).not.toContain("!clear");
    expect((await strict.say("!help", { ...inGroup, person: bob })).text).toContain("!clear");
    expect((await strict.say("!help")).text).toContain("!clear");
  });

  it.each(["!help verify", "!help !verify", "!help VERIFY please"])("tells more of one command: %s", async (text) => {
    expect(await textOf(text)).toBe("**!verify [words]**\n\nMore of that.");
  });

  it("says so where there is no such command", async () => {
    expect(await textOf("!help frobnicate")).toContain("no such command");
  });
});

describe("!clear", () => {
  it("says how many messages went, of this chat only", async () => {
    await world.conversations.keepExchange(aliceAlone, asked(alice, 1), "answer");
    await world.conversations.keepExchange(groupName, asked(alice, 2), "answer");
    expect(await textOf("!new")).toBe("Forgotten: 2 messages. We begin anew.");
    expect(await world.conversations.count(groupName)).toBe(2);
    expect(await textOf("!clear")).toBe("There was nothing to forget here.");
    expect(world.forgotten).toEqual([aliceAlone, aliceAlone]);
  });

  it("is for operators alone in groups where the settings say so, and leaves everything to others", async () => {
    using strict = commandsWorld({ groups: { clear: "operators" }, operators: [bob] });
    await strict.conversations.keepExchange(groupName, asked(alice, 1), "answer");
    expect((await strict.say("!clear", inGroup)).text).toContain("only my operators");
    expect(await strict.conversations.count(groupName)).toBe(2);
    expect((await strict.say("!clear", { ...inGroup, person: bob })).text).toContain("2 messages");
  });
});

describe("!forget me", () => {
  it("removes what the person said everywhere, what they chose, and that they are known", async () => {
    await world.conversations.keepExchange(aliceAlone, asked(alice, 1), "answer");
    await world.conversations.keepExchange(groupName, asked(alice, 2), "answer");
    await world.conversations.keepExchange(groupName, asked(bob, 3), "answer");
    await world.people.change(alice, { isGreeted: true, isPaired: true });
    await world.people.change(aliceAlone, { model: "gpt-large" });
    const text = await textOf("!forget me", inGroup);
    expect(text).toContain("4 messages");
    expect(text).toContain("new pairing code");
    expect(await world.conversations.count(aliceAlone)).toBe(0);
    expect(await world.conversations.count(groupName)).toBe(2);
    expect(world.forgotten).toEqual([alice]);
    for (const name of [alice, aliceAlone])
      expect(await world.people.read(name)).toEqual({ model: undefined, isGreeted: false, isPaired: false });
  });

  it("removes nothing without its second word", async () => {
    await world.conversations.keepExchange(aliceAlone, asked(alice, 1), "answer");
    expect(await textOf("!forget")).toContain("`!forget me`");
    expect(await textOf("!forget men")).toContain("`!forget me`");
    expect(await world.conversations.count(aliceAlone)).toBe(2);
  });
});

describe("!stop and !retry", () => {
  it("say what has come of it", async () => {
    expect(await textOf("!stop")).toContain("not writing anything");
    world.isWriting = true;
    expect(await textOf("!stop")).toBe("Stopped.");
    world.waiting = 2;
    expect(await textOf("!stop")).toBe("Stopped. 2 messages that waited will not be answered.");
    expect(await textOf("!retry")).toBe("asked again at 100");
  });
});

describe("urgent", () => {
  it.each([
    ["!stop", true],
    ["/STOP now", true],
    ["!cancel", true],
    [" !stop", false],
    ["!stopp", false],
    ["!clear", false],
    ["stop", false],
  ])("is %j: %s", (text, expected) => {
    expect(isUrgent(message(text, 1))).toBe(expected);
  });

  it("is what its author changes or takes back, and no reaction", () => {
    const { text, ...origin } = message("x", 1);
    expect(isUrgent({ ...origin, text, kind: "edit", target: 1 })).toBe(true);
    expect(isUrgent({ ...origin, kind: "deletion", target: 1 })).toBe(true);
    expect(isUrgent({ ...origin, kind: "reaction", emoji: "👍", isRemoved: false, target: 1 })).toBe(false);
  });
});

describe("!status", () => {
  it("says in words that everything works, without numbers of others or the bot's account", async () => {
    const text = await textOf("!status");
    expect(text).toBe(
      `**Bot:** works\n**Signal:** works\n**Model:** \`llama3.2:3b\` is there\n**Your id:** \`${alice}\``,
    );
  });

  it("tells the id by which the operator can let in a person or a group", async () => {
    expect(await textOf("!status", { person: bob })).toContain(bob);
    const inside = await textOf("!status", inGroup);
    expect(inside).toContain(`**This group's id:** \`${team}\``);
    expect(inside).not.toContain(alice);
  });

  it("says what does not", async () => {
    world.offered = undefined;
    world.state = {
      ...calm,
      isStoreAway: true,
      sending: { counts: {}, pause: { why: "rate-limited", until: 1 }, troubles: [] },
    };
    const text = await textOf("!status");
    expect(text).toContain("memory cannot be reached");
    expect(text).toContain("held back");
    expect(text).toContain("The model cannot be reached");
  });

  it("says that the chosen model is gone, or that there is none", async () => {
    await textOf("!model gpt-large");
    world.offered = [local];
    expect(await textOf("!status")).toContain("`gpt-large` is not there now");
    world.offered = [];
    expect(await textOf("!status", { person: bob })).toContain("none is there now");
  });

  it("has numbers for operators, with what is wrong and what to do", async () => {
    using own = commandsWorld({ operators: [alice.toUpperCase()] });
    const trouble = { kind: "network", since: 1, lastAt: 1, count: 1, text: "signal-cli cannot reach Signal." };
    own.state = { ...calm, sending: { counts: {}, pause: undefined, troubles: [trouble] } };
    const { text } = await own.say("!status");
    expect(text).toContain(
      "3 waiting, 0 in hand, 0 to send, 2 undecidable, 1 put aside, 👍 5, 👎 1\n- signal-cli cannot",
    );
    expect(text).not.toContain("+1555");
  });
});

it("every answer is one message of Signal, without raw mark-up", async () => {
  const limits = { maxUnits: defaultMaxUnits, maxBytes: maxPieceBytes };
  for (const said of ["!help", "!privacy", "!models", "!model", "!status", "!clear", "!forget", "!help privacy"]) {
    const pieces = formatAnswer(await textOf(said), limits);
    expect(pieces, said).toHaveLength(1);
    expect(pieces[0]?.plain, said).not.toMatch(/\*\*|`/);
  }
  expect(formatAnswer(welcome, limits)).toHaveLength(1);
});
