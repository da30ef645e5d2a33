import { createRoute, OpenAPIHono, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { renewalsPerLease } from "./lease.ts";
import type { AssignedRelays, HeldLease } from "./node-calls.ts";
import { nodeObject } from "./node-stub.ts";
import { decideHeld } from "./path-rules.ts";
import { authenticated } from "../api/authenticate.ts";
import type { Edge } from "../api/context.ts";
import { answerOf, bodyOf, emptyAnswer, named, nodeParams } from "../api/schemas.ts";
import type { Config } from "../config.ts";
import { withDeadline } from "../deadline.ts";
import { inboxObject } from "../inbox/inbox-stub.ts";
import { placeOf, readRelays } from "../relays/relay-directory.ts";
import { errorText, unwrap } from "../../shared/errors.ts";
import {
  aliasSchema,
  epochSchema,
  leaseRequestSchema,
  nodeRulesSchema,
  registrationRequestSchema,
  nodeViewSchema,
  registrationSchema,
  type Registration,
} from "../../shared/registry/messages.ts";
import { parseAlias } from "../../shared/registry/names.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

const registration = named("Registration", registrationSchema);
const aliasParams = z.object({ alias: z.string() });
/** Longer than one wait for a hub, which registering contains. */
const registryDeadlineMs = 8_000;

const register = createRoute({
  method: "post",
  path: "/v1/nodes/{node}/registration",
  summary: "A node has started: raises its epoch (signed by the node)",
  middleware: [authenticated("postern-node", "node")] as const,
  request: { params: nodeParams, ...bodyOf(named("RegistrationRequest", registrationRequestSchema)) },
  responses: answerOf("The registration that counts from now on", registration),
});

const release = createRoute({
  method: "delete",
  path: "/v1/nodes/{node}/registration",
  summary: "A node stops: its names lead nowhere at once (signed by the node)",
  middleware: [authenticated("postern-node", "node")] as const,
  request: { params: nodeParams, query: z.object({ epoch: z.coerce.number().pipe(epochSchema) }) },
  responses: emptyAnswer("Released; its aliases stay its own"),
});

const leave = createRoute({
  method: "delete",
  path: "/v1/nodes/{node}",
  summary: "A node leaves for good: its aliases are given back, its DNS records go (signed by the node)",
  middleware: [authenticated("postern-node", "node")] as const,
  request: { params: nodeParams },
  responses: emptyAnswer("Gone"),
});

const view = createRoute({
  method: "get",
  path: "/v1/nodes/{node}",
  summary: "What is known of a node: names, certificates, DNS records, troubles (signed by the node)",
  middleware: [authenticated("postern-node", "node")] as const,
  request: { params: nodeParams },
  responses: answerOf("As of now", named("Node", nodeViewSchema)),
});

const renew = createRoute({
  method: "put",
  path: "/v1/nodes/{node}/lease",
  summary: "A node is still there (signed by the node)",
  middleware: [authenticated("postern-node", "node")] as const,
  request: { params: nodeParams, ...bodyOf(named("LeaseRequest", leaseRequestSchema)) },
  responses: answerOf("The registration with a new end", registration),
});

const rules = createRoute({
  method: "put",
  path: "/v1/nodes/{node}/rules",
  summary: "Whom relays let through to a node, and how fast (signed by the node)",
  middleware: [authenticated("postern-node", "node")] as const,
  request: { params: nodeParams, ...bodyOf(named("NodeRules", nodeRulesSchema)) },
  responses: emptyAnswer("Relays are told"),
});

const claim = createRoute({
  method: "put",
  path: "/v1/aliases/{alias}",
  summary: "Claim an alias: first come, first served (signed by the node)",
  middleware: [authenticated("postern-node")] as const,
  request: { params: aliasParams },
  responses: answerOf("The alias leads to the node", named("Alias", aliasSchema)),
});

const unclaim = createRoute({
  method: "delete",
  path: "/v1/aliases/{alias}",
  summary: "Give an alias back for anyone to claim (signed by the node)",
  middleware: [authenticated("postern-node")] as const,
  request: { params: aliasParams },
  responses: emptyAnswer("Given back"),
});

export function registryRoutes(): OpenAPIHono<Edge> {
  return new OpenAPIHono<Edge>()
    .openapi(register, async (c) => {
      const { place, key } = c.req.valid("json");
      const request = { node: c.var.signer, place: place ?? placeOf(c.req.raw) ?? null, key };
      const lease = unwrap(await answerIn(nodeObject(c.env, c.var.signer).register(request)));
      return c.json(await registrationOf(c, lease), 200);
    })
    .openapi(release, async (c) => {
      unwrap(await answerIn(nodeObject(c.env, c.var.signer).release(c.req.valid("query").epoch)));
      return c.body(null, 204);
    })
    .openapi(leave, async (c) => {
      await answerIn(inboxObject(c.env, c.var.signer).forget());
      unwrap(await answerIn(nodeObject(c.env, c.var.signer).leave()));
      return c.body(null, 204);
    })
    .openapi(view, async (c) => c.json(unwrap(await answerIn(nodeObject(c.env, c.var.signer).view())), 200))
    .openapi(renew, async (c) => {
      const { draining, ...renewing } = c.req.valid("json");
      const lease = unwrap(await answerIn(nodeObject(c.env, c.var.signer).renew(renewing)));
      return c.json(await registrationOf(c, lease, draining), 200);
    })
    .openapi(rules, async (c) => {
      unwrap(await answerIn(nodeObject(c.env, c.var.signer).setRules(c.req.valid("json"))));
      return c.body(null, 204);
    })
    .openapi(claim, async (c) => {
      const alias = parseAlias(c.req.valid("param").alias);
      const hostname = `${alias}.${c.var.config.zone}`;
      unwrap(await answerIn(nodeObject(c.env, c.var.signer).claimAlias(alias)));
      return c.json({ alias, hostname, node: c.var.signer }, 200);
    })
    .openapi(unclaim, async (c) => {
      const alias = parseAlias(c.req.valid("param").alias);
      const hostname = `${alias}.${c.var.config.zone}`;
      unwrap(await answerIn(nodeObject(c.env, c.var.signer).releaseAlias({ alias, hostname })));
      return c.body(null, 204);
    });
}

function answerIn<T>(answer: Promise<T>): Promise<T> {
  return withDeadline(answer, "The node's object", registryDeadlineMs);
}

/** `draining`: relays that have told the node that they stop. */
async function registrationOf(
  c: Context<Edge>,
  lease: HeldLease,
  draining: readonly NodeId[] = [],
): Promise<Registration> {
  const { config, clock, log, signer: node } = c.var;
  const { epoch, hostnames, expiresAt, place, relays: held, avoided } = lease;
  const parts = { env: c.env, config, log };
  const chooser = { node, place: place ?? undefined, held, avoided, draining };
  const { relays, addresses } = await readRelays(parts, chooser, clock.now());
  const assigned = { relays: relays.map(({ relay }) => relay).toSorted(), addresses };
  if (isNews(assigned, lease, config)) await assign(c, assigned);
  const renewAfterMs = Math.floor(config.leaseMs / renewalsPerLease);
  const paths = decideHeld(lease.paths, relays.length > 0 ? assigned.relays : held);
  return { node, epoch, zone: config.zone, hostnames, expiresAt, renewAfterMs, relays, paths };
}

/** With no relay in sight, names go on leading to those of before. */
function isNews({ relays, addresses }: AssignedRelays, held: HeldLease, { relayAddresses }: Config): boolean {
  if (relays.length === 0) return false;
  const areMoved = relayAddresses.length === 0 && addresses.length > 0 && addresses.join() !== held.addresses.join();
  return areMoved || relays.join() !== held.relays.join();
}

/** Not worth failing a lease for: the next renewal tells them again. */
async function assign(c: Context<Edge>, assigned: AssignedRelays): Promise<void> {
  const { log, signer: node } = c.var;
  try {
    unwrap(await answerIn(nodeObject(c.env, node).setRelays(assigned)));
  } catch (error) {
    log.warn("relays.untold", { node, error: errorText(error) });
  }
}
