import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { createIssuer } from "./create-issuer.ts";
import { authenticated } from "../api/authenticate.ts";
import type { Edge } from "../api/context.ts";
import { answerOf, bodyOf, named, nodeParams } from "../api/schemas.ts";
import { withDeadline } from "../deadline.ts";
import { nodeObject } from "../registry/node-stub.ts";
import { unwrap } from "../../shared/errors.ts";
import { issuerSchema, orderRequestSchema, orderSchema } from "../../shared/registry/messages.ts";

/** A request waits a moment for its order, and for deliveries that are due. */
const orderDeadlineMs = 8_000;
const order = named("Order", orderSchema);

const create = createRoute({
  method: "post",
  path: "/v1/nodes/{node}/orders",
  summary: "A certificate for a CSR (signed by the node)",
  middleware: [authenticated("postern-node", "node")] as const,
  request: { params: nodeParams, ...bodyOf(named("OrderRequest", orderRequestSchema)) },
  responses: answerOf("The order; the same request again is answered with the same order", order),
});

const read = createRoute({
  method: "get",
  path: "/v1/nodes/{node}/orders/{order}",
  summary: "What became of an order (signed by the node)",
  middleware: [authenticated("postern-node", "node")] as const,
  request: { params: nodeParams.extend({ order: z.string().max(64) }) },
  responses: answerOf("The order", order),
});

const issuer = createRoute({
  method: "get",
  path: "/v1/issuer",
  summary: "Who signs certificates, and which roots clients need",
  responses: answerOf("The issuer", named("Issuer", issuerSchema)),
});

/** Describing an issuer decides nothing by chance. */
const random = (): number => 0;

export function certificateRoutes(): OpenAPIHono<Edge> {
  return new OpenAPIHono<Edge>()
    .openapi(create, async (c) => {
      const created = nodeObject(c.env, c.var.signer).createOrder(c.req.valid("json"));
      return c.json(unwrap(await withDeadline(created, "The node's object", orderDeadlineMs)), 200);
    })
    .openapi(read, async (c) => {
      const found = nodeObject(c.env, c.var.signer).readOrder(c.req.valid("param").order);
      return c.json(unwrap(await withDeadline(found, "The node's object")), 200);
    })
    .openapi(issuer, (c) => {
      const { config, secrets, clock, log } = c.var;
      return c.json(createIssuer({ env: c.env, config, secrets, clock, log, random }).describe(), 200);
    });
}
