/** The bodies of the edge's HTTP API, for the edge that answers and the nodes and relays that ask. */
import { z } from "zod";
import { isNodeId } from "./node-id.ts";

export const maxRequestBytes = 64 * 1024;

export const nodeIdSchema = z.string().refine(isNodeId, "64 lower-case hexadecimal characters");
export const hostnameSchema = z.string().min(1).max(253);
export const epochSchema = z.int().min(1);

/** An IPv4 or IPv6 literal. */
export const addressSchema = z.union([z.ipv4(), z.ipv6()]);

/** Where something is, in degrees; only ever used to choose the nearer relay. */
export const placeSchema = z.object({
  latitude: z.number().min(-90).max(90),
  longitude: z.number().min(-180).max(180),
});
export type Place = z.infer<typeof placeSchema>;

/** A relay as a node needs it: whom to dial, under which name, and which key it must prove. */
export const relayEndpointSchema = z.object({
  relay: nodeIdSchema,
  host: z.string().min(1).max(253),
  port: z.int().min(1).max(65_535),
  /** The relay's own name: the SNI of tunnels. */
  name: hostnameSchema,
});
export type RelayEndpoint = z.infer<typeof relayEndpointSchema>;

/** What probes through one relay have found of a node's names. Times are milliseconds since the Unix epoch. */
export const pathSchema = z.object({
  relay: nodeIdSchema,
  state: z.enum(["up", "down"]),
  /** Why it is down, for a person to read. */
  detail: z.string().max(300).optional(),
  checkedAt: z.int(),
});
export type Path = z.infer<typeof pathSchema>;

/** SHA-256 of a SubjectPublicKeyInfo, in hexadecimal. */
const keyDigestSchema = z.string().regex(/^[0-9a-f]{64}$/);

/** `POST /v1/nodes/{node}/registration`: a node has started. Raises the epoch. */
export const registrationRequestSchema = z.object({
  version: z.string().max(40),
  place: placeSchema.optional(),
  /** The key that visitors meet, where that is not the one of the newest certificate by the edge. */
  key: keyDigestSchema.optional(),
});
export type RegistrationRequest = z.infer<typeof registrationRequestSchema>;

/** The newest registration of a key; every older one is void. Times are milliseconds since the Unix epoch. */
export const registrationSchema = z.object({
  node: nodeIdSchema,
  epoch: epochSchema,
  zone: hostnameSchema,
  /** Aliases first, then the 52-character name. */
  hostnames: z.array(hostnameSchema),
  expiresAt: z.int(),
  renewAfterMs: z.int(),
  relays: z.array(relayEndpointSchema),
  /** How visitors fare on the way through each of them, as far as it was looked at. */
  paths: z.array(pathSchema).default([]),
});
export type Registration = z.infer<typeof registrationSchema>;

/** A node has tunnels to two relays; more while it moves. */
const maxRelays = 8;

/** `PUT /v1/nodes/{node}/lease`: still here. Answers a {@link Registration}. */
export const leaseRequestSchema = z.object({
  epoch: epochSchema,
  /** Relays that were named to the node and that it does not get through to. */
  unreachable: z.array(nodeIdSchema).max(maxRelays).default([]),
  /** Relays that have told the node that they stop. */
  draining: z.array(nodeIdSchema).max(maxRelays).default([]),
  /** As in the registration. */
  key: keyDigestSchema.optional(),
});

/** `PUT /v1/aliases/{alias}`. */
export const aliasSchema = z.object({ alias: z.string(), hostname: hostnameSchema, node: nodeIdSchema });
export type Alias = z.infer<typeof aliasSchema>;

/** `POST /v1/nodes/{node}/orders`: a certificate for a CSR (PEM, PKCS #10, names in the SAN only). */
export const orderRequestSchema = z.object({
  csr: z
    .string()
    .min(1)
    .max(16 * 1024),
});

/** A problem a person can do something about. */
export const troubleSchema = z.object({ detail: z.string(), remedy: z.string() });

/** When a certificate is to be renewed, and on whose word. Times are milliseconds since the Unix epoch. */
export const renewalPlanSchema = z.object({
  at: z.int(),
  /** `ari`: the CA has named a window (RFC 9773); `lifetime`: two thirds of the lifetime. */
  source: z.enum(["ari", "lifetime"]),
  from: z.int().optional(),
  to: z.int().optional(),
  explanationUrl: z.string().optional(),
});
export type RenewalPlan = z.infer<typeof renewalPlanSchema>;

/** An order: `valid` at once from a local issuer, `processing` for as long as an ACME CA needs. */
export const orderSchema = z.object({
  id: z.string(),
  status: z.enum(["processing", "valid", "invalid"]),
  hostnames: z.array(hostnameSchema),
  /** PEM chain, leaf first; present when `valid`. */
  certificate: z.string().optional(),
  notBefore: z.int().optional(),
  notAfter: z.int().optional(),
  /** The CA's ACME directory, or `local`. */
  issuer: z.string().optional(),
  renewal: renewalPlanSchema.optional(),
  /** When to ask again while `processing`. */
  retryAfterMs: z.int().optional(),
  /** What it is waiting for, for a person to read; while `processing`. */
  words: z.string().optional(),
  /** Why it is `invalid`, or what has gone wrong so far. */
  trouble: troubleSchema.optional(),
});
export type Order = z.infer<typeof orderSchema>;

/** `GET /v1/nodes/{node}`: what the edge knows of a node, its certificates newest first. */
export const nodeViewSchema = z.object({
  node: nodeIdSchema,
  epoch: epochSchema,
  state: z.enum(["up", "lapsed", "released"]),
  hostnames: z.array(hostnameSchema),
  expiresAt: z.int(),
  /** `rehearsal`: a dry run at the CA's staging directory, whose certificate is of no use to anyone. */
  certificates: z.array(
    orderSchema.omit({ certificate: true }).extend({ purpose: z.enum(["serve", "rehearsal"]), createdAt: z.int() }),
  ),
  dns: z.object({ state: z.enum(["written", "pending", "failing"]), records: z.int(), words: z.string() }),
  /** URIs of the ACME accounts that the CAA records of its names let in: the node's own, or the edge's. */
  accounts: z.array(z.string().max(512)).max(16).default([]),
  /** As in {@link registrationSchema}. */
  paths: z.array(pathSchema).default([]),
  /** What somebody has to look at: a CAA record that is overridden, a token without rights, a rehearsal that failed. */
  troubles: z.array(troubleSchema),
});
export type NodeView = z.infer<typeof nodeViewSchema>;

/** `GET /v1/issuer`: who signs. */
export const issuerSchema = z.object({
  kind: z.enum(["local", "acme"]),
  /** PEM roots that clients must be given; empty when there are none, or none are known. */
  roots: z.array(z.string()),
  /** `private`: not among the roots that clients have. */
  trust: z.enum(["public", "private"]).default("private"),
  /** ACME directories in the order of preference, for nodes that have an account of their own. */
  directories: z.array(z.string()).default([]),
  /** DNS-over-HTTPS resolvers by which propagation is judged (RFC 8484 URLs). */
  resolvers: z.array(z.string()).default([]),
});
export type Issuer = z.infer<typeof issuerSchema>;

export const maxRuleNetworks = 100;
const networksSchema = z.array(z.union([z.cidrv4(), z.cidrv6()])).max(maxRuleNetworks);

/** `PUT /v1/nodes/{node}/rules`: what relays do for a node before its visitors reach it. Replaces those before. */
export const nodeRulesSchema = z
  .object({
    /** Only visitors from these networks (CIDR), unless it is empty. */
    allow: networksSchema.default([]),
    /** No visitors from these, whatever `allow` says. */
    deny: networksSchema.default([]),
    /** For all visitors of the node together, in each direction, on each relay. */
    bytesPerSecond: z.int().min(16_384).max(100_000_000_000).optional(),
  })
  .refine(({ allow, deny }) => allow.length + deny.length <= maxRuleNetworks, `at most ${maxRuleNetworks} networks`);
export type NodeRules = z.infer<typeof nodeRulesSchema>;

/** `GET /v1/routes/{hostname}`: whose name it is and the epoch that may serve it. */
export const routeSchema = z.object({
  name: hostnameSchema,
  node: nodeIdSchema,
  epoch: epochSchema,
  rules: nodeRulesSchema.optional(),
  /** Where the node has its tunnels, as far as the edge knows. */
  relays: z.array(nodeIdSchema).max(maxRelays).optional(),
  /** The key that visitors must meet: SHA-256 of its SubjectPublicKeyInfo, in hexadecimal. */
  key: keyDigestSchema.optional(),
});
export type Route = z.infer<typeof routeSchema>;

/** `PUT /v1/relays/{relay}/status`: a relay's heartbeat. */
export const relayStatusSchema = z.object({
  host: z.string().min(1).max(253),
  port: z.int().min(1).max(65_535),
  name: hostnameSchema,
  version: z.string().max(40),
  place: placeSchema.optional(),
  /** Where visitors reach it, for the address records of nodes; absent where `host` is an address itself. */
  addresses: z.array(addressSchema).max(8).optional(),
  visitors: z.int().min(0),
  tunnels: z.int().min(0),
  draining: z.boolean(),
});
export type RelayStatusReport = z.infer<typeof relayStatusSchema>;

/** Another relay of the fleet. */
export const fleetRelaySchema = relayEndpointSchema.extend({
  /** Where visitors reach it. */
  addresses: z.array(addressSchema).max(8).default([]),
  draining: z.boolean(),
});
export type FleetRelay = z.infer<typeof fleetRelaySchema>;

/** The answer to a heartbeat: when the next one is due, and the relays whose heartbeats come, the asking one not among them. */
export const relayStatusAnswerSchema = z.object({ nextInMs: z.int(), relays: z.array(fleetRelaySchema).default([]) });

/** What a relay has found of one name, as a visitor who comes through `relay`. Times are milliseconds since the Unix epoch. */
export const observationSchema = pathSchema.extend({ node: nodeIdSchema, hostname: hostnameSchema });
export type Observation = z.infer<typeof observationSchema>;

export const maxObservations = 200;
/** `PUT /v1/relays/{relay}/observations`: what is new, and what still is as it was. */
export const observationsSchema = z.object({ observations: z.array(observationSchema).min(1).max(maxObservations) });

/** `GET /v1/nodes/{node}/relays`. */
export const relayListSchema = z.object({ relays: z.array(relayEndpointSchema) });

// For nodes with an ACME account of their own: the edge writes records for them and keeps the budget.

/** `PUT /v1/nodes/{node}/challenges/{order}`: TXT records for names of the node. Answers {@link presentedSchema}. */
export const challengesSchema = z.object({
  records: z
    .array(z.object({ hostname: hostnameSchema, value: z.string().regex(/^[\w-]{43}$/, "a base64url SHA-256") }))
    .min(1)
    .max(20),
});

export const presentedSchema = z.discriminatedUnion("state", [
  z.object({ state: z.literal("written") }),
  z.object({ state: z.literal("pending"), retryAfterMs: z.int(), trouble: troubleSchema.optional() }),
]);

/** `PUT /v1/nodes/{node}/accounts`: the node's ACME accounts, for CAA records at its names. Replaces those before. */
export const accountsSchema = z.object({
  accounts: z
    .array(
      z.object({
        /** As in CAA: `letsencrypt.org`. */
        ca: z.string().regex(/^[a-z0-9.-]{1,253}$/),
        accountUri: z.url().max(300),
        methods: z.array(z.enum(["dns-01", "tls-alpn-01"])).min(1),
      }),
    )
    .max(8),
});
export type AccountBinding = z.infer<typeof accountsSchema>["accounts"][number];

/** `PUT /v1/nodes/{node}/admissions/{order}`: may an order be opened at `directory` now? Answers {@link admissionSchema}. */
export const admissionRequestSchema = z.object({
  directory: z.url().max(300),
  hostnames: z.array(hostnameSchema).min(1).max(20),
  exempt: z.boolean(),
  queue: z.boolean(),
});

export const admissionSchema = z.discriminatedUnion("admitted", [
  z.object({ admitted: z.literal(true) }),
  z.object({ admitted: z.literal(false), place: z.int(), estimatedAt: z.int(), retryAfterMs: z.int() }),
]);

/** `DELETE /v1/nodes/{node}/admissions/{order}?directory=…&outcome=issued|failed`: the order has come to its end. */
export const admissionOutcomeSchema = z.enum(["issued", "failed"]);
