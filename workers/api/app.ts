/** The edge's HTTP API: its routes, and what every request goes through. */
import { OpenAPIHono, z } from "@hono/zod-openapi";
import { openapiRoutes } from "./document.ts";
import { healthRoutes } from "./health.ts";
import type { Edge } from "./context.ts";
import { answerError, answerUnknownRoute, loggedPath } from "./problems.ts";
import { ownOrderRoutes } from "../certificate/own-order-routes.ts";
import { certificateRoutes } from "../certificate/routes.ts";
import { readConfig } from "../config.ts";
import { edgeLog } from "../edge-log.ts";
import { inboxRoutes } from "../inbox/routes.ts";
import { registryRoutes } from "../registry/routes.ts";
import { relayRoutes } from "../relays/routes.ts";
import { routingRoutes } from "../routing/routes.ts";
import type { Clock } from "../../shared/clock.ts";
import { AppError } from "../../shared/errors.ts";

export function createApp({ clock }: { clock: Clock }): OpenAPIHono<Edge> {
  const app = new OpenAPIHono<Edge>({
    defaultHook: (result) => {
      if (!result.success) throw new AppError("bad-request", z.prettifyError(result.error));
    },
  });

  app.use(async (c, next) => {
    const requestId = requestIdOf(c.req.header("x-request-id"));
    const startedAt = clock.now();
    const read = readConfig(c.env);
    c.set("requestId", requestId);
    c.set("clock", clock);
    c.set("log", edgeLog(read.ok ? read.config.logLevel : "info", clock));
    await next();
    const { status } = c.res;
    if (status !== 101) c.res.headers.set("x-request-id", requestId); // the headers of an upgrade are fixed
    c.var.log.debug("request.answered", {
      requestId,
      method: c.req.method,
      path: loggedPath(c.req.path),
      status,
      durationMs: clock.now() - startedAt,
    });
  });
  app.route("/", healthRoutes());

  app.use("/v1/*", async (c, next) => {
    const read = readConfig(c.env);
    if (!read.ok) throw new AppError("internal", "The edge is not configured; GET /healthz says what is missing.");
    c.set("config", read.config);
    c.set("secrets", read.secrets);
    await next();
  });
  for (const routes of [registryRoutes, certificateRoutes, ownOrderRoutes, relayRoutes, routingRoutes, inboxRoutes])
    app.route("/", routes());
  app.route("/", openapiRoutes(app));

  app.onError(answerError);
  app.notFound((c) => answerUnknownRoute(c, app));
  return app;
}

/** The caller's own id when it is harmless in a log line, else a new one. */
function requestIdOf(given: string | undefined): string {
  return given !== undefined && /^[\w-]{1,64}$/.test(given) ? given : crypto.randomUUID();
}
