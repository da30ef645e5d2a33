import { z } from "zod";

const limit = z.int().positive().max(1_000_000_000_000);

/** What whoever makes a key may choose. */
export const keyWishSchema = z.strictObject({
  name: z
    .string()
    .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._@-]{0,63}$/u, "letters, digits, spaces, dots, dashes, @ and _; at most 64")
    .refine((name) => !name.startsWith("key_"), "a name must not look like an id"),
  /** Unix milliseconds; undefined: it does not expire. */
  expiresAt: z.int().positive().optional(),
  /** Names of models, with `*` for any text; undefined: all. */
  models: z.array(z.string().min(1).max(200)).min(1).max(100).optional(),
  requestsPerMinute: limit.optional(),
  tokensPerMinute: limit.optional(),
  /** Prompt and completion together, in a calendar month (UTC). */
  tokensPerMonth: limit.optional(),
});
export type KeyWish = z.infer<typeof keyWishSchema>;

/** An API key as everybody may see it who manages the node; its text is nowhere. */
export const apiKeySchema = keyWishSchema.extend({
  id: z.string(),
  /** Unix milliseconds, as all of these. */
  createdAt: z.int(),
  revokedAt: z.int().optional(),
  /** Up to a minute old. */
  lastUsedAt: z.int().optional(),
});
export type ApiKey = z.infer<typeof apiKeySchema>;

export const keyStates = ["active", "expired", "revoked"] as const;
export type KeyState = (typeof keyStates)[number];

export function decideKeyState({ expiresAt, revokedAt }: ApiKey, now: number): KeyState {
  if (revokedAt !== undefined) return "revoked";
  return expiresAt !== undefined && expiresAt <= now ? "expired" : "active";
}
