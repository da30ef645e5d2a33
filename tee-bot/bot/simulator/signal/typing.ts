/** When somebody was shown as typing. Rules only. */

export interface TypingSpan {
  readonly startedAt: number;
  /** When it was told last that the person types. */
  readonly refreshedAt: number;
  /** Of a stop that was told; undefined while it goes on or has run out. */
  readonly stoppedAt?: number;
}

/** Telephones show it for so long unless they are told again (Signal-Android, TypingStatusRepository). */
export const typingDecayMs = 15_000;
const maxSpans = 1_000;

export function startTyping(spans: readonly TypingSpan[], now: number): TypingSpan[] {
  const last = spans.at(-1);
  if (last && isTyping(spans, now)) return [...spans.slice(0, -1), { ...last, refreshedAt: now }];
  return [...spans, { startedAt: now, refreshedAt: now }].slice(-maxSpans);
}

/** Also what a message of the person does. */
export function stopTyping(spans: readonly TypingSpan[], now: number): readonly TypingSpan[] {
  const last = spans.at(-1);
  if (!last || !isTyping(spans, now)) return spans;
  return [...spans.slice(0, -1), { ...last, stoppedAt: now }];
}

export function isTyping(spans: readonly TypingSpan[], now: number): boolean {
  const last = spans.at(-1);
  return last !== undefined && last.stoppedAt === undefined && now < last.refreshedAt + typingDecayMs;
}
