/** The bodies of the edge's HTTP API, for the edge that answers and the nodes and relays that ask. */
import { z } from "zod";
import { isNodeId } from "./node-id.ts";

export const maxRequestBytes = 64 * 1024;

export const nodeIdSchema = z.string().refine(isNodeId, "64 lower-case hexadecimal characters");
export const hostnameSchema = z.string().min(1).max(253);
export const epochSchema = z.int().min(1);

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

/** `POST /v1/nodes/{node}/registration`: a node has started. Raises the epoch. */
export const registrationRequestSchema = z.object({ version: z.string().max(40), place: placeSchema.optional() });
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
});
export type Registration = z.infer<typeof registrationSchema>;

/** `PUT /v1/nodes/{node}/lease`: still here. Answers a {@link Registration}. */
export const leaseRequestSchema = z.object({ epoch: epochSchema });

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

/** An order: `valid` at once from a local issuer, `processing` for as long as an ACME CA needs. */
export const orderSchema = z.object({
  id: z.string(),
  status: z.enum(["processing", "valid", "invalid"]),
  hostnames: z.array(hostnameSchema),
  /** PEM chain, leaf first; present when `valid`. */
  certificate: z.string().optional(),
  notAfter: z.int().optional(),
  /** When to ask again while `processing`. */
  retryAfterMs: z.int().optional(),
  /** Why it is `invalid`. */
  detail: z.string().optional(),
});
export type Order = z.infer<typeof orderSchema>;

/** `GET /v1/issuer`: who signs, and the roots a client must trust (empty for publicly trusted CAs). */
export const issuerSchema = z.object({ kind: z.enum(["local", "acme"]), roots: z.array(z.string()) });
export type Issuer = z.infer<typeof issuerSchema>;

/** `GET /v1/routes/{hostname}`: whose name it is and the epoch that may serve it. */
export const routeSchema = z.object({ name: hostnameSchema, node: nodeIdSchema, epoch: epochSchema });
export type Route = z.infer<typeof routeSchema>;

/** `PUT /v1/relays/{relay}/status`: a relay's heartbeat. */
export const relayStatusSchema = z.object({
  host: z.string().min(1).max(253),
  port: z.int().min(1).max(65_535),
  name: hostnameSchema,
  version: z.string().max(40),
  place: placeSchema.optional(),
  visitors: z.int().min(0),
  tunnels: z.int().min(0),
  draining: z.boolean(),
});
export type RelayStatusReport = z.infer<typeof relayStatusSchema>;

/** The answer to a heartbeat: when the next one is due. */
export const relayStatusAnswerSchema = z.object({ nextInMs: z.int() });

/** `GET /v1/nodes/{node}/relays`. */
export const relayListSchema = z.object({ relays: z.array(relayEndpointSchema) });
