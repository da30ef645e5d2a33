/** The bodies of the inbox's part of the edge's API. */
import { z } from "zod";
import { epochSchema } from "../registry/messages.ts";
import { parseWebhookSecret } from "./webhook-signature.ts";

/** The largest webhook, whatever a hook declares. */
export const maxWebhookBytes = 256 * 1024;
export const maxHooks = 16;
/** Handed out at once, and settled at once. */
export const maxBatch = 32;
/** How long a node's question may wait for its answer at the edge. */
export const maxPollMs = 25_000;

/** As it stands in the URL that a sender is given. */
export const hookNameSchema = z.string().regex(/^[a-z0-9][a-z0-9-]{0,63}$/, "1 to 64 of a-z, 0-9 and -");

const secretSchema = z
  .string()
  .refine((text) => parseWebhookSecret(text) !== undefined, "no secret of the form whsec_<base64 of 24 to 64 bytes>");

/** `PUT /v1/nodes/{node}/inbox`: what the node wants to be kept for it. Replaces what it said before. */
export const inboxSchema = z.object({
  epoch: epochSchema,
  /** The X25519 key that webhooks are sealed to. */
  key: z.string().regex(/^[0-9a-f]{64}$/),
  /** What the edge signs with towards the node. */
  secret: secretSchema,
  hooks: z
    .array(
      z.object({
        name: hookNameSchema,
        /** The sender's: given, whatever it has not signed is refused. */
        secret: secretSchema.optional(),
        maxBytes: z.int().min(1).max(maxWebhookBytes).default(maxWebhookBytes),
      }),
    )
    .max(maxHooks),
});
export type InboxDeclaration = z.infer<typeof inboxSchema>;

/** `GET /v1/nodes/{node}/inbox`: the oldest of each hook, in their order. */
export const deliveriesSchema = z.object({
  deliveries: z.array(
    z.object({
      hook: hookNameSchema,
      /** By which it is settled; grows in the order in which webhooks came. */
      sequence: z.int(),
      /** How often it was handed out as the first of its hook, this time included. */
      attempt: z.int(),
      /** Base64; see sealed-webhook.ts. */
      sealed: z.string(),
    }),
  ),
  /** How many were given up and are still kept. */
  dead: z.int(),
});
export type Deliveries = z.infer<typeof deliveriesSchema>;
export type SealedDelivery = Deliveries["deliveries"][number];

/** `done`: forget it. `failed`: hand it out again later. `refused`: it will never be taken, give it up. */
export const outcomes = ["done", "failed", "refused"] as const;

/** `POST /v1/nodes/{node}/inbox/outcomes`: what became of deliveries. */
export const outcomesSchema = z.object({
  epoch: epochSchema,
  outcomes: z
    .array(z.object({ sequence: z.int(), outcome: z.enum(outcomes) }))
    .min(1)
    .max(maxBatch),
});
export type Outcome = z.infer<typeof outcomesSchema>["outcomes"][number];

/** `POST /v1/inbox/{node}/{hook}`: it is kept. */
export const takenSchema = z.object({ id: z.string() });
