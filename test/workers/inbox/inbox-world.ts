/** A node with an inbox, and senders of webhooks, as the edge meets them. */
import { runInDurableObject } from "cloudflare:test";
import { env } from "cloudflare:workers";
import { z } from "zod";
import { clock } from "../support/controls.ts";
import { edgeOrigin } from "../support/constants.ts";
import { anything, edgeFetch, testNode, type TestNode } from "../support/edge.ts";
import type { InboxObject } from "../../../workers/inbox/inbox-object.ts";
import { toHex } from "../../../shared/hex.ts";
import { deliveriesSchema, type Deliveries, type InboxDeclaration } from "../../../shared/inbox/messages.ts";
import { openWebhook, type KeptWebhook } from "../../../shared/inbox/sealed-webhook.ts";
import { fromBase64, parseWebhookSecret, signWebhook } from "../../../shared/inbox/webhook-signature.ts";

export const ownSecret = `whsec_${btoa("the secret of edge and node, 32.")}`;
export const sendersSecret = `whsec_${btoa("what only the sender knows, 32 b")}`;

export interface InboxNode extends TestNode {
  readonly keys: { privateKey: CryptoKey; publicKey: Uint8Array<ArrayBuffer> };
  declare(hooks?: Partial<InboxDeclaration["hooks"][number]>[], epoch?: number): Promise<unknown>;
  pull(options?: { epoch?: number; waitMs?: number; except?: string }): Promise<Deliveries>;
  /** The same, opened. */
  read(options?: { epoch?: number; waitMs?: number; except?: string }): Promise<(KeptWebhook & { text: string })[]>;
  settle(outcome: "done" | "failed" | "refused", ...sequences: number[]): Promise<unknown>;
  inObject<T>(look: (object: InboxObject, storage: DurableObjectStorage) => T | Promise<T>): Promise<T>;
}

export async function inboxNode(): Promise<InboxNode> {
  const node = await testNode();
  const pair = (await crypto.subtle.generateKey("X25519", true, ["deriveBits"])) as CryptoKeyPair;
  const publicKey = new Uint8Array((await crypto.subtle.exportKey("raw", pair.publicKey)) as ArrayBuffer);
  const keys = { privateKey: pair.privateKey, publicKey };
  const path = `/v1/nodes/${node.id}/inbox`;
  const pull: InboxNode["pull"] = ({ epoch = 1, waitMs = 0, except = "" } = {}) =>
    node.client.request("GET", `${path}?epoch=${epoch}&wait=${waitMs}&except=${except}`, deliveriesSchema);
  return {
    ...node,
    keys,
    pull,
    declare: (hooks = [{ name: "github" }], epoch = 1) =>
      node.client.request("PUT", path, anything, {
        body: { epoch, key: toHex(publicKey), secret: ownSecret, hooks },
      }),
    async read(options) {
      const { deliveries } = await pull(options);
      return Promise.all(
        deliveries.map(async ({ hook, sealed }) => {
          const webhook = await openWebhook(keys, { node: node.id, hook }, fromBase64(sealed) ?? new Uint8Array(0));
          return Object.assign(webhook, { text: new TextDecoder().decode(webhook.body) });
        }),
      );
    },
    settle: (outcome, ...sequences) =>
      node.client.request("POST", `${path}/outcomes`, anything, {
        body: { epoch: 1, outcomes: sequences.map((sequence) => ({ sequence, outcome })) },
      }),
    inObject: (look) =>
      runInDurableObject(env.INBOXES.get(env.INBOXES.idFromName(node.id)), (object, { storage }) =>
        look(object, storage),
      ),
  };
}

export interface Sending {
  hook?: string;
  headers?: Record<string, string>;
}

/** As any service sends its webhooks. */
export function sendWebhook(node: { id: string }, body: string, { hook = "github", headers }: Sending = {}) {
  return edgeFetch(`${edgeOrigin}/v1/inbox/${node.id}/${hook}`, { method: "POST", body, ...(headers && { headers }) });
}

export const takenId = async (response: Response): Promise<string> =>
  z.object({ id: z.string() }).parse(await response.json()).id;

/** The headers of a sender that signs. */
export async function signedHeaders(id: string, body: string, secret = sendersSecret, now = clock.now()) {
  const timestamp = String(Math.floor(now / 1_000));
  const key = parseWebhookSecret(secret) ?? new Uint8Array(0);
  const signature = await signWebhook(key, { id, timestamp, body: Uint8Array.from(new TextEncoder().encode(body)) });
  return { "webhook-id": id, "webhook-timestamp": timestamp, "webhook-signature": signature };
}
