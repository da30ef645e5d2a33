/** The part of the control API that tells of the Signal bot, and makes pairing codes. */
import { Hono } from "hono";
import type { z } from "zod";
import { AppError } from "../../shared/errors.ts";
import type { Sensitive } from "../../shared/sensitive.ts";
import type { PairingCode } from "../bot/access/pairing-codes.ts";
import type { BotState } from "../bot/bot-state.ts";
import type { SignalSettings } from "../bot/settings.ts";
import type { DeadLetter } from "../bot/mail/mailbox.ts";
import type { letterListSchema, SignalReport } from "./signal-messages.ts";

/** What an operator may see and do of the bot. */
export interface SignalControl {
  state(): BotState;
  /** As the node was started with: also from its environment, which other programs do not see. */
  readonly settings: SignalSettings;
  /** See `Sending.challenge`. */
  challenge(): Sensitive<string> | undefined;
  /** Throws {@link AppError} when too many codes wait to be used. */
  pair(): PairingCode;
  /** Newest first. */
  deadLetters(atMost: number): DeadLetter[];
  /** What keeps replies from going out is mended: they are tried again at once. */
  retry(): void;
}

const maxLetters = 200;

/** `bot`: undefined while the node has none. */
export function signalRoutes(bot: () => SignalControl | undefined): Hono {
  const app = new Hono();
  const there = (): SignalControl => {
    const found = bot();
    if (found) return found;
    throw new AppError("not-found", "This node has no Signal bot: signal.api of its settings names no REST server.");
  };

  const report = (): SignalReport => {
    const challenge = there().challenge()?.reveal();
    return { state: there().state(), ...(challenge !== undefined && { challenge }) };
  };

  app.get("/v1/signal", (context) => context.json(report(), 200, { "cache-control": "no-store" }));

  app.get("/v1/signal/settings", (context) => context.json(there().settings, 200, { "cache-control": "no-store" }));

  app.post("/v1/signal/pairing", (context) => context.json(there().pair(), 201, { "cache-control": "no-store" }));

  app.get("/v1/signal/letters", (context) => {
    const list: z.infer<typeof letterListSchema> = { letters: there().deadLetters(maxLetters) };
    return context.json(list);
  });

  app.post("/v1/signal/retry", (context) => {
    there().retry();
    return context.json(report(), 200, { "cache-control": "no-store" });
  });

  return app;
}
