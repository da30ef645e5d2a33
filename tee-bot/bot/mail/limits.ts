/** What the mailbox holds at most, and how long it knows what it had: rules only. */

/** Mails that wait or are in hand. */
export const maxMails = 50_000;
/** Of one chat, so that one who writes without end leaves room for others. */
export const maxMailsOfChat = 5_000;
/** Of the file, as far as it is in use. Replies and notes are written beyond it: they make room. */
export const maxUsedBytes = 256 * 1024 * 1024;
export const maxDeadLetters = 1_000;
/** Nothing is put off for longer. What is due later than that was put off before the clock was set back, and is due now. */
export const maxDelayMs = 10 * 60 * 1000;
/** Names of events that were here. Beyond it the oldest are forgotten. */
export const maxSeen = 500_000;

const dayMs = 24 * 60 * 60 * 1000;
/** Deliveries may repeat for so long. */
const shortestMemoryMs = 2 * dayMs;

/** How long an event is known after it came in: no less than it may wait itself. */
export function decideMemoryMs(maxAgeMs: number): number {
  return Math.max(maxAgeMs, shortestMemoryMs);
}

/** When an event is too old to be answered: it may have been on its way for long, and the sender's clock may be ahead. */
export function decideStaleAt(sentAt: number, receivedAt: number, maxAgeMs: number): number {
  return Math.min(sentAt, receivedAt) + maxAgeMs;
}

/** What becomes of a mail that was tried in vain, and would be due again at `dueAt`. */
export function decideFate(mail: {
  attempts: number;
  maxAttempts: number;
  dueAt: number;
  staleAt: number;
}): "waiting" | "attempts" | "age" {
  if (mail.attempts >= mail.maxAttempts) return "attempts";
  return mail.staleAt <= mail.dueAt ? "age" : "waiting";
}

interface Full {
  /** `too-many-requests`: there is room for others. */
  readonly code: "overloaded" | "too-many-requests";
  readonly why: string;
}

/** Undefined: there is room for one more. */
export function decideRoom(used: { mails: number; ofChat: number; bytes: number }): Full | undefined {
  if (used.mails >= maxMails) return { code: "overloaded", why: `${maxMails} messages wait already` };
  if (used.bytes >= maxUsedBytes) return { code: "overloaded", why: `what waits has ${maxUsedBytes} bytes already` };
  if (used.ofChat < maxMailsOfChat) return undefined;
  return { code: "too-many-requests", why: `${maxMailsOfChat} messages of this chat wait already` };
}
