import { maxAttempts, maxWaitingBytesPerNode, maxWaitingPerHook, retryBackoff } from "./limits.ts";
import { decideBackoffMs } from "../../shared/backoff.ts";
import type { Failure } from "../../shared/errors.ts";

export type Setback =
  | { readonly dead: true }
  | { readonly dead: false; readonly attempts: number; readonly dueAt: number };

/** What a failure comes to. One that was handed out behind others was not counted then; it is now. */
export function decideSetback(attempts: number, now: number, random: () => number): Setback {
  const made = Math.max(1, attempts);
  if (made >= maxAttempts) return { dead: true };
  return { dead: false, attempts: made, dueAt: now + decideBackoffMs(made - 1, { ...retryBackoff, random }) };
}

/** Why there is no room for one more; undefined when there is. */
export function decideFullness(load: { hookCount: number; nodeBytes: number }, bytes: number): Failure | undefined {
  if (load.hookCount >= maxWaitingPerHook)
    return {
      code: "overloaded",
      detail: `${maxWaitingPerHook} webhooks wait here for the node already. Send it again later.`,
    };
  if (load.nodeBytes + bytes > maxWaitingBytesPerNode)
    return { code: "overloaded", detail: "The node's inbox is full. Send it again later." };
  return undefined;
}

/** Standard Webhooks leave its form open; this much can stand in any header and log. */
export function isWebhookId(id: string): boolean {
  return /^[\x21-\x7e]{1,256}$/.test(id);
}
