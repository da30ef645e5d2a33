import * as fc from "fast-check";
import { describe, expect, it } from "vitest";
import { chatName, type MessageEvent } from "../../../../tee-bot/bot/events/event.ts";
import type { Mail, Mailbox, OutgoingReply } from "../../../../tee-bot/bot/mail/mailbox.ts";
import { account, alice, bob, deletionOf, messageOf, replyTo, team } from "../support/events.ts";
import { MailWorld } from "../support/mail-world.ts";

interface ModelMail {
  readonly name: string;
  readonly chat: string;
  readonly urgent: boolean;
  inHand: boolean;
}

interface ModelReply {
  readonly text: string;
  readonly chat: string;
  begun: boolean;
}

/** What a mailbox is, in its simplest form: lists in memory. */
class Model {
  mails: ModelMail[] = [];
  replies: ModelReply[] = [];
  readonly seen = new Set<string>();
  undecidable = 0;

  put(mail: ModelMail): "new" | "known" {
    if (this.seen.has(mail.name)) return "known";
    this.seen.add(mail.name);
    this.mails.push(mail);
    return "new";
  }

  take(atMost: number): string[] {
    const isFree = (mail: ModelMail, index: number): boolean =>
      mail.urgent || !this.mails.slice(0, index).some((before) => before.chat === mail.chat && !before.urgent);
    const due = this.mails.filter((mail, index) => !mail.inHand && isFree(mail, index));
    const taken = [...due.filter(({ urgent }) => urgent), ...due.filter(({ urgent }) => !urgent)].slice(0, atMost);
    for (const mail of taken) mail.inHand = true;
    return taken.map(({ name }) => name);
  }

  due(): string[] {
    const first = this.replies.filter(
      (reply, index) => !this.replies.slice(0, index).some(({ chat }) => chat === reply.chat),
    );
    return first.filter(({ begun }) => !begun).map(({ text }) => text);
  }

  restart(): void {
    for (const mail of this.mails) mail.inHand = false;
    this.undecidable += this.replies.filter(({ begun }) => begun).length;
    this.replies = this.replies.filter(({ begun }) => !begun);
  }
}

const chats = [
  { kind: "direct", person: alice },
  { kind: "direct", person: bob },
  { kind: "group", group: team },
] as const;
const index = fc.nat({ max: 9 });
const step = fc.oneof(
  fc.record({
    do: fc.constant("put" as const),
    time: fc.nat({ max: 30 }),
    chat: fc.nat({ max: 2 }),
    urgent: fc.boolean(),
  }),
  fc.record({ do: fc.constant("take" as const), atMost: fc.integer({ min: 1, max: 4 }) }),
  fc.record({ do: fc.constant("answer" as const), index, replies: fc.nat({ max: 3 }) }),
  fc.record({ do: fc.constant("postpone" as const), index }),
  fc.record({ do: fc.constant("send" as const), index, end: fc.constantFrom("sent", "unsent", "refused", "never") }),
  fc.record({ do: fc.constant("withdraw" as const), time: fc.nat({ max: 30 }) }),
  fc.record({ do: fc.constant("drop" as const), chat: fc.nat({ max: 2 }) }),
  fc.record({ do: fc.constant("restart" as const) }),
);
type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

describe("a mailbox", () => {
  it(
    "does what a list in memory would, whatever is done to it and however often it is opened again",
    { timeout: 60_000 },
    () => {
      fc.assert(
        fc.property(fc.array(step, { minLength: 5, maxLength: 40 }), (steps) => {
          using world = new MailWorld();
          new Both(world).run(steps);
        }),
        { numRuns: 60 },
      );
    },
  );
});

/** The mailbox and its model, side by side. */
class Both {
  readonly #world: MailWorld;
  readonly #model = new Model();
  readonly #now: number;
  #box: Mailbox;
  #inHand = new Map<string, Mail>();
  #texts = 0;

  constructor(world: MailWorld) {
    this.#world = world;
    this.#now = world.clock.now();
    this.#box = world.open({ maxAttempts: 1_000 });
  }

  run(steps: readonly Step[]): void {
    for (const one of steps) {
      this.#do(one);
      const { waiting, inHand, replies, undecidable } = this.#box.state();
      const mails = this.#model.mails;
      expect({ waiting, inHand, replies, undecidable }).toEqual({
        waiting: mails.filter((mail) => !mail.inHand).length,
        inHand: mails.filter((mail) => mail.inHand).length,
        replies: this.#model.replies.length,
        undecidable: this.#model.undecidable,
      });
      expect(this.#due().map(({ plain }) => plain.reveal())).toEqual(this.#model.due());
    }
  }

  #do(one: Step): void {
    const model = this.#model;
    switch (one.do) {
      case "put": {
        const chat = chats[one.chat]!;
        const at = this.#now + one.time;
        const event = one.urgent ? deletionOf(alice, at, 1) : messageOf(alice, at, "", { chat });
        const placed = { ...event, chat };
        const name = `${event.kind} ${at}`;
        const mail = { name, chat: chatName(chat), urgent: one.urgent, inHand: false };
        return expect(this.#box.put(placed)).toBe(model.put(mail));
      }
      case "take": {
        const mails = this.#box.take(one.atMost);
        for (const mail of mails) this.#inHand.set(nameOf(mail), mail);
        return expect(mails.map(nameOf)).toEqual(model.take(one.atMost));
      }
      case "answer": {
        const [name, mail] = this.#pick(one.index) ?? [];
        if (!mail) return;
        const texts = Array.from({ length: one.replies }, () => String(this.#texts++));
        const { chat } = mail.event;
        this.#box.answer(
          mail,
          texts.map((text) => replyTo(chat, text)),
        );
        model.mails = model.mails.filter((held) => held.name !== name);
        return void model.replies.push(...texts.map((text) => ({ text, chat: chatName(chat), begun: false })));
      }
      case "postpone": {
        const [name, mail] = this.#pick(one.index) ?? [];
        if (!mail) return;
        this.#box.postpone(mail, { reason: "outage", delayMs: 0, isCounted: true });
        model.mails.find((held) => held.name === name)!.inHand = false;
        return;
      }
      case "send": {
        const due = this.#due();
        const reply = due[one.index % due.length];
        return reply && this.#send(reply, one.end);
      }
      case "withdraw": {
        const name = `message ${this.#now + one.time}`;
        const waits = model.mails.some((mail) => mail.name === name && !mail.inHand);
        model.seen.add(name);
        model.mails = model.mails.filter((mail) => mail.name !== name || mail.inHand);
        return expect(this.#box.withdraw({ account, person: alice, timestamp: this.#now + one.time })).toBe(waits);
      }
      case "drop": {
        const chat = chats[one.chat]!;
        const left = model.mails.filter((mail) => mail.chat !== chatName(chat) || mail.inHand || mail.urgent);
        expect(this.#box.drop(chat)).toBe(model.mails.length - left.length);
        model.mails = left;
        return;
      }
      case "restart":
        this.#box[Symbol.dispose]();
        this.#box = this.#world.open({ maxAttempts: 1_000 });
        this.#inHand.clear();
        return model.restart();
    }
  }

  #send(reply: OutgoingReply, end: "sent" | "unsent" | "refused" | "never"): void {
    const model = this.#model;
    const held = model.replies.find(({ text }) => text === reply.plain.reveal())!;
    if (reply.id % 2 === 0) this.#box.plan(this.#due());
    this.#box.sending(reply);
    held.begun = true;
    if (end === "never") return;
    if (end === "unsent") {
      this.#box.unsent(reply, { reason: "429", delayMs: 0 });
      held.begun = false;
      return;
    }
    if (end === "sent") this.#box.sent(reply, this.#now);
    else this.#box.giveUp(reply, "refused", "unregistered");
    model.replies = model.replies.filter((one) => one !== held);
  }

  #due(): OutgoingReply[] {
    return this.#box.replies(100);
  }

  #pick(at: number): [string, Mail] | undefined {
    const all = [...this.#inHand];
    const picked = all[at % all.length];
    if (picked) this.#inHand.delete(picked[0]);
    return picked;
  }
}

function nameOf({ event }: Mail): string {
  return `${event.kind} ${(event as MessageEvent).timestamp}`;
}
