/** The HTTP API of signal-cli-rest-api, as far as a bot calls it. Paths that are not here are unknown to this server. */
import { Hono } from "hono";
import { bodyLimit } from "hono/body-limit";
import { AppError, errorText } from "../../../../shared/errors.ts";
import type { Log } from "../../../../shared/log.ts";
import type { Mode } from "../container/container.ts";
import { accountRoutes } from "./accounts.ts";
import { attachmentRoutes } from "./attachments.ts";
import { contactRoutes } from "./contacts.ts";
import { groupRoutes } from "./groups.ts";
import { messageRoutes } from "./messages.ts";
import { receiveRoutes } from "./receive.ts";
import type { RestOptions } from "./rest-call.ts";
import { RestError } from "./rest-error.ts";
import { sendRoutes } from "./send.ts";

export interface RestApiOptions extends RestOptions {
  readonly mode: Mode;
  readonly log: Log;
}

/** Room for attachments in base64. */
const maxBodyBytes = 64 * 1024 * 1024;
const versions = { object: "0.100", array: "unset" } as const;

export function createRestApi(options: RestApiOptions): Hono {
  const { mode, answerForm, log } = options;
  const app = new Hono();
  app.use(bodyLimit({ maxSize: maxBodyBytes }));
  app.get("/v1/health", (context) => context.body(null, 204));
  app.get("/v1/about", (context) =>
    context.json({
      versions: ["v1", "v2"],
      build: 2,
      mode,
      version: versions[answerForm],
      capabilities: { "v2/send": ["quotes", "mentions"] },
    }),
  );
  for (const routes of [accountRoutes, attachmentRoutes, contactRoutes, groupRoutes, messageRoutes, sendRoutes])
    app.route("/", routes(options));
  app.route("/", receiveRoutes(options));
  app.notFound((context) => context.text("404 page not found", 404));
  app.onError((error, context) => {
    if (error instanceof RestError) return context.json({ error: error.message, ...error.fields }, error.status);
    if (error instanceof AppError) return context.json({ error: error.detail }, 400);
    log.error("call.failed", { reason: errorText(error) });
    return context.json({ error: "The simulator failed; its log says why." }, 500);
  });
  return app;
}
