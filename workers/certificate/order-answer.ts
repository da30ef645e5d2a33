import type { StoredOrder } from "./order-store.ts";
import type { NodeView, Order } from "../../shared/registry/messages.ts";

/** Nobody learns more by asking more often. */
const minPollMs = 250;

/** An order as its node is told of it. */
export function orderOf(order: StoredOrder, now: number): Order {
  const { id, status, hostnames, dueAt, ...stored } = order;
  return {
    id,
    status,
    hostnames: [...hostnames],
    ...(stored.certificate !== undefined && { certificate: stored.certificate }),
    ...(stored.notBefore !== undefined && { notBefore: stored.notBefore }),
    ...(stored.notAfter !== undefined && { notAfter: stored.notAfter }),
    ...(stored.issuer !== undefined && { issuer: stored.issuer }),
    ...(stored.renewal && { renewal: stored.renewal }),
    ...(stored.trouble && { trouble: stored.trouble }),
    ...(status === "processing" && {
      retryAfterMs: Math.max(minPollMs, (dueAt ?? now) - now),
      words: stored.words ?? "the order has been taken in",
    }),
  };
}

/** The same as part of what is known of its node. */
export function certificateOf(order: StoredOrder, now: number): NodeView["certificates"][number] {
  const { certificate: _, ...rest } = orderOf(order, now);
  return { ...rest, purpose: order.purpose, createdAt: order.createdAt };
}
