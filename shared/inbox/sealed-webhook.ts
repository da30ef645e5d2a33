/** The form in which the edge keeps a webhook for a node: all of it sealed to the node's key, and signed inside. */
import { z } from "zod";
import { joinBytes } from "../bytes.ts";
import type { NodeId } from "../registry/node-id.ts";
import { openSealed, sealTo } from "./hpke.ts";

type Bytes = Uint8Array<ArrayBuffer>;

/** What stands before the body. */
const headSchema = z.object({
  /** The sender's `webhook-id`, or one that the edge has made. */
  id: z.string().max(256),
  /** When the edge took it, in seconds since the Unix epoch, and the edge's signature over id, this and the body. */
  timestamp: z.string().max(12),
  signature: z.string().max(200),
  /** Those headers of the sender's that are kept. */
  headers: z.record(z.string(), z.string()),
});

export interface KeptWebhook extends z.infer<typeof headSchema> {
  readonly body: Bytes;
}

/** For whom it is; it cannot be opened as anything else. */
export interface Destination {
  readonly node: NodeId;
  readonly hook: string;
}

/** Length of the head, big-endian. */
const lengthBytes = 4;

/** 4 bytes length of the head ‖ head (JSON) ‖ body, sealed. */
export function sealWebhook(publicKey: Bytes, destination: Destination, webhook: KeptWebhook): Promise<Bytes> {
  const { body, ...head } = webhook;
  const json = new TextEncoder().encode(JSON.stringify(head));
  const length = new Uint8Array(lengthBytes);
  new DataView(length.buffer).setUint32(0, json.length);
  return sealTo(publicKey, joinBytes([length, json, body]), contextOf(destination));
}

/** Throws for what was not sealed by {@link sealWebhook} to this key and destination. */
export async function openWebhook(
  keys: { readonly privateKey: CryptoKey; readonly publicKey: Bytes },
  destination: Destination,
  sealed: Bytes,
): Promise<KeptWebhook> {
  const bytes = await openSealed(keys, sealed, contextOf(destination));
  const bodyAt = lengthBytes + new DataView(bytes.buffer).getUint32(0);
  const json = new TextDecoder().decode(bytes.subarray(lengthBytes, bodyAt));
  return { ...headSchema.parse(JSON.parse(json)), body: bytes.slice(bodyAt) };
}

function contextOf({ node, hook }: Destination): { info: Bytes; aad: Bytes } {
  const text = new TextEncoder();
  return { info: text.encode("postern inbox v1"), aad: text.encode(`${node}\n${hook}`) };
}
