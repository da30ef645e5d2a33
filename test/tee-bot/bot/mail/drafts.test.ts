import { afterEach, beforeEach, describe, expect, it } from "vitest";
import type { Mail, Mailbox, OutgoingReply } from "../../../../tee-bot/bot/mail/mailbox.ts";
import { alice, messageOf, replyTo } from "../support/events.ts";
import { MailWorld } from "../support/mail-world.ts";

const toAlice = { kind: "direct", person: alice } as const;

describe("what is shown of an answer before it is all there", () => {
  let world: MailWorld;
  let box: Mailbox;
  let mail: Mail;
  const reopen = (): void => {
    box[Symbol.dispose]();
    box = world.open();
  };
  const next = (): OutgoingReply => box.replies(1)[0]!;
  const send = (timestamp: number): OutgoingReply => {
    const reply = next();
    box.sending(reply);
    box.sent(reply, timestamp);
    return reply;
  };
  const shown = ({ plain, edits }: OutgoingReply): unknown[] => [plain.reveal(), edits];
  beforeEach(() => {
    world = new MailWorld();
    box = world.open();
    box.put(messageOf(alice, world.clock.now()));
    mail = box.take(1)[0]!;
  });
  afterEach(() => world[Symbol.dispose]());

  it("is replaced each time by what comes next, at last by the answer, under the newest time", () => {
    box.draft(mail, replyTo(toAlice, "On"));
    expect(box.drafted(mail)).toEqual({ count: 1, isUnderway: true });
    expect(shown(send(100))).toEqual(["On", undefined]);
    expect(box.drafted(mail)).toEqual({ count: 1, isUnderway: false });
    box.draft(mail, replyTo(toAlice, "Once"));
    expect(shown(send(200))).toEqual(["Once", 100]);
    box.answer(mail, [replyTo(toAlice, "Once upon"), replyTo(toAlice, "a time")]);
    expect(shown(send(300))).toEqual(["Once upon", 200]);
    expect(shown(send(400))).toEqual(["a time", undefined]);
    expect(box.drafted(mail)).toBeUndefined();
  });

  it("is known after a crash, so that the repeated work goes on in the same message", () => {
    box.draft(mail, replyTo(toAlice, "On"));
    send(100);
    reopen();
    mail = box.take(1)[0]!;
    expect(box.drafted(mail)).toEqual({ count: 1, isUnderway: false });
    box.answer(mail, [replyTo(toAlice, "Once")]);
    reopen();
    expect(shown(next())).toEqual(["Once", 100]);
  });

  it("is replaced by the answer also where a later form of it did not go out", () => {
    box.draft(mail, replyTo(toAlice, "On"));
    send(100);
    box.draft(mail, replyTo(toAlice, "Once"));
    box.giveUp(next(), "refused", "a test");
    box.answer(mail, [replyTo(toAlice, "Once upon")]);
    expect(shown(next())).toEqual(["Once upon", 100]);
  });

  it("is not sent any more when the answer is there before it", () => {
    box.draft(mail, replyTo(toAlice, "On"));
    box.answer(mail, [replyTo(toAlice, "Once")]);
    expect(shown(send(100))).toEqual(["Once", undefined]);
    expect(box.state().replies).toBe(0);
  });

  it("is replaced also where the answer came while it was being sent", () => {
    box.draft(mail, replyTo(toAlice, "On"));
    const draft = next();
    box.sending(draft);
    box.answer(mail, [replyTo(toAlice, "Once")]);
    expect(next()).toBeUndefined();
    box.sent(draft, 100);
    expect(shown(next())).toEqual(["Once", 100]);
  });

  it("is followed by a message of its own where nobody knows whether it went out", () => {
    box.draft(mail, replyTo(toAlice, "On"));
    box.sending(next());
    reopen();
    mail = box.take(1)[0]!;
    box.answer(mail, [replyTo(toAlice, "Once")]);
    expect(shown(next())).toEqual(["Once", undefined]);
    expect(box.state().undecidable).toBe(1);
  });

  it("stays as it is where there will be no answer", () => {
    box.draft(mail, replyTo(toAlice, "On"));
    send(100);
    box.answer(mail, []);
    expect(box.drafted(mail)).toBeUndefined();
    expect(box.state().replies).toBe(0);
  });
});
