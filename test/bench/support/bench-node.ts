/** A node as the edge sees it: a key, and signed requests. */
import { generateKeyPairSync } from "node:crypto";
import { createCsr } from "../../../tee-bot/certificate/csr.ts";
import { systemClock, type Clock } from "../../../shared/clock.ts";
import { generateIdentityPem, identityOfPem } from "../../../shared/nodejs/identity-file.ts";
import { EdgeClient } from "../../../shared/registry/edge-client.ts";
import {
  aliasSchema,
  orderSchema,
  registrationSchema,
  type Order,
  type Registration,
} from "../../../shared/registry/messages.ts";
import type { NodeId } from "../../../shared/registry/node-id.ts";

export interface BenchNode {
  readonly id: NodeId;
  register(): Promise<Registration>;
  claim(alias: string): Promise<void>;
  renew(epoch: number): Promise<Registration>;
  order(csr: string): Promise<Order>;
  readOrder(id: string): Promise<Order>;
}

/** Longer than the edge's own limits: a slow answer is measured, not refused. */
const timeoutMs = 60_000;

/** With a key of its own unless one is given. */
export async function createBenchNode(
  edge: string,
  { clock = systemClock, pem = generateIdentityPem() }: { clock?: Clock; pem?: string } = {},
): Promise<BenchNode> {
  const { id, signingKey } = await identityOfPem(pem, clock.now());
  const signer = { id, role: "postern-node", privateKey: signingKey } as const;
  const client = new EdgeClient({ edge, signer, clock, fetch, timeoutMs });
  const path = `/v1/nodes/${id}`;
  return {
    id,
    register: () => client.request("POST", `${path}/registration`, registrationSchema, { body: { version: "bench" } }),
    claim: async (alias) => void (await client.request("PUT", `/v1/aliases/${alias}`, aliasSchema)),
    renew: (epoch) => client.request("PUT", `${path}/lease`, registrationSchema, { body: { epoch } }),
    order: (csr) => client.request("POST", `${path}/orders`, orderSchema, { body: { csr } }),
    readOrder: (order) => client.request("GET", `${path}/orders/${order}`, orderSchema),
  };
}

/** PEM, for a key of its own. */
export function createBenchCsr(hostnames: readonly string[]): Promise<string> {
  const { privateKey, publicKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return createCsr({ privateKey, pem, spki: publicKey.export({ type: "spki", format: "der" }) }, hostnames);
}
