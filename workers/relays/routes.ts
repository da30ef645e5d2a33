import { createRoute, OpenAPIHono } from "@hono/zod-openapi";
import { takeObservations } from "./observations.ts";
import { placeOf, readRelays, takeHeartbeat } from "./relay-directory.ts";
import { authenticated } from "../api/authenticate.ts";
import type { Edge } from "../api/context.ts";
import { answerOf, bodyOf, emptyAnswer, named, nodeParams, relayParams } from "../api/schemas.ts";
import { withDeadline } from "../deadline.ts";
import { nodeObject } from "../registry/node-stub.ts";
import {
  observationsSchema,
  relayListSchema,
  relayStatusAnswerSchema,
  relayStatusSchema,
} from "../../shared/registry/messages.ts";

const report = createRoute({
  method: "put",
  path: "/v1/relays/{relay}/status",
  summary: "A relay's heartbeat (signed by the relay)",
  middleware: [authenticated("postern-relay", "relay")] as const,
  request: { params: relayParams, ...bodyOf(named("RelayStatus", relayStatusSchema)) },
  responses: answerOf(
    "When the next one is due, and the other relays",
    named("RelayStatusAnswer", relayStatusAnswerSchema),
  ),
});

const observe = createRoute({
  method: "put",
  path: "/v1/relays/{relay}/observations",
  summary: "What a relay has found of nodes' names, as a visitor who comes through a relay (signed by the relay)",
  middleware: [authenticated("postern-relay", "relay")] as const,
  request: { params: relayParams, ...bodyOf(named("Observations", observationsSchema)) },
  responses: emptyAnswer("Their nodes are told with their next lease"),
});

const list = createRoute({
  method: "get",
  path: "/v1/nodes/{node}/relays",
  summary: "The relays a node should hold tunnels to (signed by the node)",
  middleware: [authenticated("postern-node", "node")] as const,
  request: { params: nodeParams },
  responses: answerOf("Nearest first; healthy ones only", named("RelayList", relayListSchema)),
});

export function relayRoutes(): OpenAPIHono<Edge> {
  return new OpenAPIHono<Edge>()
    .openapi(report, async (c) => {
      const { config, log, clock, signer } = c.var;
      const heartbeat = { relay: signer, report: c.req.valid("json") };
      const relays = await takeHeartbeat({ env: c.env, config, log }, heartbeat, clock.now());
      return c.json({ nextInMs: config.relayHeartbeatMs, relays }, 200);
    })
    .openapi(observe, async (c) => {
      const { config, log, clock, signer } = c.var;
      const { observations } = c.req.valid("json");
      await takeObservations({ env: c.env, config, log }, signer, observations, clock.now());
      return c.body(null, 204);
    })
    .openapi(list, async (c) => {
      const node = c.var.signer;
      const {
        place,
        relays: held,
        avoided,
      } = await withDeadline(nodeObject(c.env, node).situation(), "The node's object");
      const { config, log, clock } = c.var;
      const chooser = { node, place: place ?? placeOf(c.req.raw), held, avoided, draining: [] };
      const { relays } = await readRelays({ env: c.env, config, log }, chooser, clock.now());
      return c.json({ relays }, 200);
    });
}
