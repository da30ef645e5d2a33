/** A node as the edge knows it: a key that signs, a CSR, and nothing that runs. */
import { createPublicKey, generateKeyPairSync } from "node:crypto";
import { expect } from "vitest";
import { systemClock } from "../../../shared/clock.ts";
import { generateIdentityPem, identityOfPem } from "../../../shared/nodejs/identity-file.ts";
import { EdgeClient } from "../../../shared/registry/edge-client.ts";
import {
  nodeViewSchema,
  orderSchema,
  registrationSchema,
  type NodeView,
  type Order,
  type Registration,
} from "../../../shared/registry/messages.ts";
import type { NodeId } from "../../../shared/registry/node-id.ts";
import { createCsr } from "../../../tee-bot/certificate/csr.ts";
import type { TlsKey } from "../../../tee-bot/certificate/tls-key.ts";
import { until } from "../../support/postern.ts";
import type { TestEdge } from "./edge.ts";

export const pollMs = 50;

export interface TestNode {
  readonly id: NodeId;
  /** Its 52-character name. */
  readonly name: string;
  readonly client: EdgeClient;
  register(): Promise<Registration>;
  /** A CSR for its name, or for others. */
  csr(names?: readonly string[]): Promise<string>;
  /** Orders, with a new key unless a CSR is given. */
  order(csr?: string): Promise<Order>;
  read(order: Pick<Order, "id">): Promise<Order>;
  view(): Promise<NodeView>;
  /** Asks until it is as expected; a node does nothing else. Meanwhile the edge may be away. */
  follow(order: Pick<Order, "id">, isThere: (order: Order) => boolean, timeoutMs?: number): Promise<Order>;
  valid(order: Pick<Order, "id">, timeoutMs?: number): Promise<Order>;
  /** Until its records are written. */
  settled(): Promise<void>;
}

const followMs = 20_000;

/** Registered already. */
export async function startNode(edge: TestEdge): Promise<TestNode> {
  const identity = await identityOfPem(generateIdentityPem(), Date.now());
  const { id, signingKey: privateKey } = identity;
  const signer = { id, role: "postern-node", privateKey } as const;
  const client = new EdgeClient({ edge: edge.url, signer, clock: systemClock, fetch, timeoutMs: 35_000 });
  const orders = `/v1/nodes/${id}/orders`;
  const register = (): Promise<Registration> =>
    client.request("POST", `/v1/nodes/${id}/registration`, registrationSchema, { body: { version: "test" } });
  const { hostnames } = await register();
  const name = hostnames.at(-1) ?? "";

  const node: TestNode = {
    id,
    name,
    client,
    register,
    csr: (names = [name]) => createCsr(newTlsKey(), names),
    async order(csr) {
      const body = { csr: csr ?? (await node.csr()) };
      return client.request("POST", orders, orderSchema, { body });
    },
    read: (order) => client.request("GET", `${orders}/${order.id}`, orderSchema),
    view: () => client.request("GET", `/v1/nodes/${id}`, nodeViewSchema),
    async follow(order, isThere, timeoutMs = followMs) {
      const deadline = Date.now() + timeoutMs;
      let last: unknown;
      while (Date.now() < deadline) {
        try {
          const now = await node.read(order);
          if (isThere(now)) return now;
          last = now;
        } catch (error) {
          last = error;
        }
        await systemClock.sleep(pollMs);
      }
      throw new Error(`Not within ${timeoutMs} ms; last: ${describe(last)}\n${edge.log().slice(-6_000)}`);
    },
    async valid(order, timeoutMs) {
      const ended = await node.follow(order, ({ status }) => status !== "processing", timeoutMs);
      expect(ended).toMatchObject({ status: "valid", certificate: expect.stringContaining("BEGIN CERTIFICATE") });
      return ended;
    },
    async settled() {
      await until(async () => (await node.view()).dns.state === "written", followMs, "the node's records are written");
    },
  };
  return node;
}

function newTlsKey(): TlsKey {
  const { privateKey } = generateKeyPairSync("ec", { namedCurve: "P-256" });
  const pem = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
  return { pem, privateKey, spki: createPublicKey(privateKey).export({ type: "spki", format: "der" }) };
}

const describe = (value: unknown): string => (value instanceof Error ? String(value) : JSON.stringify(value));
