/** What the control API tells of the Signal bot, for `postern signal`. */
import { z } from "zod";
import { botStateSchema } from "../bot/bot-state.ts";

/** `GET /v1/signal`. */
export const signalReportSchema = z.object({
  state: botStateSchema,
  /** What lifts a rate limit of Signal's, with a captcha; undefined: none is asked for. */
  challenge: z.string().optional(),
});
export type SignalReport = z.infer<typeof signalReportSchema>;

/** `POST /v1/signal/pairing`, answered with 201: the only time that the code is seen. */
export const pairingCodeSchema = z.object({ code: z.string(), expiresAt: z.int() });

/** `GET /v1/signal/letters`: what was put aside, and what nobody knows of whether it went out; newest first. */
export const letterListSchema = z.object({
  letters: z.array(
    z.object({
      id: z.int(),
      what: z.enum(["mail", "reply"]),
      why: z.enum(["attempts", "age", "refused", "undecidable"]),
      at: z.int(),
      reason: z.string(),
    }),
  ),
});
