import type { CaOrder } from "../ca.ts";
import { goOn, type Context, type Move } from "../move.ts";
import type { PlacedOrder } from "../progress.ts";
import { caName } from "../words.ts";

export interface FoundOrder {
  readonly order: PlacedOrder;
  /** As the CA has it now: any status but `invalid`. */
  readonly found: CaOrder;
  /** How often the certificate was asked for already. */
  readonly times: number;
}

/** To the stage that an order's status asks for (RFC 8555 §7.1.6). */
export function goByStatus(context: Context, { order, found, times }: FoundOrder): Move {
  const name = caName(order.directory);
  const { status, certificate } = found;
  if (status === "pending")
    return goOn(context, { name: "authorize", order, method: "dns-01" }, `reading what ${name} wants proved`);
  if (status === "ready")
    return goOn(context, { name: "finalize", order, times }, `asking ${name} for the certificate`);
  if (status === "valid" && certificate !== undefined)
    return goOn(context, { name: "download", order, certificate }, `fetching the certificate from ${name}`);
  return goOn(context, { name: "issue", order, times }, `waiting for ${name} to issue`);
}
