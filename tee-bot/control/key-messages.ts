/** What the control API tells of keys, for the CLI and later the dashboard. */
import { z } from "zod";
import { apiKeySchema, keyStates } from "../gateway/access/api-key.ts";

/** A key as it is listed. */
export const listedKeySchema = apiKeySchema.extend({ state: z.enum(keyStates), tokensThisMonth: z.int() });
export type ListedKey = z.infer<typeof listedKeySchema>;

/** `POST /v1/keys`, answered with 201: the only time that `text` is seen. */
export const madeKeySchema = z.object({ key: listedKeySchema, text: z.string() });
export type MadeKey = z.infer<typeof madeKeySchema>;

/** `GET /v1/keys`. */
export const keyListSchema = z.object({ keys: z.array(listedKeySchema) });
