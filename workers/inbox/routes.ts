import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import { inboxObject } from "./inbox-stub.ts";
import { keptHeaders } from "./kept-headers.ts";
import { decideIsSignalPlaintext } from "./signal-plaintext.ts";
import { authenticated } from "../api/authenticate.ts";
import type { Edge } from "../api/context.ts";
import { bodyDeadlineMs, readBody } from "../api/read-body.ts";
import { answerOf, bodyOf, emptyAnswer, named, nodeParams, refusals } from "../api/schemas.ts";
import { objectDeadlineMs, withDeadline } from "../deadline.ts";
import { AppError, unwrap } from "../../shared/errors.ts";
import {
  deliveriesSchema,
  hookNameSchema,
  inboxSchema,
  maxPollMs,
  maxWebhookBytes,
  outcomesSchema,
  takenSchema,
} from "../../shared/inbox/messages.ts";
import { toBase64 } from "../../shared/inbox/webhook-signature.ts";
import { epochSchema } from "../../shared/registry/messages.ts";
import { parseNodeId } from "../../shared/registry/node-id.ts";

const byNode = authenticated("postern-node", "node");
const epoch = z.coerce.number().pipe(epochSchema);

const take = createRoute({
  method: "post",
  path: "/v1/inbox/{node}/{hook}",
  summary: "A webhook for a node, which may be away: kept sealed to its key until it has taken it",
  request: { params: nodeParams.extend({ hook: hookNameSchema.clone() }) },
  responses: {
    202: { description: "Kept", content: { "application/json": { schema: named("Taken", takenSchema) } } },
    ...refusals,
  },
});

const declare = createRoute({
  method: "put",
  path: "/v1/nodes/{node}/inbox",
  summary: "Which webhooks are kept for a node, and its key to seal them to (signed by the node)",
  middleware: [byNode] as const,
  request: { params: nodeParams, ...bodyOf(named("Inbox", inboxSchema)) },
  responses: emptyAnswer("So it is"),
});

const pull = createRoute({
  method: "get",
  path: "/v1/nodes/{node}/inbox",
  summary: "The oldest webhooks of each hook that are due; waits for some (signed by the node)",
  middleware: [byNode] as const,
  request: {
    params: nodeParams,
    query: z.object({
      epoch,
      wait: z.coerce.number().pipe(z.int().min(0).max(maxPollMs)),
      /** Hooks of which the node still has some in hand, separated by commas. */
      except: z.string().max(2_000).default(""),
    }),
  },
  responses: answerOf("In their order, each until it is settled", named("Deliveries", deliveriesSchema)),
});

const settle = createRoute({
  method: "post",
  path: "/v1/nodes/{node}/inbox/outcomes",
  summary: "What became of webhooks that were handed out (signed by the node)",
  middleware: [byNode] as const,
  request: { params: nodeParams, ...bodyOf(named("Outcomes", outcomesSchema)) },
  responses: emptyAnswer("Noted"),
});

const revive = createRoute({
  method: "post",
  path: "/v1/nodes/{node}/inbox/revival",
  summary: "Webhooks that were given up are handed out again (signed by the node)",
  middleware: [byNode] as const,
  request: { params: nodeParams, query: z.object({ epoch }) },
  responses: emptyAnswer("They wait again"),
});

export function inboxRoutes(): OpenAPIHono<Edge> {
  return new OpenAPIHono<Edge>()
    .openapi(take, async (c) => {
      const { hook } = c.req.valid("param");
      const node = parseNodeId(c.req.valid("param").node);
      const { headers } = c.req.raw;
      if (headers.has("content-encoding"))
        throw new AppError("unsupported-media-type", "Send the body without a content-encoding.");
      const body = await readBody(c.req.raw, bodyDeadlineMs, maxWebhookBytes);
      if (decideIsSignalPlaintext(headers.get("content-type") ?? undefined, body))
        throw new AppError(
          "plaintext-refused",
          "Signal messages must not be readable here; send them to the node itself.",
        );
      const webhook = { hook, sender: senderOf(headers), headers: keptHeaders(headers), body };
      return c.json(unwrap(await withDeadline(inboxObject(c.env, node).take(webhook), "The inbox")), 202);
    })
    .openapi(declare, async (c) => {
      const answer = inboxObject(c.env, c.var.signer).declare(c.var.signer, c.req.valid("json"));
      unwrap(await withDeadline(answer, "The inbox"));
      return c.body(null, 204);
    })
    .openapi(pull, async (c) => {
      const { wait: waitMs, except, ...query } = c.req.valid("query");
      const answer = inboxObject(c.env, c.var.signer).pull({ ...query, waitMs, except: except.split(",") });
      const { deliveries, dead } = unwrap(await withDeadline(answer, "The inbox", waitMs + objectDeadlineMs));
      const told = deliveries.map(({ hook, sequence, attempts, sealed }) => {
        return { hook, sequence, attempt: attempts + 1, sealed: toBase64(new Uint8Array(sealed)) };
      });
      return c.json({ deliveries: told, dead }, 200);
    })
    .openapi(settle, async (c) => {
      const answer = inboxObject(c.env, c.var.signer).settle(c.req.valid("json"));
      unwrap(await withDeadline(answer, "The inbox"));
      return c.body(null, 204);
    })
    .openapi(revive, async (c) => {
      const answer = inboxObject(c.env, c.var.signer).revive(c.req.valid("query").epoch);
      unwrap(await withDeadline(answer, "The inbox"));
      return c.body(null, 204);
    });
}

/** Set by Cloudflare; elsewhere whoever sends may claim to be anybody, and what bounds it is the hook's own rate. */
function senderOf(headers: Headers): string {
  const address = headers.get("cf-connecting-ip") ?? "";
  return address.split(":", 4).join(":"); // of IPv6 the /64, which is one customer
}
