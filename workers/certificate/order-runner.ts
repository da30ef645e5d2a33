/**
 * Moves the orders of one node: step after step for as long as each may follow at once, every one stored before the
 * next. A crash at any point costs no more than one step made again.
 */
import type { Issuer } from "./issuer.ts";
import type { Future, OrderPurpose, OrderStore, StoredOrder } from "./order-store.ts";
import { certificateIdOf } from "../../shared/acme/ari.ts";
import type { AcmeOrder, OrderStep } from "../../shared/acme/order.ts";
import type { Trouble } from "../../shared/acme/ports.ts";
import { decideNextLookMs, decideRenewalPlan } from "../../shared/acme/renewal.ts";
import { decideBackoffMs } from "../../shared/backoff.ts";
import type { Clock } from "../../shared/clock.ts";
import { errorText } from "../../shared/errors.ts";
import type { Log } from "../../shared/log.ts";
import type { NodeId } from "../../shared/registry/node-id.ts";

/** Steps in a row before others get their turn. */
export const maxStepsPerRun = 12;
/** A step may last 20 s, as long as the CA; no further one is begun after this. */
const maxRunMs = 20_000;
/** An alarm that finds an order in the middle of a step looks again; after a crash it finds none. */
const runningLookMs = 1_000;
const stepBackoff = { baseMs: 2_000, maxMs: 10 * 60_000 };
/** Longer than an issuer itself keeps an order that comes to nothing: this one's steps fail. */
const maxAgeMs = 3 * 86_400_000;
const neverMoved: Trouble = {
  detail: "The edge could not make the next step for three days.",
  remedy: "Ask the edge's operator to look for order.postponed in its log.",
};
/** The zone's object and the CA's forget by themselves what could not be cleared away. */
const maxClearings = 8;

export interface OrderRunnerParts {
  readonly store: OrderStore;
  readonly node: () => NodeId;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
  /** Throws `issuer-unavailable` when there is none. */
  readonly issuer: (purpose: OrderPurpose) => Issuer;
  /** Has the CAA records let our accounts issue as they are now. Never rejects. */
  readonly checkAccounts: () => Promise<void>;
  /** How often CAs are asked for renewal windows, where that is said: the first time, too, is no later. */
  readonly lookMs?: number | undefined;
}

export class OrderRunner {
  readonly #parts: OrderRunnerParts;
  readonly #running = new Set<string>();

  constructor(parts: OrderRunnerParts) {
    this.#parts = parts;
  }

  /** Moves every order that is due. */
  async runDue(): Promise<void> {
    const now = this.#parts.clock.now();
    const due = this.#parts.store.all().filter((order) => (decideDueAt(order, now) ?? Infinity) <= now);
    await Promise.all(due.map(({ id }) => this.run(id)));
  }

  nextDue(): number | undefined {
    const now = this.#parts.clock.now();
    const due = this.#parts.store.all().flatMap((order) => {
      const at = decideDueAt(order, now);
      if (at === undefined) return [];
      return [this.#running.has(order.id) ? Math.max(at, now + runningLookMs) : at];
    });
    return due.length > 0 ? Math.min(...due) : undefined;
  }

  /** Resolves when the order has ended or has to wait. Never rejects: what fails is postponed. */
  async run(id: string): Promise<void> {
    if (this.#running.has(id)) return; // a request and the alarm may want the same step
    this.#running.add(id);
    const { store, clock } = this.#parts;
    const startedAt = clock.now();
    try {
      for (let step = 0; step < maxStepsPerRun && clock.now() - startedAt < maxRunMs; step++) {
        const order = store.find(id);
        if (!order || (decideDueAt(order, clock.now()) ?? Infinity) > clock.now()) return;
        await (order.status === "processing" ? this.#step(order) : this.#clear(order));
      }
    } finally {
      this.#running.delete(id);
    }
  }

  /** Gives an order up; what it has left behind is cleared away by {@link run}. */
  abandon({ id, purpose }: StoredOrder, trouble: Trouble): void {
    const { store, clock, log } = this.#parts;
    const now = clock.now();
    store.failed(id, trouble, now, now);
    log.info("order.abandoned", { order: id, purpose, detail: trouble.detail });
  }

  async #step(order: StoredOrder): Promise<void> {
    const { store, clock, issuer, log, checkAccounts } = this.#parts;
    const { id, purpose } = order;
    try {
      // A CA that has forgotten an account gives it another name, which it looks for in CAA when it validates.
      if (order.progress === "" || order.trouble) await checkAccounts();
      const step = await issuer(purpose).step(this.#acmeOrder(order));
      if (step.status === "processing") {
        store.moved(id, step, clock.now());
        return;
      }
      if (step.status === "valid") store.issued(id, step, this.#futureOf(order, step));
      else store.failed(id, step.trouble, undefined, clock.now());
      const detail = step.status === "invalid" ? step.trouble.detail : undefined;
      log.info("order.finished", { order: id, purpose, status: step.status, detail });
    } catch (error) {
      this.#postpone(order, error);
    }
  }

  /** A rehearsal's certificate has none. */
  #futureOf({ purpose }: StoredOrder, step: Extract<OrderStep, { status: "valid" }>): Future {
    const { clock, random, lookMs = Infinity } = this.#parts;
    const { notBefore, notAfter, directory, certificate } = step;
    if (purpose === "rehearsal") return { certificateId: undefined, renewal: undefined, lookAt: undefined };
    const now = clock.now();
    const certificateId = directory === undefined ? undefined : certificateIdOf(certificate);
    return {
      certificateId,
      renewal: decideRenewalPlan({ notBefore, notAfter, now, random }),
      lookAt: certificateId === undefined ? undefined : now + Math.min(lookMs, decideNextLookMs("none yet")),
    };
  }

  async #clear(order: StoredOrder): Promise<void> {
    const { store, issuer } = this.#parts;
    try {
      await issuer(order.purpose).abandon(this.#acmeOrder(order));
      store.cleared(order.id);
    } catch (error) {
      if (order.attempt + 1 >= maxClearings) store.cleared(order.id);
      this.#postpone(order, error);
    }
  }

  #postpone(order: StoredOrder, error: unknown): void {
    const { store, clock, random, log } = this.#parts;
    const { id, attempt, status, createdAt } = order;
    if (status === "processing" && clock.now() - createdAt > maxAgeMs) {
      this.abandon(order, neverMoved);
      return;
    }
    const waitMs = decideBackoffMs(attempt, { ...stepBackoff, random });
    store.postponed(id, attempt + 1, clock.now() + waitMs, clock.now());
    log.warn("order.postponed", { order: id, attempt, waitMs, error: errorText(error) });
  }

  #acmeOrder({ id, csr, hostnames, replaces, progress }: StoredOrder): AcmeOrder {
    return { id, node: this.#parts.node(), csr, hostnames, ...(replaces && { replaces }), progress };
  }
}

/** What is due at a time that was set in what is now the future, because the clock has gone back, is due now. */
function decideDueAt({ dueAt, steppedAt }: StoredOrder, now: number): number | undefined {
  return dueAt !== undefined && steppedAt > now ? now : dueAt;
}
