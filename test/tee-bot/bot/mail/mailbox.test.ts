import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { DatabaseSync } from "node:sqlite";
import { setTimeout as sleep } from "node:timers/promises";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { AppError } from "../../../../shared/errors.ts";
import { Sensitive } from "../../../../shared/sensitive.ts";
import type { BotEvent, MessageEvent } from "../../../../tee-bot/bot/events/event.ts";
import { maxMailsOfChat } from "../../../../tee-bot/bot/mail/limits.ts";
import type { Mail, Mailbox } from "../../../../tee-bot/bot/mail/mailbox.ts";
import { alice, bob, account, deletionOf, messageOf, replyTo, team } from "../support/events.ts";
import { revealed } from "../support/revealed.ts";
import { MailWorld } from "../support/mail-world.ts";

const hourMs = 60 * 60 * 1000;
const toAlice = { kind: "direct", person: alice } as const;
const toTeam = { kind: "group", group: team } as const;
let world: MailWorld;
let box: Mailbox;
let now: number;
beforeEach(() => {
  world = new MailWorld();
  box = world.open();
  now = world.clock.now();
});
afterEach(() => world[Symbol.dispose]());

const textOf = ({ event }: Mail): string => (event as MessageEvent).text.reveal();
const takeTexts = (from = box): string[] => from.take(100).map(textOf);
const takeOne = (from = box): Mail => from.take(1)[0]!;
const failure = { reason: "outage", delayMs: 0, isCounted: true };
const reopen = (options?: Parameters<MailWorld["open"]>[0]): Mailbox => {
  box[Symbol.dispose]();
  return (box = world.open(options));
};

describe("a mailbox", () => {
  it("gives back an event as it was put in, also after a restart", () => {
    const event = messageOf(alice, now, "with everything 🙂", {
      number: new Sensitive("+15550000002"),
      chat: toTeam,
      attachments: [{ id: "k3.jpg", contentType: "image/jpeg", name: new Sensitive("cat.jpg"), size: 7 }],
      expiresInSeconds: 300,
      isMention: true,
      quote: { timestamp: 5, author: bob, isOfBot: false, text: new Sensitive("said before") },
    });
    expect(box.put(event)).toBe("new");
    const [mail] = reopen().take(5);
    expect(mail).toMatchObject({ receivedAt: now, attempts: 0 });
    expect(revealed(mail!.event)).toEqual(revealed(event));
  });

  it("lets one process send a reply where two are open on the same file", () => {
    using other = world.open();
    box.say(replyTo(toAlice, "once"));
    const [mine] = box.replies(1);
    const [theirs] = other.replies(1);
    expect([box.sending(mine!), other.sending(theirs!)]).toEqual([true, false]);
    box.sent(mine!, 7);
    expect(other.state()).toMatchObject({ replies: 0, undecidable: 0 });
  });

  it("gives out what waits although the clock was set back meanwhile", () => {
    box.put(messageOf(alice, now, "new"));
    box.put(messageOf(bob, now, "tried before"));
    box.say(replyTo(toTeam, "a reply"));
    box.postpone(box.take(2)[1]!, { ...failure, delayMs: 1_000 });
    const reply = box.replies(1)[0]!;
    box.unsent(reply, { reason: "outage", delayMs: 1_000 });
    box.say(replyTo(toAlice, "another"));
    reopen();
    world.clock.advance(-hourMs);
    expect(takeTexts()).toEqual(["new", "tried before"]);
    expect(box.replies(5)).toHaveLength(2);
  });

  it("knows an event that comes again, whether it waits, is in hand or is done, also after a restart and two days", () => {
    const event = messageOf(alice, now);
    box.put(event);
    expect(box.put(event)).toBe("known");
    const mail = takeOne();
    expect(box.put(event)).toBe("known");
    box.answer(mail, []);
    expect(box.put(event)).toBe("known");
    world.clock.advance(48 * hourMs - 1);
    expect(reopen().put(event)).toBe("known");
    expect(box.state().waiting).toBe(0);
  });

  it("tells apart events of other senders, times and kinds", () => {
    const events: BotEvent[] = [
      messageOf(alice, now),
      messageOf(bob, now),
      messageOf(alice, now + 1),
      deletionOf(alice, now, now),
    ];
    expect(events.map((event) => box.put(event))).toEqual(["new", "new", "new", "new"]);
  });

  it("gives out one mail of a chat at a time, in the order they came, and those of other chats beside it", () => {
    for (const text of ["a1", "a2", "a3"]) box.put(messageOf(alice, now++, text));
    for (const text of ["b1", "b2"]) box.put(messageOf(bob, now++, text));
    const [first] = box.take(1);
    expect(textOf(first!)).toBe("a1");
    expect(takeTexts()).toEqual(["b1"]);
    expect(takeTexts()).toEqual([]);
    box.answer(first!, []);
    expect(takeTexts()).toEqual(["a2"]);
  });

  it("gives out what is urgent beside what is in hand, and lets it hold up nothing", () => {
    box = reopen({ isUrgent: (event) => event.kind === "message" && event.text.reveal() === "!stop" });
    box.put(messageOf(alice, now++, "a1"));
    box.put(messageOf(alice, now++, "a2"));
    expect(takeTexts()).toEqual(["a1"]);
    box.put(messageOf(alice, now++, "!stop"));
    const [urgent] = box.take(5);
    expect(textOf(urgent!)).toBe("!stop");
    box.answer(urgent!, []);
    expect(takeTexts()).toEqual([]);
  });

  it("tries a mail again when it is due, before later ones of its chat, and puts it aside after its last attempt", () => {
    box.put(messageOf(alice, now, "poison"));
    box.put(messageOf(alice, now + 1, "next"));
    expect(box.postpone(takeOne(), { ...failure, delayMs: 1_000 })).toBe("waiting");
    expect(takeTexts()).toEqual([]);
    world.clock.advance(1_000);
    const again = takeOne();
    expect([textOf(again), again.attempts]).toEqual(["poison", 1]);
    expect(box.postpone(again, { ...failure, isCounted: false })).toBe("waiting");
    expect(box.postpone(takeOne(), failure)).toBe("waiting");
    expect(box.postpone(takeOne(), failure)).toBe("dead");
    expect(takeTexts()).toEqual(["next"]);
    expect(box.deadLetters(5)).toMatchObject([{ what: "mail", why: "attempts", reason: "outage" }]);
    expect(box.state()).toMatchObject({ dead: 1, inHand: 1, waiting: 0 });
  });

  it("bears times that are no whole milliseconds", () => {
    box = reopen({ maxAgeMs: hourMs + 0.5 });
    expect(box.put(messageOf(alice, now))).toBe("new");
    expect(box.postpone(takeOne(), { ...failure, delayMs: 0.5 })).toBe("waiting");
    world.clock.advance(1);
    box.answer(takeOne(), [replyTo(toAlice, "answer")]);
    const [reply] = box.replies(1);
    box.sending(reply!);
    box.unsent(reply!, { reason: "429", delayMs: 0.5 });
    world.clock.advance(1);
    expect(box.replies(1)).toHaveLength(1);
  });

  it("does a mail again that a process left in hand, and puts aside one that ends every process", () => {
    box.put(messageOf(alice, now, "deadly"));
    for (let run = 0; run < 3; run++) {
      const mail = takeOne();
      expect([textOf(mail), mail.attempts]).toEqual(["deadly", run]);
      reopen();
    }
    expect(box.take(1)).toEqual([]);
    expect(box.deadLetters(5)).toMatchObject([{ why: "attempts", reason: "the process ended" }]);
  });

  it("leaves what another has in hand where a process only receives", () => {
    box.put(messageOf(alice, now));
    const mail = takeOne();
    const slot = world.openSlot();
    expect(slot.put(messageOf(bob, now, "from there"))).toBe("new");
    expect(takeTexts()).toEqual(["from there"]);
    box.answer(mail, [replyTo(toAlice, "answer")]);
    expect(box.replies(5)).toHaveLength(1);
  });

  it("stores nothing for a mail that somebody else has in hand by now", () => {
    box.put(messageOf(alice, now));
    const mail = takeOne();
    const other = world.open();
    box.answer(mail, [replyTo(toAlice, "too late")]);
    expect(box.replies(5)).toEqual([]);
    other.answer(takeOne(other), [replyTo(toAlice, "answer")]);
    expect(box.replies(5).map(({ plain }) => plain.reveal())).toEqual(["answer"]);
  });

  it("puts aside what is too old, by the time it was sent or came in", () => {
    box.put(messageOf(alice, now - 24 * hourMs, "sent long ago"));
    box.put(messageOf(bob, now + 24 * hourMs, "by a clock that is ahead"));
    expect(takeTexts()).toEqual(["by a clock that is ahead"]);
    reopen();
    world.clock.advance(24 * hourMs);
    expect(takeTexts()).toEqual([]);
    expect(box.deadLetters(5).map(({ why }) => why)).toEqual(["age", "age"]);
  });

  it("drops what waits of a chat, not what is in hand, nor other chats, nor what was taken back", () => {
    for (let count = 0; count < 3; count++) box.put(messageOf(alice, now++, `a${count}`));
    box.put(messageOf(bob, now++, "b"));
    const mail = takeOne();
    box.put(deletionOf(alice, now++, 5));
    expect(box.drop(toAlice)).toBe(2);
    expect(box.take(5, "urgent").map(({ event }) => event.kind)).toEqual(["deletion"]);
    box.answer(mail, []);
    expect(takeTexts()).toEqual(["b"]);
  });

  it("lets an author take back what waits, also before it came in, but nobody else", () => {
    box.put(messageOf(alice, now, "a"));
    box.put(messageOf(alice, now + 1, "b"));
    expect(box.withdraw({ account, person: bob, timestamp: now })).toBe(false);
    expect(box.withdraw({ account, person: alice, timestamp: now })).toBe(true);
    expect(takeTexts()).toEqual(["b"]);
    expect(box.withdraw({ account, person: alice, timestamp: now + 1 })).toBe(false);
    expect(box.withdraw({ account, person: alice, timestamp: now + 2 })).toBe(false);
    expect(box.put(messageOf(alice, now + 2, "came late"))).toBe("known");
  });

  it("lets an author change what waits, and change or take back the change", () => {
    box.put(messageOf(alice, now, "teh"));
    const amend = (timestamp: number, editedAt: number, text: string): boolean =>
      box.amend({ account, person: alice, timestamp, editedAt }, messageOf(alice, editedAt, text));
    expect(amend(now, now + 1, "the")).toBe(true);
    expect(amend(now + 1, now + 2, "the end")).toBe(true);
    expect(amend(now + 9, now + 10, "no such message")).toBe(false);
    const mail = takeOne();
    expect(textOf(mail)).toBe("the end");
    expect(mail.event.timestamp).toBe(now);
    expect(amend(now + 2, now + 3, "too late")).toBe(false);
    box.postpone(mail, failure);
    expect(box.withdraw({ account, person: alice, timestamp: now + 2 })).toBe(true);
    expect(takeTexts()).toEqual([]);
  });

  it("gives out only what is urgent where only that is asked for", () => {
    box.put(messageOf(alice, now, "question"));
    box.put(deletionOf(alice, now + 1, now - 5));
    expect(box.take(5, "urgent").map(({ event }) => event.kind)).toEqual(["deletion"]);
    expect(takeTexts()).toEqual(["question"]);
  });

  it("takes no more of one chat than its part, and goes on with others", () => {
    box.put(messageOf(alice, now));
    const store = new DatabaseSync(world.path);
    const rest = "tag || n, chat, is_urgent, 0, attempts, received_at, stale_at, due_at, sealed";
    store.exec(`WITH RECURSIVE more (n) AS (VALUES (2) UNION ALL SELECT n + 1 FROM more WHERE n < ${maxMailsOfChat})
      INSERT INTO mail (tag, chat, is_urgent, is_head, attempts, received_at, stale_at, due_at, sealed)
      SELECT ${rest} FROM mail, more`);
    store.close();
    const put = (): unknown => box.put(messageOf(alice, now + maxMailsOfChat));
    expect(put).toThrow(AppError);
    expect(put).toThrow(`${maxMailsOfChat} messages of this chat wait already`);
    expect(box.put(messageOf(bob, now))).toBe("new");
    box.answer(takeOne(), []);
    expect(put()).toBe("new");
  });
});

describe("replies", () => {
  const answered = (...texts: string[]): void => {
    box.put(messageOf(alice, now++));
    box.answer(
      takeOne(),
      texts.map((text) => replyTo(toAlice, text)),
    );
  };
  const due = (): string[] => box.replies(100).map(({ plain }) => plain.reveal());

  it("go out in the order of their chat, one at a time, and chats beside each other", () => {
    answered("1", "2");
    box.put(messageOf(bob, now));
    box.answer(takeOne(), [replyTo(toTeam, "to the team")]);
    expect(due()).toEqual(["1", "to the team"]);
    const [first] = box.replies(1);
    box.sending(first!);
    expect(due()).toEqual(["to the team"]);
    box.sent(first!, now);
    expect(due()).toEqual(["2", "to the team"]);
  });

  it("keep everything they have over a restart, an attachment too", () => {
    box.put(messageOf(alice, now));
    const reply = replyTo(toAlice, "*proof*", {
      quote: { timestamp: now, author: alice, text: new Sensitive("!verify") },
      attachment: { name: "p.json", contentType: "application/json", content: new Sensitive(Uint8Array.of(0, 255, 7)) },
      edits: 5,
    });
    box.answer(takeOne(), [reply]);
    const [kept] = reopen().replies(1);
    expect(revealed(kept)).toEqual({
      ...(revealed(reply) as object),
      id: 1,
      attempts: 0,
      expiresAt: now + 24 * hourMs,
    });
  });

  it("also wait that answer no mail", () => {
    answered("answer");
    box.say(replyTo(toTeam, "notice"));
    expect(due()).toEqual(["answer", "notice"]);
  });

  it("are undecidable when the process ended while they were sent, and are not sent again", () => {
    answered("1", "2");
    box.sending(box.replies(1)[0]!);
    reopen();
    expect(due()).toEqual(["2"]);
    expect(box.state()).toMatchObject({ undecidable: 1, dead: 0, replies: 1 });
    expect(box.deadLetters(1)).toMatchObject([{ what: "reply", why: "undecidable", reason: "the process ended" }]);
  });

  it("that were planned are undecidable when the machine ended, and not when the process did", () => {
    const open = (bootId: string | undefined): void => void (box = reopen({ bootId }));
    const state = (): unknown[] => [due(), box.state().undecidable];
    open("first start");
    answered("1");
    box.put(messageOf(bob, now));
    box.answer(takeOne(), [replyTo(toTeam, "2")]);
    box.plan(box.replies(5));
    open("first start");
    expect(state()).toEqual([["1", "2"], 0]);
    box.plan(box.replies(5));
    const [first, second] = box.replies(5);
    box.sending(first!);
    box.unsent(first!, { reason: "429", delayMs: 0 });
    box.sending(second!);
    open("first start");
    expect(state()).toEqual([["1"], 1]);
    answered("3");
    box.put(messageOf(bob, now++));
    box.answer(takeOne(), [replyTo(toTeam, "4")]);
    box.plan(box.replies(5));
    box.plan([]); // something else came in between
    open("second start");
    expect(state()).toEqual([["1", "4"], 1]);
    box.plan(box.replies(5));
    open("third start");
    expect(state()).toEqual([["3"], 3]);
  });

  it("are sent again where they certainly did not go out, when they are due, and given up where they will not", () => {
    answered("1", "2");
    const [first] = box.replies(1);
    box.sending(first!);
    box.unsent(first!, { reason: "429", delayMs: 5_000 });
    expect(due()).toEqual([]);
    world.clock.advance(5_000);
    expect(box.replies(1)).toMatchObject([{ id: first!.id, attempts: 1 }]);
    box.giveUp(first!, "refused", "unregistered");
    expect(due()).toEqual(["2"]);
    expect(box.deadLetters(1)).toMatchObject([{ what: "reply", why: "refused", reason: "unregistered" }]);
  });

  it("are not sent when nobody waits for them any more", () => {
    answered("1");
    world.clock.advance(12 * hourMs);
    answered("2");
    world.clock.advance(12 * hourMs);
    expect(box.replies(1).map(({ plain }) => plain.reveal())).toEqual(["2"]);
    expect(box.deadLetters(5)).toMatchObject([{ what: "reply", why: "age" }]);
  });
});

describe("the file of a mailbox", () => {
  const filesText = (): string =>
    readdirSync(dirname(world.path))
      .map((name) => readFileSync(join(dirname(world.path), name), "latin1"))
      .join("");

  it("shows neither text nor names, numbers or ids, while they wait and afterwards", () => {
    box.put(messageOf(alice, now, "canary-text", { number: new Sensitive("+15550000002"), chat: toTeam }));
    box.answer(takeOne(), [replyTo(toAlice, "canary-answer")]);
    box.put(messageOf(alice, now + 1, "canary-text"));
    const text = filesText();
    for (const secret of ["canary", alice, "+1555", "Somebody", team]) expect(text).not.toContain(secret);
    expect(JSON.stringify(world.log.events)).not.toContain("canary");
  });

  it("keeps nothing of what is done, not even sealed", async () => {
    box.put(messageOf(alice, now, "a"));
    const store = new DatabaseSync(world.path, { readOnly: true });
    const sealed = Buffer.from(store.prepare("SELECT sealed FROM mail").get()?.["sealed"] as Uint8Array);
    store.close();
    expect(filesText()).toContain(sealed.toString("latin1"));
    box.answer(takeOne(), []);
    await expect.poll(() => filesText().includes(sealed.toString("latin1")), { timeout: 5_000 }).toBe(false);
  });

  it("is begun anew with what can be read of it when it is damaged at the start", () => {
    for (let count = 0; count < 500; count++)
      box.put(messageOf(count < 400 ? alice : bob, now + count, "x".repeat(300)));
    box[Symbol.dispose]();
    damage(world.path);
    box = world.open();
    const { waiting } = box.state();
    expect(waiting).toBeGreaterThan(0);
    expect(waiting).toBeLessThan(500);
    expect(world.log.events.map(({ event }) => event)).toEqual(
      expect.arrayContaining(["store.moved-aside", "mailbox.lost"]),
    );
    expect(box.put(messageOf(alice, now + 1_000))).toBe("new");
    const taken = new Set<number>();
    for (let [mail] = box.take(1); mail; [mail] = box.take(1)) {
      taken.add(mail.event.timestamp - now);
      box.answer(mail, []);
    }
    expect(taken.size + box.state().dead).toBe(waiting + 1); // some can be read and are not what was stored
    expect(box.state().waiting).toBe(0);
    for (const kept of [0, 499, 1_000]) expect(taken).toContain(kept); // before the damage, behind it, since
  });

  it("is begun anew likewise when it turns out to be damaged in use", () => {
    const long = "x".repeat(30_000); // so that SQLite has not all of it in memory
    for (let count = 0; count < 150; count++) box.put(messageOf(count < 100 ? alice : bob, now + count, long));
    reopen();
    damage(world.path);
    const { waiting } = box.state();
    let taken = 0;
    for (let [mail] = box.take(1); mail; [mail] = box.take(1)) {
      box.answer(mail, []);
      taken++;
    }
    expect(taken).toBeGreaterThan(0);
    expect(taken).toBeLessThan(150);
    expect(waiting).toBeGreaterThanOrEqual(taken);
    expect(world.log.events.map(({ event }) => event)).toContain("store.moved-aside");
    expect(box.put(messageOf(alice, now + 1_000))).toBe("new");
  });

  it("puts aside a mail that is not what was stored, and goes on with the next", () => {
    box.put(messageOf(alice, now, "forged"));
    box.put(messageOf(alice, now + 1, "good"));
    const store = new DatabaseSync(world.path);
    store.exec("UPDATE mail SET sealed = zeroblob(400) WHERE id = 1");
    store.close();
    expect([...takeTexts(), ...takeTexts()]).toEqual(["good"]);
    expect(box.deadLetters(1)).toMatchObject([{ why: "refused", reason: "what is stored is forged" }]);
  });

  it("says so when the disk takes nothing", () => {
    const lock = new DatabaseSync(world.path);
    lock.exec("BEGIN IMMEDIATE");
    const put = (): unknown => box.put(messageOf(alice, now, "secret"));
    expect(put).toThrow(AppError);
    expect(put).toThrow(/cannot be used now: database is locked/);
    lock.exec("ROLLBACK");
    lock.close();
    expect(put()).toBe("new");
  });

  it("is the new one also for who has the old one open, when another process has begun it anew", () => {
    const slot = world.openSlot();
    slot.put(messageOf(alice, now, "before"));
    box[Symbol.dispose]();
    writeFileSync(world.path, readFileSync(world.path).fill(7, 0, 100));
    box = world.open();
    slot.put(messageOf(bob, now, "afterwards"));
    expect(takeTexts()).toContain("afterwards");
  });
});

describe("news", () => {
  it("come at once from here, within some milliseconds from another process, and when something is due", async () => {
    using other = world.openSlot();
    let news = 0;
    box.onNews(() => void news++);
    await expect.poll(() => news).toBe(1);
    box.put(messageOf(alice, now));
    await expect.poll(() => news).toBe(2);
    other.put(messageOf(bob, now));
    await expect.poll(() => news, { interval: 1 }).toBe(3);
    await sleep(1_500);
    expect(news).toBe(3);
    const mail = takeOne();
    box.postpone(mail, { ...failure, delayMs: 50 });
    await expect.poll(() => news).toBe(4);
    world.clock.advance(50);
    await expect.poll(() => news).toBeGreaterThan(4);
  });
});

/** Overwrites pages in the middle. */
function damage(path: string): void {
  const bytes = readFileSync(path);
  writeFileSync(path, bytes.fill(0xaa, Math.floor(bytes.length * 0.6), Math.floor(bytes.length * 0.7)));
}
