/** The form in which a history is sealed. */
import { z } from "zod";
import type { RecordForm } from "../../store/sealed-records.ts";
import { emptyHistory, trimHistory, type History, type HistoryLimits } from "./history.ts";

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

/** A history is kept until its last message expires. */
export function historyForm(limits: HistoryLimits): RecordForm<History> {
  return {
    empty: emptyHistory,
    refresh: (history, now) => trimHistory(history, limits, now),
    expiresAt: ({ messages }) =>
      messages.length === 0 ? undefined : Math.max(...messages.map((one) => one.expiresAt)),
    encode: encodeHistory,
    parse: parseHistory,
  };
}

function encodeHistory(history: History): Uint8Array {
  return Buffer.from(JSON.stringify({ messages: history.messages } satisfies History));
}

/** Throws for what {@link encodeHistory} has not made; inside an intact seal there is no such thing. */
function parseHistory(bytes: Uint8Array): History {
  return recordSchema.parse(JSON.parse(Buffer.from(bytes).toString()));
}
