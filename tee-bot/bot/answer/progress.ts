/** Shows an answer while it is written, by a message that is edited: seldom, and ever more seldom. */
import type { Clock } from "../../../shared/clock.ts";
import type { Sensitive } from "../../../shared/sensitive.ts";
import type { MessageEvent } from "../events/event.ts";
import type { Mail, Mailbox } from "../mail/mailbox.ts";
import { repliesTo } from "./replies.ts";

export interface ProgressOptions {
  readonly mailbox: Pick<Mailbox, "draft" | "drafted">;
  readonly maxUnits: number;
  readonly clock: Clock;
}

/** From the question to what is shown first, and from each to the next. With the answer that makes four edits: clients take ten. */
export const progressGapsMs = [2_000, 4_000, 8_000, 16_000] as const;
const goesOn = " …";

/** Whether something new is shown now, that much having been shown before. */
export function decideShow(shown: number, sinceLastMs: number): boolean {
  const gapMs = progressGapsMs[shown];
  return gapMs !== undefined && sinceLastMs >= gapMs;
}

/** To be told of the text of the answer as it comes. An answer that is interrupted goes on in the same message. */
export function showProgress(
  mail: Mail,
  event: MessageEvent,
  { mailbox, maxUnits, clock }: ProgressOptions,
): (soFar: Sensitive<string>) => void {
  let { count: shown } = mailbox.drafted(mail) ?? { count: 0 };
  let lastAt = clock.now();
  return (soFar) => {
    if (!decideShow(shown, clock.now() - lastAt)) return;
    const [reply, ...more] = repliesTo(event, { text: soFar.reveal() }, { maxUnits });
    if (!reply || more.length > 0) return; // what is longer than a message is shown when it is all there
    const add = (text: string): string => text + goesOn;
    try {
      if (mailbox.drafted(mail)?.isUnderway) return;
      mailbox.draft(mail, { ...reply, styled: reply.styled.map(add), plain: reply.plain.map(add) });
    } catch {
      return; // the disk does not take it; the answer does without
    }
    shown++;
    lastAt = clock.now();
  };
}
