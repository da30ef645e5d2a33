/**
 * Bodies of requests, as the swagger of signal-cli-rest-api has them. The real server passes over fields that it does not know;
 * here they fail, since whoever sends one has made a mistake. What the server itself calls missing is optional in the schema.
 */
import { z } from "zod";

const timestamp = z.int();
const mention = z.strictObject({ start: z.int(), length: z.int(), author: z.string() });

export const sendSchema = z.strictObject({
  number: z.string().default(""),
  recipients: z.array(z.string()).default([]),
  message: z.string().default(""),
  base64_attachments: z.array(z.string()).default([]),
  text_mode: z.enum(["normal", "styled"]).default("normal"),
  mentions: z.array(mention).default([]),
  quote_timestamp: timestamp.optional(),
  quote_author: z.string().optional(),
  quote_message: z.string().optional(),
  quote_mentions: z.array(mention).default([]),
  edit_timestamp: timestamp.optional(),
  notify_self: z.boolean().optional(),
  view_once: z.boolean().default(false),
  sticker: z.string().default(""),
  link_preview: z
    .strictObject({
      url: z.string().default(""),
      title: z.string().default(""),
      description: z.string().default(""),
      base64_thumbnail: z.string().default(""),
    })
    .optional(),
});
export type SendRequest = z.infer<typeof sendSchema>;

const recipient = z.string().default("");
export const typingSchema = z.strictObject({ recipient });
export const receiptSchema = z.strictObject({ recipient, receipt_type: z.string().default(""), timestamp });
export const reactionSchema = z.strictObject({
  recipient,
  reaction: z.string().default(""),
  target_author: z.string().default(""),
  timestamp,
});
export const removeReactionSchema = z.strictObject({
  recipient,
  reaction: z.string().optional(),
  target_author: z.string().default(""),
  timestamp,
});
export const remoteDeleteSchema = z.strictObject({ recipient, timestamp });
export const contactSchema = z.strictObject({
  recipient,
  name: z.string().optional(),
  expiration_in_seconds: z.int().optional(),
});
export const trustSchema = z.strictObject({
  verified_safety_number: z.string().optional(),
  trust_all_known_keys: z.boolean().optional(),
});
export const trustModeSchema = z.strictObject({ trust_mode: z.string().default("") });
export const challengeSchema = z.strictObject({
  challenge_token: z.string().default(""),
  captcha: z.string().default(""),
});
export const settingsSchema = z.strictObject({
  discoverable_by_number: z.boolean().optional(),
  share_number: z.boolean().optional(),
});
export const usernameSchema = z.strictObject({ username: z.string().default("") });
export const profileSchema = z.strictObject({
  name: z.string().default(""),
  about: z.string().optional(),
  base64_avatar: z.string().optional(),
});
export const registerSchema = z.strictObject({
  captcha: z.string().default(""),
  use_voice: z.boolean().default(false),
});
export const verifySchema = z.strictObject({ pin: z.string().optional() });
