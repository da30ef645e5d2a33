/** The key that visitors of a node must meet: relays look whether it is the one that answers. Rules only. */
import type { StoredOrder } from "../certificate/order-store.ts";
import { isServing } from "../certificate/orders.ts";

/**
 * The node's own word, where it has given one: it orders by itself, or hands TLS on to a server of its choice. Else the
 * key of the newest certificate that may be served (`orders` come newest first). Undefined: nobody can compare.
 */
export function decideKey(
  told: string | undefined,
  orders: readonly Pick<StoredOrder, "purpose" | "status" | "notAfter" | "spkiDigest">[],
  { now, hasOwnAccounts }: { now: number; hasOwnAccounts: boolean },
): string | undefined {
  if (told !== undefined || hasOwnAccounts) return told;
  return orders.find((order) => isServing(order, now))?.spkiDigest;
}
