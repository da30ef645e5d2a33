import { setTimeout as delay } from "node:timers/promises";
import { afterEach, describe, expect, it } from "vitest";
import { Sensitive } from "../../../../shared/sensitive.ts";
import { sentences } from "../../../../tee-bot/bot/answer/sentences.ts";
import type { Attachment, MessageEvent } from "../../../../tee-bot/bot/events/event.ts";
import { hastyClock } from "../../../support/hasty-clock.ts";
import {
  ada,
  edited,
  lastSaid,
  said,
  takenBack,
  untilAborted,
  WorkWorld,
  type WorkWorldOptions,
} from "../support/work-world.ts";

const png: Attachment = { id: "one.png", contentType: "image/png", name: undefined, size: 3 };
const voice: Attachment = { id: "note.aac", contentType: "audio/aac", name: undefined, size: 4 };
const seeing = { id: "m", provider: "p", synonyms: [], trust: "local", attestation: undefined, isDemo: false } as const;

describe("a message", () => {
  let world: WorkWorld;
  const open = (options: WorkWorldOptions = {}): WorkWorld => (world = new WorkWorld(options));
  const contents = async (): Promise<string[]> =>
    (await world.conversations.messages(`direct:${ada}`, { isGroup: false })).map(({ content }) => content);
  afterEach(() => world[Symbol.asyncDispose]());

  it("is answered with a quote of it, in pieces where it is long, while the bot shows that it writes", async () => {
    open({ settings: { maxUnits: 200 } });
    world.model.reply = () => {
      expect(world.messenger.typingNow).toBe(1);
      return Promise.resolve("many words ".repeat(50));
    };
    const pieces = await world.answerTo(said("hello", 1));
    expect(pieces.length).toBeGreaterThan(2);
    expect(pieces[0]).toMatch(/ \(1\/\d\)$/);
    const quotes = world.mailbox.answered[0]?.replies.map(({ quote }) => quote?.text.reveal());
    expect(quotes?.filter((one) => one !== undefined)).toEqual(["hello"]);
    expect(world.mailbox.answered[0]?.replies[0]?.quote).toMatchObject({ timestamp: 1, author: ada });
    expect(world.messenger.typingNow).toBe(0);
    expect(world.messenger.read).toEqual([1]);
  });

  it("is asked within its conversation, with the system prompt, and remembered with its answer", async () => {
    open({ settings: { systemPrompt: "Be brief." } });
    await world.answerTo(said("one", 1));
    await world.answerTo(said("two", 2));
    expect(world.model.asked[1]?.messages).toEqual([
      { role: "system", content: "Be brief." },
      { role: "user", content: "one" },
      { role: "assistant", content: "echo: one" },
      { role: "user", content: "two" },
    ]);
    expect(await contents()).toEqual(["one", "echo: one", "two", "echo: two"]);
  });

  it("leaves nothing in the history when the model fails", async () => {
    open({ clock: hastyClock(200) });
    world.model.reply = () => Promise.reject(new Error("secret"));
    const [sentence] = await world.answerTo(said("one", 1));
    expect(sentence).toMatch(
      /^Something went wrong here, so there is no answer\. Send !retry to try again\. \(\w{8}\)$/,
    );
    expect(await contents()).toEqual([]);
    expect(world.messenger.typingNow).toBe(0);
  });

  it("has the text it answers to as context, which is not kept", async () => {
    open();
    const quote = { timestamp: 1, author: ada, isOfBot: true, text: new Sensitive("an old\nanswer") };
    await world.answerTo(said("why?", 2, { quote }));
    expect(lastSaid(world.model.asked[0]!)).toBe("In reply to your message:\n> an old\n> answer\n\nwhy?");
    expect(await contents()).toEqual(["why?", expect.stringContaining("echo: ")]);
  });

  it("of a group names its author by a number", async () => {
    open();
    const chat = { kind: "group", group: "g" } as const;
    await world.answerTo(said("hello", 1, { chat }));
    await world.answerTo(said("me too", 2, { chat, person: "someone else" }));
    expect(world.model.asked[1]?.messages.slice(1).map(({ content }) => content)).toEqual([
      "Member 1: hello",
      "echo: Member 1: hello",
      "Member 2: me too",
    ]);
  });

  it("lives no longer in the history than its timer, and its answer with it", async () => {
    const clock = hastyClock(1);
    let ahead = 0;
    open({ clock: { ...clock, now: () => clock.now() + ahead } });
    await world.answerTo(said("for a minute", 1, { expiresInSeconds: 60 }));
    expect(await contents()).toHaveLength(2);
    ahead = 60_001;
    expect(await contents()).toEqual([]);
  });

  it("with nothing in it is not answered, nor is that of somebody who is not let in without a word", async () => {
    open({ admit: () => ({ admitted: false, say: undefined }) });
    expect(await world.answerTo(said(" ", 1))).toEqual([]);
    expect(await world.answerTo(said("hello", 2))).toEqual([]);
    expect([world.messenger.read, world.messenger.typingBegun, world.model.asked]).toEqual([[], 0, []]);
  });

  it("of somebody new is welcomed; who is refused is told", async () => {
    open({
      admit: ({ timestamp }) =>
        timestamp === 1 ? { admitted: true, isFirst: true } : { admitted: false, say: "Not today." },
    });
    expect(await world.answerTo(said("hello", 1))).toEqual(["Welcome!", "echo: hello"]);
    expect(await world.answerTo(said("hello", 2))).toEqual(["Not today."]);
  });

  it("that is a command or nearly one never reaches the model", async () => {
    open();
    expect(await world.answerTo(said("!help", 1))).toEqual(["This is help."]);
    expect(await world.answerTo(said("!hepl", 2))).toEqual(["I know no such command."]);
    expect(world.model.asked).toEqual([]);
    expect(await contents()).toEqual([]);
  });

  it("gets a reason in place of an answer where the node's own proof is missing, and commands still work", async () => {
    open({ refusal: () => "My evidence is not good." });
    expect(await world.answerTo(said("hello", 1))).toEqual(["My evidence is not good."]);
    expect(await world.answerTo(said("!help", 2))).toEqual(["This is help."]);
    expect(world.model.asked).toEqual([]);
  });

  it("to be viewed once is refused, and neither fetched nor kept", async () => {
    open();
    const event = said("look", 1, { isViewOnce: true, attachments: [png] });
    expect(await world.answerTo(event)).toEqual([sentences.viewOnce]);
    expect(world.model.asked).toEqual([]);
    expect(await contents()).toEqual([]);
    expect(world.messenger.discarded).toEqual(["one.png"]);
  });

  it("with a picture is shown to a model that can see, and only a mark of it is kept", async () => {
    open();
    world.model.offered = [{ ...seeing, hasVision: true }];
    world.messenger.files.set("one.png", Uint8Array.of(1, 2, 3));
    await world.answerTo(said("what is this?", 1, { attachments: [png] }));
    expect(world.model.asked[0]?.messages.at(-1)?.content).toEqual([
      { type: "text", text: "what is this?" },
      { type: "image_url", image_url: { url: "data:image/png;base64,AQID" } },
    ]);
    expect((await contents())[0]).toBe("[image] what is this?");
    expect(world.messenger.discarded).toEqual(["one.png"]);
  });

  it("with a picture is told when the model is blind, when it is too large, and when it is gone", async () => {
    open();
    world.model.offered = [{ ...seeing, hasVision: false }];
    expect(await world.answerTo(said("look", 1, { attachments: [png] }))).toEqual([sentences.noVision("m")]);
    world.model.offered = [{ ...seeing, hasVision: true }];
    expect(await world.answerTo(said("look", 2, { attachments: [png] }))).toEqual([sentences.fileGone]);
    const huge = { ...png, size: 9 * 1024 * 1024 };
    expect(await world.answerTo(said("look", 3, { attachments: [huge] }))).toEqual([sentences.pictureTooLarge(8)]);
    const large = { ...png, size: 7 * 1024 * 1024 };
    const three = said("look", 5, { attachments: [large, large, large] });
    expect(await world.answerTo(three)).toEqual([sentences.picturesTooLarge(16)]);
    world.messenger.files.set("one.png", new Uint8Array(9 * 1024 * 1024));
    expect(await world.answerTo(said("look", 4, { attachments: [png] }))).toEqual([sentences.pictureTooLarge(8)]);
    expect(world.model.asked).toEqual([]);
  });

  it("that is spoken is made text where there is a transcriber, else refused in words", async () => {
    open();
    expect(await world.answerTo(said("", 1, { attachments: [voice] }))).toEqual([sentences.noVoice]);
    await world[Symbol.asyncDispose]();
    open({ transcriber: { transcribe: () => Promise.resolve({ ok: true, text: new Sensitive(" good day ") }) } });
    world.messenger.files.set("note.aac", Uint8Array.of(1));
    expect(await world.answerTo(said("", 1, { attachments: [voice] }))).toEqual(["echo: good day"]);
    expect(await contents()).toEqual(["good day", "echo: good day"]);
  });

  it("with another file is told what the bot can read", async () => {
    open();
    const pdf = { ...png, contentType: "application/pdf" };
    expect(await world.answerTo(said("read", 1, { attachments: [pdf] }))).toEqual([sentences.fileKind]);
  });

  it("that is edited while it waits is answered as it is then; afterwards the history follows", async () => {
    open();
    let release = (): void => {};
    const first = new Promise<void>((resolve) => (release = resolve));
    world.model.reply = async (question) => {
      if (lastSaid(question) === "first") await first;
      return `echo: ${lastSaid(question)}`;
    };
    world.mailbox.put(said("first", 1));
    const second = said("secnd", 2);
    world.mailbox.put(second);
    await world.until(() => world.model.asked.length === 1);
    await world.answerTo(edited(second, "second", 3));
    release();
    await world.until(() => world.mailbox.answered.length === 3);
    expect(world.repliesTo(2)).toEqual(["echo: second"]);
    expect(await world.answerTo(edited(second, "changed", 4))).toEqual([]);
    expect(await contents()).toEqual(["first", "echo: first", "changed", "echo: second"]);
  });

  it("that is edited while it waits has its picture until it is answered", async () => {
    open();
    let release = (): void => {};
    world.model.reply = (question) =>
      lastSaid(question) === "first"
        ? new Promise((resolve) => (release = () => resolve("done")))
        : Promise.resolve("seen");
    world.messenger.files.set("one.png", Uint8Array.of(1, 2, 3));
    world.mailbox.put(said("first", 1));
    const second = said("lok", 2, { attachments: [png] });
    world.mailbox.put(second);
    await world.until(() => world.model.asked.length === 1);
    await world.answerTo(edited(second, "look", 3));
    release();
    await world.until(() => world.mailbox.answered.length === 3);
    expect(world.repliesTo(2)).toEqual(["seen"]);
    expect(world.messenger.discarded).toEqual(["one.png"]);
  });

  it("that is edited while it is in hand is changed in the history once it is there", async () => {
    open();
    let release = (): void => {};
    world.model.reply = () => new Promise((resolve) => (release = () => resolve("an answer")));
    const event = said("first", 1);
    world.mailbox.put(event);
    await world.until(() => world.model.asked.length === 1);
    world.mailbox.put(edited(event, "changed", 2));
    await delay(50);
    expect(world.mailbox.answered).toEqual([]);
    release();
    await world.until(() => world.mailbox.answered.length === 2);
    expect(await contents()).toEqual(["changed", "an answer"]);
  });

  it("that is taken back is not answered while it waits, is stopped in hand, and takes its answer along", async () => {
    open();
    const answered = said("one", 1);
    await world.answerTo(answered);
    world.model.reply = untilAborted;
    const inHand = said("two", 2);
    const waiting = said("three", 3);
    world.mailbox.put(inHand);
    world.mailbox.put(waiting);
    await world.until(() => world.model.asked.length === 2);
    await world.answerTo(takenBack(waiting, 4));
    await world.answerTo(takenBack(inHand, 5));
    await world.until(() => world.mailbox.answered.length === 4);
    await world.answerTo(takenBack(answered, 6));
    expect([world.repliesTo(2), world.repliesTo(3)]).toEqual([[], []]);
    expect(world.model.asked).toHaveLength(2);
    expect(await contents()).toEqual([]);
  });

  it("that is a command and is taken back while it is worked on is not answered either", async () => {
    let release = (): void => {};
    const texts = { aliases: [], usage: "", summary: "", detail: "" };
    const run = () => new Promise<{ text: string }>((resolve) => (release = () => resolve({ text: "late" })));
    open({ commands: () => [{ ...texts, name: "slow", run }] });
    const event = said("!slow", 1);
    world.mailbox.put(event);
    await world.until(() => world.work.inHand === 1);
    world.mailbox.put(takenBack(event, 2));
    await world.until(() => world.work.inHand === 2);
    release();
    await world.until(() => world.mailbox.answered.length === 2);
    expect(world.repliesTo(1)).toEqual([]);
  });

  it("that was stopped or failed is asked again by !retry, and so is one that was answered", async () => {
    open();
    world.model.reply = untilAborted;
    world.mailbox.put(said("a question", 1));
    await world.until(() => world.model.asked.length === 1);
    expect(await world.answerTo(said("!stop", 2))).toEqual(["Stopped."]);
    world.model.reply = () => Promise.resolve("first answer");
    expect(await world.answerTo(said("!retry", 3))).toEqual(["first answer"]);
    world.model.reply = () => Promise.resolve("second answer");
    expect(await world.answerTo(said("!retry", 4))).toEqual(["second answer"]);
    expect(lastSaid(world.model.asked.at(-1)!)).toBe("a question");
    expect(await contents()).toEqual(["a question", "second answer"]);
  });

  it("is not asked again after what waits was dropped, nor where there was none", async () => {
    open();
    expect(await world.answerTo(said("!retry", 1))).toEqual([sentences.nothingToRetry]);
    world.model.reply = untilAborted;
    world.mailbox.put(said("a question", 2));
    await world.until(() => world.model.asked.length === 1);
    await world.answerTo(said("!stop", 3));
    await world.answerTo(said("!clear", 4));
    expect(await world.answerTo(said("!retry", 5))).toEqual([sentences.nothingToRetry]);
  });

  it("is answered with a note, once, when what was remembered had been put back", async () => {
    open();
    world.oldHistories.note(`direct:${ada}`);
    const [first] = await world.answerTo(said("hello", 1));
    expect(first).toContain("older than what I last saw");
    expect(await world.answerTo(said("again", 2))).toEqual(["echo: again"]);
  });

  it("with an empty answer of the model is told so, and nothing of it is kept", async () => {
    open();
    world.model.reply = () => Promise.resolve(" \n");
    expect(await world.answerTo(said("hello", 1))).toEqual([sentences.emptyAnswer]);
    expect(await contents()).toEqual([]);
  });

  it.each(["```\n```", "#", "[a]: http://b.example", "\u00a0"])(
    "with an answer of which nothing is seen (%j) is told that it is empty",
    async (answer) => {
      open();
      world.model.reply = () => Promise.resolve(answer);
      expect(await world.answerTo(said("hello", 1))).toEqual([sentences.emptyAnswer]);
    },
  );

  it("that is longer than Signal's clients write is refused in words", async () => {
    open();
    expect(await world.answerTo(said("x".repeat(64 * 1024 + 1), 1))).toEqual([sentences.textTooLong(64)]);
    expect(world.model.asked).toEqual([]);
  });
});

describe("an edit of nothing we know", () => {
  it("is no question", async () => {
    await using world = new WorkWorld();
    const unknown: MessageEvent = said("old", 1);
    expect(await world.answerTo(edited(unknown, "new", 2))).toEqual([]);
    expect(world.model.asked).toEqual([]);
  });
});
