import { describe, expect, it } from "vitest";
import { Sensitive } from "../../../../shared/sensitive.ts";
import { decideShow, progressGapsMs, showProgress } from "../../../../tee-bot/bot/answer/progress.ts";
import { MemoryMailbox } from "../support/memory-mailbox.ts";
import { said } from "../support/work-world.ts";

describe("an answer that is shown while it is written", () => {
  const worldAt = (maxUnits = 4_000) => {
    let now = 1_000_000;
    const clock = { now: () => now, sleep: () => Promise.resolve() };
    const mailbox = new MemoryMailbox(clock, () => false);
    const event = said("a story", 1);
    mailbox.put(event);
    const [mail] = mailbox.take(1);
    const open = () => showProgress(mail!, event, { mailbox, maxUnits, clock });
    return { mailbox, open, advance: (ms: number) => void (now += ms) };
  };

  it("is shown ever more seldom, and so often that all makes four edits", () => {
    expect(progressGapsMs).toHaveLength(4);
    for (const [shown, gapMs] of progressGapsMs.entries()) {
      expect(decideShow(shown, gapMs - 1)).toBe(false);
      expect(decideShow(shown, gapMs)).toBe(true);
      expect(gapMs).toBeGreaterThan(progressGapsMs[shown - 1] ?? 0);
    }
    expect(decideShow(progressGapsMs.length, 3_600_000)).toBe(false);
  });

  it("goes on where it was when the work is done again", () => {
    const { mailbox, open, advance } = worldAt();
    const first = open();
    for (const gapMs of progressGapsMs.slice(0, 2)) {
      advance(gapMs);
      first(new Sensitive("Once"));
    }
    expect(mailbox.drafts.map(({ reply }) => reply.plain.reveal())).toEqual(["Once …", "Once …"]);
    const second = open();
    advance(progressGapsMs[1]);
    second(new Sensitive("Once upon"));
    expect(mailbox.drafts).toHaveLength(2);
    advance(progressGapsMs[2] - progressGapsMs[1]);
    second(new Sensitive("Once upon a time"));
    expect(mailbox.drafts).toHaveLength(3);
  });

  it("waits while the last of it is being sent, and once it is longer than one message", () => {
    const { mailbox, open, advance } = worldAt(200);
    const show = open();
    advance(60_000);
    show(new Sensitive("word ".repeat(100)));
    expect(mailbox.drafts).toEqual([]);
    show(new Sensitive("word"));
    mailbox.isDraftUnderway = true;
    advance(60_000);
    show(new Sensitive("word word"));
    expect(mailbox.drafts).toHaveLength(1);
  });
});
