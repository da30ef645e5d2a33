/**
 * How long a CA wants to be left alone, and with what. One that says so (429, 503 with Retry-After) is not asked again
 * before that, by no order of the account. Its limits for new orders hold up new orders only, those for one set of
 * names only the orders for that: nobody waits for another's trouble.
 */
import { nameSetOf } from "../../shared/acme/budget.ts";
import type { CaFailure, OrderRequest } from "../../shared/acme/ca.ts";

export type Scope = "account" | "orders" | `names ${string}`;

export interface Block {
  readonly scope: Scope;
  /** Times are ms since the Unix epoch. */
  readonly since: number;
  readonly until: number;
  /** What the CA has said. */
  readonly failure: CaFailure;
}

/** A CA that asks for more is asked again all the same. */
export const maxBlockMs = 6 * 3_600_000;
/** For a CA that says "too many" and not until when. */
const unspokenBlockMs = 30_000;

/** As Let's Encrypt says it (it gives all of its limits the same type); anything else is taken to mean the account. */
const namesLimit = /exact set of (identifiers|domains)|too many failed authorizations|paused/i;
const ordersLimit = /too many (new orders|certificates)/i;

/** What follows from a failure of the CA; `order` when it was the answer to a new one. */
export function decideBlock(failure: CaFailure, order: OrderRequest | undefined, now: number): Block | undefined {
  const { kind, retryAfterMs } = failure;
  if (kind !== "rate-limited" && kind !== "unavailable") return undefined;
  const askedMs = retryAfterMs ?? (kind === "rate-limited" ? unspokenBlockMs : 0);
  if (askedMs <= 0) return undefined;
  return { scope: scopeOf(failure, order), since: now, until: now + Math.min(askedMs, maxBlockMs), failure };
}

function scopeOf({ type, detail }: CaFailure, order: OrderRequest | undefined): Scope {
  if (!order || type !== "rateLimited") return "account";
  if (namesLimit.test(detail)) return namesScope(order);
  return ordersLimit.test(detail) ? "orders" : "account";
}

/** Which blocks hold up a call. A renewal under ARI is exempt from the limits for new orders (RFC 9773 §5). */
export function scopesOf(order: OrderRequest | undefined): Scope[] {
  if (!order) return ["account"];
  const own: Scope[] = ["account", namesScope(order)];
  return order.replaces === undefined ? [...own, "orders"] : own;
}

/** Those who wait come back one after the other, and not all in the moment in which they may. */
const spreadPart = 0.1;
const maxSpreadMs = 30_000;

/** `waitMs` and a little more; `random` is in [0, 1). */
export function decideSpreadMs(waitMs: number, random: number): number {
  return Math.ceil(waitMs + Math.min(waitMs * spreadPart, maxSpreadMs) * random);
}

/** The failure that a call meets as long as it is blocked; undefined when it may be made. */
export function decideHeldUp({ since, until, failure }: Block, now: number): CaFailure | undefined {
  const over = now >= until || now < since; // before its beginning the clock has gone back
  if (over) return undefined;
  return { ...failure, kind: "rate-limited", retryAfterMs: until - now };
}

function namesScope({ hostnames }: OrderRequest): Scope {
  return `names ${nameSetOf(hostnames)}`;
}
