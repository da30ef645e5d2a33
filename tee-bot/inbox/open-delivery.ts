import type { HookDelivery } from "./hook.ts";
import type { InboxKey } from "./inbox-key.ts";
import { AppError } from "../../shared/errors.ts";
import type { SealedDelivery } from "../../shared/inbox/messages.ts";
import { openWebhook } from "../../shared/inbox/sealed-webhook.ts";
import { fromBase64, isSignedBy, parseWebhookSecret } from "../../shared/inbox/webhook-signature.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

/** Throws {@link AppError}: it was sealed to another key or for another hook, or not by the edge. */
export async function openDelivery(
  { hook, attempt, sealed }: SealedDelivery,
  { node, key }: { node: NodeId; key: InboxKey },
): Promise<HookDelivery> {
  const bytes = fromBase64(sealed) ?? new Uint8Array(0);
  const webhook = await openWebhook(key, { node, hook }, bytes).catch((error: unknown) => {
    throw new AppError("bad-request", "It was not sealed to this node's inbox key.", { cause: error });
  });
  const secret = parseWebhookSecret(key.secret) ?? new Uint8Array(0);
  const { id, timestamp, headers, body, signature } = webhook;
  if (!(await isSignedBy(secret, webhook, signature)))
    throw new AppError("signature-invalid", "It was not signed by this node's edge.");
  return { id, receivedAt: Number(timestamp) * 1_000, headers, body, attempt };
}
