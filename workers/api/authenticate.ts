/**
 * Who sent a request: a node, for itself, or a relay on the allow-list. Runs before anything else looks at the body.
 * Nonces are remembered where they cost least: a node's in its own object, relays' in the hub.
 */
import type { MiddlewareHandler } from "hono";
import type { Edge } from "./context.ts";
import { readBody } from "./read-body.ts";
import { withDeadline } from "../deadline.ts";
import { nodeObject } from "../registry/node-stub.ts";
import { hub } from "../routing/shards.ts";
import { AppError, unwrap } from "../../shared/errors.ts";
import { parseNodeId } from "../../shared/registry/node-id.ts";
import { verifyRequest, type SignerRole } from "../../shared/signature/signed-request.ts";

/** `parameter`: the path parameter that must name the signer. */
export function authenticated(role: SignerRole, parameter?: "node" | "relay"): MiddlewareHandler<Edge> {
  return async (c, next) => {
    const body = await readBody(c.req.raw);
    const { id, nonce, expiresAt } = await verifyRequest(c.req.raw, body, { role, now: c.var.clock.now() });
    if (body.length > 0 && c.req.method !== "GET") c.req.raw = new Request(c.req.raw, { method: c.req.method, body });

    if (parameter && parseNodeId(c.req.param(parameter) ?? "") !== id)
      throw new AppError("forbidden", `The signature is not of the ${parameter} in the path.`);
    if (role === "postern-relay" && !c.var.config.relayKeys.has(id))
      throw new AppError("relay-unknown", "The operator has to add this key to RELAY_KEYS.");

    const remembered =
      role === "postern-node"
        ? nodeObject(c.env, id).rememberNonce({ node: id, nonce, expiresAt })
        : hub(c.env).rememberNonce({ relay: id, nonce, expiresAt });
    unwrap(await withDeadline(remembered, "The memory of nonces"));
    c.set("signer", id);
    await next();
  };
}
