/** What people are told who may not talk to the bot now. */
import { pairingCodeLifeMs } from "./pairing-codes.ts";
import type { MessageLimits, Verdict } from "./tally.ts";

/** With the id that stands in the settings: people cannot see theirs in Signal. */
export function notAllowed(person: string): string {
  return `I talk only with people whom my operator has let in. If you should be one of them, give the operator your id: \`${person}\``;
}

export const codeWanted =
  "I talk only with people who have a pairing code. If my operator gave you one, send the code as a message here.";
export const pairedPerson = "Welcome, you are paired. Write me anything; `!help` lists what I can do.";
export const pairedGroup =
  "Welcome, this group is paired. Mention me or answer to one of my messages; `!help` lists what I can do.";

const codeLifeMinutes = pairingCodeLifeMs / 60_000;

export function wrongCode(attemptsLeft: number): string {
  const why = `This pairing code is not good. A code can be used once, within ${codeLifeMinutes} minutes; ask my operator for a new one.`;
  if (attemptsLeft === 0) return `${why} You can try again tomorrow.`;
  return `${why} You can try ${attemptsLeft} more ${attemptsLeft === 1 ? "time" : "times"} today.`;
}

export function overLimit(
  { limit, until }: Extract<Verdict, { kind: "over" }>,
  limits: MessageLimits,
  now: number,
): string {
  if (limit === "minute")
    return `That was a lot at once: I take ${limits.perMinute} messages a minute from one person. This one is not answered; please send it again in a minute.`;
  const hours = Math.max(1, Math.round((until - now) / 3_600_000));
  return `That was enough for today: I take ${limits.perDay} messages a day from one person. Come back after 00:00 UTC, in about ${hours} ${hours === 1 ? "hour" : "hours"}. Commands still work.`;
}
