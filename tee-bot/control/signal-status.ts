import { z } from "zod";
import type { BotState } from "../bot/bot.ts";

/** The Signal bot's part of a node's status: numbers, and what somebody has to look at. */
export const signalStatusSchema = z.object({
  /** Messages that wait, that are worked on, and that were answered since the start. */
  waiting: z.int(),
  inHand: z.int(),
  answered: z.int(),
  /** When the oldest message that waits came in. */
  oldestAt: z.int().optional(),
  /** Replies that wait, that went out since the start, and of which nobody knows whether they did. */
  replies: z.int(),
  sent: z.int(),
  undecidable: z.int(),
  /** Messages and replies that were given up; `postern signal status` lists them. */
  dead: z.int(),
  /** Why nothing is sent now, and until when. */
  pause: z.object({ why: z.string(), until: z.int() }).optional(),
  /** The store of conversations cannot be reached. */
  isStoreAway: z.boolean(),
  troubles: z.array(z.object({ kind: z.string(), since: z.int(), text: z.string() })),
});

export type SignalStatus = z.infer<typeof signalStatusSchema>;

export function signalStatusOf({ mail, sending, inHand, answered, isStoreAway }: BotState): SignalStatus {
  const { waiting, oldestAt, replies, undecidable, dead } = mail;
  return {
    waiting,
    inHand,
    answered,
    oldestAt,
    replies,
    sent: sending.counts.sent,
    undecidable,
    dead,
    pause: sending.pause,
    isStoreAway,
    troubles: sending.troubles.map(({ kind, since, text }) => ({ kind, since, text })),
  };
}
