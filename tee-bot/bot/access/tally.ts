/**
 * What is counted of one person in one day (UTC): rules only, every function gives a new tally. What was said upon a
 * message is remembered with that message's timestamp, so a message that is looked at again, after a crash, has the same
 * answer and counts once.
 */
import { z } from "zod";
import type { RecordForm } from "../../store/sealed-records.ts";

/** Names form and purpose within the seal. */
export const tallySchemaName = "tally/v1";

export interface MessageLimits {
  readonly perMinute: number;
  readonly perDay: number;
}

const minuteMs = 60_000;
const dayMs = 24 * 60 * minuteMs;
/** A command asks no model: it counts so much towards the minute, and nothing towards the day. */
const commandShare = 0.25;
/** Messages that are known again. */
const maxCounted = 32;
/** Wrong pairing codes in one day. */
export const maxPairingAttempts = 5;
/** Of sums of fractions. */
const rounding = 1e-6;

const toldSchema = z.object({ by: z.number(), until: z.number() });

const tallySchema = z.object({
  day: z.int(),
  messages: z.int(),
  /** How much of the minute's share is used: it falls evenly. */
  used: z.number(),
  usedAt: z.number(),
  counted: z.array(z.number()),
  /** Wrong pairing codes, by message. */
  attempts: z.array(z.number()),
  /** Who was told of a limit, by message, and until when that will do. */
  told: z.object({ minute: toldSchema.optional(), day: toldSchema.optional() }),
  refusedBy: z.number().optional(),
  greetedBy: z.number().optional(),
  pairedBy: z.number().optional(),
});

export type Tally = Readonly<z.infer<typeof tallySchema>>;

export const noTally: Tally = { day: 0, messages: 0, used: 0, usedAt: 0, counted: [], attempts: [], told: {} };

export const tallyForm: RecordForm<Tally> = {
  empty: noTally,
  refresh: (tally, now) => (tally.day === dayOf(now) ? tally : noTally),
  expiresAt: (tally) => (tally === noTally ? undefined : (tally.day + 1) * dayMs),
  encode: (tally) => Buffer.from(JSON.stringify(tally)),
  parse: (bytes) => tallySchema.parse(JSON.parse(Buffer.from(bytes).toString())),
};

export type Verdict =
  | { readonly kind: "within" }
  | {
      readonly kind: "over";
      readonly limit: "minute" | "day";
      /** When the person may go on. */
      readonly until: number;
      /** They are told once, by this message. */
      readonly isToBeTold: boolean;
    };

export interface CountedMessage {
  readonly timestamp: number;
  readonly isCommand: boolean;
}

/** What a limit refuses is not counted. */
export function countMessage(
  before: Tally,
  { timestamp, isCommand }: CountedMessage,
  limits: MessageLimits,
  now: number,
): { tally: Tally; verdict: Verdict } {
  const tally = { ...before, usedAt: Math.min(before.usedAt, now) }; // the clock may have been set back
  if (tally.counted.includes(timestamp)) return { tally, verdict: { kind: "within" } };
  const cost = isCommand ? commandShare : 1;
  const used = Math.max(0, tally.used - ((now - tally.usedAt) * limits.perMinute) / minuteMs);
  if (!isCommand && tally.messages >= limits.perDay)
    return overLimit(tally, timestamp, "day", (dayOf(now) + 1) * dayMs, now);
  if (used + cost > limits.perMinute + rounding) return overLimit(tally, timestamp, "minute", now + minuteMs, now);
  const counted = [...tally.counted, timestamp].slice(-maxCounted);
  const messages = tally.messages + (isCommand ? 0 : 1);
  return {
    tally: { ...tally, day: dayOf(now), messages, used: used + cost, usedAt: now, counted },
    verdict: { kind: "within" },
  };
}

/** Whether a message of somebody who may not talk is the one that is told so: once a day. */
export function countRefusal(tally: Tally, timestamp: number, now: number): { tally: Tally; isToBeTold: boolean } {
  if (tally.refusedBy !== undefined) return { tally, isToBeTold: tally.refusedBy === timestamp };
  return { tally: { ...tally, day: dayOf(now), refusedBy: timestamp }, isToBeTold: true };
}

/** A message upon which the person is greeted, or is paired. */
export function noteMessage(tally: Tally, note: "greetedBy" | "pairedBy", timestamp: number, now: number): Tally {
  return { ...tally, day: dayOf(now), [note]: timestamp };
}

/** A pairing code is tried: `left` attempts are there after this one, undefined where it is one too many. */
export function countAttempt(tally: Tally, timestamp: number, now: number): { tally: Tally; left: number | undefined } {
  const index = tally.attempts.indexOf(timestamp);
  if (index !== -1) return { tally, left: maxPairingAttempts - index - 1 };
  if (tally.attempts.length >= maxPairingAttempts) return { tally, left: undefined };
  const attempts = [...tally.attempts, timestamp];
  return { tally: { ...tally, day: dayOf(now), attempts }, left: maxPairingAttempts - attempts.length };
}

function overLimit(
  tally: Tally,
  timestamp: number,
  limit: "minute" | "day",
  until: number,
  now: number,
): { tally: Tally; verdict: Verdict } {
  const told = tally.told[limit];
  if (told && now < told.until && told.until <= until)
    return { tally, verdict: { kind: "over", limit, until: told.until, isToBeTold: told.by === timestamp } };
  return {
    tally: { ...tally, day: dayOf(now), told: { ...tally.told, [limit]: { by: timestamp, until } } },
    verdict: { kind: "over", limit, until, isToBeTold: true },
  };
}

function dayOf(now: number): number {
  return Math.floor(now / dayMs);
}
