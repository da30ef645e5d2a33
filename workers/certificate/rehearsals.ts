/**
 * Dry runs of a renewal at the CA's staging directory: right after the first certificate, then weekly, so that whatever
 * would break the next renewal shows months before it.
 */
import { isServing, type Orders } from "./orders.ts";
import type { OrderStore, StoredOrder } from "./order-store.ts";
import type { Trouble } from "../../shared/acme/ports.ts";
import type { Clock } from "../../shared/clock.ts";

/** After one that failed: its cause may have been put right. */
const failedAgainMs = 86_400_000;

export interface RehearsalsParts {
  readonly store: OrderStore;
  readonly orders: Orders;
  /** Names the node holds. */
  readonly hostnames: () => readonly string[];
  readonly rehearsalMs: number;
  readonly clock: Clock;
}

export class Rehearsals {
  readonly #parts: RehearsalsParts;

  constructor(parts: RehearsalsParts) {
    this.#parts = parts;
  }

  startDue(): void {
    const { orders, clock } = this.#parts;
    const serving = this.#serving();
    if (serving && (this.nextDue() ?? Infinity) <= clock.now()) orders.rehearse(serving);
  }

  nextDue(): number | undefined {
    const { store, rehearsalMs, clock } = this.#parts;
    const last = store.all().find(({ purpose }) => purpose === "rehearsal");
    return this.#serving() && decideRehearsalAt(last, { rehearsalMs, now: clock.now() });
  }

  /** The order whose renewal is rehearsed: the newest that serves and names nothing that was given back. */
  #serving(): StoredOrder | undefined {
    const { store, clock, hostnames } = this.#parts;
    const owned = new Set(hostnames());
    return store
      .all()
      .find((order) => isServing(order, clock.now()) && order.hostnames.every((hostname) => owned.has(hostname)));
  }

  /** Until one succeeds. */
  get trouble(): Trouble | undefined {
    const ended = this.#parts.store
      .all()
      .find(({ purpose, status }) => purpose === "rehearsal" && status !== "processing");
    if (ended?.status !== "invalid" || !ended.trouble) return undefined;
    const { detail, remedy } = ended.trouble;
    return { detail: `The last rehearsal of a renewal failed: ${detail}`, remedy };
  }
}

/** After the `last` one; undefined while that is under way. */
export function decideRehearsalAt(
  last: StoredOrder | undefined,
  { rehearsalMs, now }: { rehearsalMs: number; now: number },
): number | undefined {
  if (!last) return now;
  if (last.status === "processing") return undefined;
  const waitMs = last.status === "valid" ? rehearsalMs : Math.min(rehearsalMs, failedAgainMs);
  return Math.min(last.createdAt, now) + waitMs; // the clock may have gone back
}
