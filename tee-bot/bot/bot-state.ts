/** How the bot is: numbers and words only, for its operator; nothing of what people write, or who they are. */
import { z } from "zod";

const count = z.int().nonnegative();

export const botStateSchema = z.object({
  /** The bot's own number, once it is known. */
  account: z.string().optional(),
  /** Since the process started. */
  answered: count,
  /** Mail that is being answered now. */
  inHand: count,
  /** The store of conversations cannot be reached; mail waits. */
  isStoreAway: z.boolean(),
  mailbox: z.object({
    waiting: count,
    inHand: count,
    replies: count,
    undecidable: count,
    dead: count,
    oldestAt: z.int().optional(),
  }),
  sending: z.object({
    /** By what became of them, since the process started. */
    counts: z.record(z.string(), count),
    /** Undefined: messages go out. */
    pause: z.object({ why: z.string(), until: z.int() }).optional(),
    troubles: z.array(z.object({ kind: z.string(), since: z.int(), lastAt: z.int(), count, text: z.string() })),
  }),
  /** 👍 and 👎 to what the bot said, since the process started. */
  reactions: z.object({ up: count, down: count }),
});

export type BotState = Readonly<z.infer<typeof botStateSchema>>;
