import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { fetchFeed, hub, shardOf } from "./shards.ts";
import { authenticated } from "../api/authenticate.ts";
import type { Edge } from "../api/context.ts";
import { answerOf, named, refusals, relayParams } from "../api/schemas.ts";
import { withDeadline } from "../deadline.ts";
import { AppError } from "../../shared/errors.ts";
import { hostnameSchema, routeSchema } from "../../shared/registry/messages.ts";

const maxCursorLength = 100;

const lookup = createRoute({
  method: "get",
  path: "/v1/routes/{hostname}",
  summary: "Where a name leads (signed by a relay)",
  middleware: [authenticated("postern-relay")] as const,
  request: { params: z.object({ hostname: hostnameSchema.clone() }) },
  responses: answerOf("The node behind the name", named("Route", routeSchema)),
});

const feed = createRoute({
  method: "get",
  path: "/v1/relays/{relay}/feed",
  summary: "All routes, then every change: a WebSocket (signed by the relay)",
  middleware: [authenticated("postern-relay", "relay")] as const,
  request: {
    params: relayParams,
    query: z.object({
      since: z.string().max(maxCursorLength).optional().openapi({ description: "The last cursor seen" }),
    }),
  },
  responses: {
    101: { description: "JSON text messages: a snapshot in parts, or what changed since the cursor, then deltas" },
    ...refusals,
  },
});

export function routingRoutes(): OpenAPIHono<Edge> {
  return new OpenAPIHono<Edge>()
    .openapi(lookup, async (c) => {
      const name = c.req.valid("param").hostname.toLowerCase();
      const route = await withDeadline(hub(c.env, shardOf(name)).lookup(name), "The hub");
      if (!route) throw new AppError("not-found", "No node answers to this name now.");
      return c.json(route, 200);
    })
    .openapi(feed, (c) => {
      if (c.req.header("upgrade")?.toLowerCase() !== "websocket")
        throw new AppError("bad-request", "The feed is a WebSocket: send the upgrade headers.");
      const upgraded = fetchFeed(c.env, c.var.signer, c.req.valid("query").since);
      return withDeadline(upgraded, "The hub");
    });
}
