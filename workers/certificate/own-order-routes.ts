/** For nodes that order with an ACME account of their own. */
import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { authenticated } from "../api/authenticate.ts";
import type { Edge } from "../api/context.ts";
import { answerOf, bodyOf, emptyAnswer, named, nodeParams } from "../api/schemas.ts";
import { withDeadline } from "../deadline.ts";
import { nodeObject } from "../registry/node-stub.ts";
import { unwrap, type Result } from "../../shared/errors.ts";
import {
  accountsSchema,
  admissionOutcomeSchema,
  admissionRequestSchema,
  admissionSchema,
  challengesSchema,
  presentedSchema,
} from "../../shared/registry/messages.ts";

/** The zone's object waits a moment for its provider before it answers. */
const ownOrderDeadlineMs = 9_000;
const orderParams = nodeParams.extend({
  order: z
    .string()
    .regex(/^[\w.-]{1,80}$/, "1 to 80 letters, digits, dots, hyphens and underscores")
    .openapi({ description: "The node's own name for its order" }),
});
const middleware = authenticated("postern-node", "node");

const present = createRoute({
  method: "put",
  path: "/v1/nodes/{node}/challenges/{order}",
  summary: "Write the TXT records of an order, for names of the node (signed by the node)",
  middleware,
  request: { params: orderParams, ...bodyOf(named("Challenges", challengesSchema)) },
  responses: answerOf("How far they are", named("Presented", presentedSchema)),
});

const withdraw = createRoute({
  method: "delete",
  path: "/v1/nodes/{node}/challenges/{order}",
  summary: "Take the TXT records of an order away again (signed by the node)",
  middleware,
  request: { params: orderParams },
  responses: emptyAnswer("They will go"),
});

const bind = createRoute({
  method: "put",
  path: "/v1/nodes/{node}/accounts",
  summary: "Let these ACME accounts issue for the node's names, and no others; none: the edge's (signed by the node)",
  middleware,
  request: { params: nodeParams, ...bodyOf(named("Accounts", accountsSchema)) },
  responses: emptyAnswer("The CAA records will say so"),
});

const admit = createRoute({
  method: "put",
  path: "/v1/nodes/{node}/admissions/{order}",
  summary: "May an order be opened now? (signed by the node)",
  middleware,
  request: { params: orderParams, ...bodyOf(named("AdmissionRequest", admissionRequestSchema)) },
  responses: answerOf("It may, or its place in the queue", named("Admission", admissionSchema)),
});

const settle = createRoute({
  method: "delete",
  path: "/v1/nodes/{node}/admissions/{order}",
  summary: "An order has come to its end (signed by the node)",
  middleware,
  request: {
    params: orderParams,
    query: z.object({ directory: admissionRequestSchema.shape.directory, outcome: admissionOutcomeSchema }),
  },
  responses: emptyAnswer("Noted"),
});

export function ownOrderRoutes(): OpenAPIHono<Edge> {
  return new OpenAPIHono<Edge>()
    .openapi(present, async (c) => {
      const { order } = c.req.valid("param");
      const { records } = c.req.valid("json");
      return c.json(await answerIn(nodeObject(c.env, c.var.signer).presentChallenges({ order, records })), 200);
    })
    .openapi(withdraw, async (c) => {
      await answerIn(nodeObject(c.env, c.var.signer).withdrawChallenges(c.req.valid("param").order));
      return c.body(null, 204);
    })
    .openapi(bind, async (c) => {
      await answerIn(nodeObject(c.env, c.var.signer).setAccounts(c.req.valid("json").accounts));
      return c.body(null, 204);
    })
    .openapi(admit, async (c) => {
      const { order } = c.req.valid("param");
      return c.json(await answerIn(nodeObject(c.env, c.var.signer).admit({ order, ...c.req.valid("json") })), 200);
    })
    .openapi(settle, async (c) => {
      const { order } = c.req.valid("param");
      await answerIn(nodeObject(c.env, c.var.signer).settle({ order, ...c.req.valid("query") }));
      return c.body(null, 204);
    });
}

async function answerIn<T>(answer: Promise<Result<T>>): Promise<T> {
  return unwrap(await withDeadline(answer, "The node's object", ownOrderDeadlineMs));
}
