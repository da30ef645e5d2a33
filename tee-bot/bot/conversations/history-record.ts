/** The form in which a history is sealed. */
import { z } from "zod";
import type { History } from "./history.ts";

/** Names form and purpose within the seal; another form is another schema, to which these values are nothing. */
export const historySchemaName = "conversation/v1";

const recordSchema = z.object({
  messages: z.array(
    z.object({
      role: z.enum(["user", "assistant"]),
      person: z.string(),
      member: z.int().positive(),
      content: z.string(),
      timestamps: z.array(z.number()).min(1),
      expiresAt: z.number(),
    }),
  ),
});

export function encodeHistory(history: History): Uint8Array {
  return Buffer.from(JSON.stringify({ messages: history.messages } satisfies History));
}

/** Throws for what {@link encodeHistory} has not made; inside an intact seal there is no such thing. */
export function parseHistory(bytes: Uint8Array): History {
  return recordSchema.parse(JSON.parse(Buffer.from(bytes).toString()));
}
